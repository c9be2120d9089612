"""A director's answer for one chapter; checked here whatever the server promised.

Some servers ignore the form that was asked for, and no form can say that a tag is on the cast list.
"""

import re
from collections import Counter
from collections.abc import Iterator, Set
from typing import Annotated

from pydantic import Field, ValidationError

from cinema_cli.chat.model import one_line, without_fence
from cinema_cli.config import Config
from cinema_cli.fields import Line, Name
from cinema_cli.planning.chapters import Chapter
from cinema_cli.planning.director_prompt import MAX_ACTION, MAX_SHOT_CAPTION, MAX_TIME
from cinema_cli.planning.told import MOST_PLACES, Look, PlaceLook, Summary
from cinema_cli.storyboard import MAX_CAST, MAX_LINES, SpokenLine, tags
from cinema_cli.theatre.world import ShotSize

MOST_CAST = 100
"""New in one chapter."""
MOST_SHOTS_READ = 1_000
"""In one answer; how many were wanted is said apart."""
MAX_TITLE = 120
MAX_LOGLINE = 600
MOST_IN_PICTURE = 6
"""Of the cast in one caption: with their looks it still fits into a storyboard."""
MOST_FAULTS = 8
"""Told at once."""


class CastReply(Config):
    """Somebody new."""

    name: Name
    """As captions tag them."""
    look: Annotated[Look, Field(pattern=r"^(?:[Aa]n?) .")]
    """A phrase that can stand behind the name."""


class ShotReply(Config):
    """One shot."""

    place: Line
    """Name of a place that is known."""
    time: Annotated[Line, Field(max_length=MAX_TIME, pattern=r"^[^<>]*\w[^<>]*$")]
    """The hour."""
    framing: ShotSize
    """How near."""
    action: Annotated[Line, Field(max_length=MAX_ACTION, pattern=r"\w")]
    """Who does what, in one plain sentence."""
    caption: Annotated[Line, Field(max_length=MAX_SHOT_CAPTION, pattern=r"\w")]
    """The picture."""
    lines: Annotated[tuple[SpokenLine, ...], Field(max_length=MAX_LINES)]
    """What is said."""


class Reply(Config):
    """The answer, as the schema of ``director_prompt`` describes it."""

    title: Annotated[Line, Field(max_length=MAX_TITLE)]
    """Of the film."""
    logline: Annotated[Line, Field(max_length=MAX_LOGLINE)]
    """One sentence about the whole."""
    cast: Annotated[tuple[CastReply, ...], Field(max_length=MOST_CAST)]
    """Who is new."""
    places: Annotated[tuple[PlaceLook, ...], Field(max_length=MOST_CAST)]
    """Where it plays that is new."""
    shots: Annotated[tuple[ShotReply, ...], Field(max_length=MOST_SHOTS_READ)]
    """The shots."""
    summary: Summary
    """What has happened so far."""


class NoReply(ValueError):
    """The model's words cannot be used; ``faults`` say why, a sentence each."""

    def __init__(self, faults: list[str]) -> None:
        """At most ``MOST_FAULTS`` of them are kept."""
        super().__init__("; ".join(faults[:MOST_FAULTS]))
        self.faults = faults[:MOST_FAULTS]


def read_reply(text: str, chapter: Chapter, cast: Set[str], places: Set[str]) -> Reply:
    """The answer that a director wrote; a code fence around it is taken off.

    Args:
        text: The words of the model.
        chapter: Which was to be planned.
        cast: Names of those who were in the film before.
        places: Names of its places.

    Raises:
        NoReply: it is of another form, or disagrees with itself or with what came before.
    """
    try:
        reply = Reply.model_validate_json(without_fence(text))
    except ValidationError as error:
        raise NoReply([_sentence(fault) for fault in error.errors(include_url=False)]) from error
    faults = list(_faults(reply, chapter, cast, places))
    if faults:
        raise NoReply(faults)
    return reply


def _sentence(fault: object) -> str:
    """A fault of pydantic as a sentence, with a few characters of what was found."""
    assert isinstance(fault, dict)
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "json_invalid":
        return f"one JSON object was wanted ({one_line(str(fault['msg']))})"
    return f"{where}: {one_line(str(fault['msg']))}, found {one_line(repr(fault['input'])[:60])}"


def _faults(reply: Reply, chapter: Chapter, cast: Set[str], places: Set[str]) -> Iterator[str]:
    """Whatever a schema cannot say."""
    count = len(reply.shots)
    if count != chapter.shots if chapter.exactly else not 1 <= count <= chapter.shots:
        wanted = f"exactly {chapter.shots}" if chapter.exactly else f"1 to {chapter.shots}"
        yield f"shots: {wanted} were wanted, found {count}"
    for what, names in (
        ("cast", [who.name for who in reply.cast]),
        ("places", [p.name for p in reply.places]),
    ):
        twice = [name for name, times in Counter(name.casefold() for name in names).items() if times > 1]
        if twice:
            yield f"{what}: {twice[0]!r} stands there twice"
    known = cast | {who.name for who in reply.cast}
    somewhere = places | {place.name for place in reply.places}
    if len(known) > MAX_CAST or len(somewhere) > MOST_PLACES:
        yield f"at most {MAX_CAST} of a cast and {MOST_PLACES} places were wanted for the whole film"
    yield from _tag_faults("logline", reply.logline, known)
    for number, shot in enumerate(reply.shots):
        if shot.place not in somewhere:
            yield f"shots.{number}.place: {shot.place[:60]!r} is not in places or so_far"
        yield from _tag_faults(f"shots.{number}.action", shot.action, known)
        yield from _tag_faults(f"shots.{number}.caption", shot.caption, known)
        if len(tags(shot.caption)) > MOST_IN_PICTURE:
            yield f"shots.{number}.caption: more than {MOST_IN_PICTURE} of the cast in one picture"


def _tag_faults(where: str, words: str, known: Set[str]) -> Iterator[str]:
    tagged = tags(words)
    for name in tagged:
        if name not in known:
            yield f"{where}: <{name}> is on no cast list"
    rest = words
    for name in tagged:
        rest = rest.replace(f"<{name}>", " ")
    if "<" in rest or ">" in rest:
        yield f"{where}: angle brackets that are no tag"
    for name in sorted(known - set(tagged)):
        if re.search(rf"\b{re.escape(name)}\b", rest):
            yield f"{where}: {name} is named without a tag; <{name}> was wanted"
