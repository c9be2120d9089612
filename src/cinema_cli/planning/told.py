"""What a director has told, and which director: what a film's records keep, so that it can go on."""

from typing import Annotated, Literal

from pydantic import Field

from cinema_cli.config import Config
from cinema_cli.fields import Line, Sha256

MAX_LOOK = 400
"""Characters that describe somebody, or a place."""
MAX_PLACE = 80
MAX_SUMMARY = 1_500
MOST_PLACES = 1_000

Look = Annotated[Line, Field(max_length=MAX_LOOK, pattern=r"^[^<>]+$")]
PlaceName = Annotated[Line, Field(max_length=MAX_PLACE, pattern=r"^[^<>]*[^\W_][^<>]*$")]
Summary = Annotated[Line, Field(max_length=MAX_SUMMARY)]


Words = Literal["theatre", "director"]
"""Whose words a director's captions are in the storyboard."""


class DirectedBy(Config):
    """Who wrote shots, told what, and when."""

    model: Line
    """Name of the model."""
    words: Words
    """Whether its shots were staged as the theatre would, or its own captions were taken."""
    prompt_sha256: Sha256
    """Of what it was told apart from the story."""
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    """The day, in universal time."""

    def same(self, other: "DirectedBy | None") -> bool:
        """Whether the same director would write in the same words; a new prompt alone asks nobody anew."""
        return other is not None and (self.model, self.words) == (other.model, other.words)


class PlaceLook(Config):
    """A place of the film."""

    name: PlaceName
    """As shots name it."""
    look: Look
    """What is to be seen there."""


class Told(Config):
    """Where and what a film has told; who is in it stands in its cast."""

    summary: Summary = ""
    """What has happened."""
    places: Annotated[tuple[PlaceLook, ...], Field(max_length=MOST_PLACES)] = ()
    """Where it plays, in order of appearance."""
