"""What the folder of a film remembers of its making: the story in ``plan.json``, what continues it beside.

A storyboard is edited by hand, so it is not asked where its shots came from; these two files know.  They are
how the same command on the same text finds that there is nothing to do.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from cinema_cli.config import Config, build
from cinema_cli.fields import Seconds, Sha256, ShotId, Side
from cinema_cli.files import read_json, write_atomic
from cinema_cli.planning.guests import Guest
from cinema_cli.planning.person import Called
from cinema_cli.planning.story import MOST_ASKED
from cinema_cli.planning.told import DirectedBy, Told
from cinema_cli.runtime import MAX_SEED

PLAN_NAME = "plan.json"
CONTINUED_NAME = "continued.json"
MAX_RECORD_BYTES = 1 << 22

Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
Asked = Annotated[int, Field(ge=1, le=MOST_ASKED)]


class PlanRecord(Config):
    """What a storyboard was planned from, in ``plan.json``."""

    format: Literal["cinema-plan"] = "cinema-plan"
    """Says what the file is."""
    story_sha256: Sha256
    """Of the story's text."""
    shots: Asked | None
    """How many were asked for."""
    seed: Seed
    """Of the whole film."""
    frame_size: tuple[Side, Side]
    """Height and width in pixels."""
    shot_seconds: Seconds
    """How long a shot lasts."""
    guests: tuple[Guest, ...] = ()
    """Those of other films whom the story names, as they look there."""
    called: tuple[Called, ...] = ()
    """How the story speaks of its cast."""
    notes: tuple[str, ...] = ()
    """What was staged otherwise than the story says."""
    director: DirectedBy | None = None
    """Who wrote the shots; none where the plain rule did."""
    told: Told | None = None
    """What the director has to know to go on."""

    @classmethod
    def load(cls, folder: Path) -> "PlanRecord | None":
        """The record of a folder, if it has one."""
        path = folder / PLAN_NAME
        return build(cls, read_json(path, MAX_RECORD_BYTES), str(path)) if path.exists() else None

    def save(self, folder: Path) -> None:
        """Write it."""
        write_atomic(folder / PLAN_NAME, self.model_dump_json(indent=2) + "\n")

    def same_wish(self, other: "PlanRecord") -> bool:
        """Whether both were planned from the same story in the same way, by the same director."""
        found = {"called": (), "notes": (), "director": None, "told": None}
        same = self.model_copy(update=found) == other.model_copy(update=found)
        if self.director is None or other.director is None:
            return same and self.director is other.director
        return same and self.director.same(other.director)


class Continuation(Config):
    """One text that continues the film, and the shots that it became."""

    text_sha256: Sha256
    """Of the text."""
    shots: tuple[ShotId, ...]
    """The shots, in order; some may have been removed since."""
    called: tuple[Called, ...] = ()
    """How the text speaks of those whom it shows."""
    director: DirectedBy | None = None
    """Who wrote the shots; none where the plain rule did."""
    told: Told | None = None
    """What the director has to know to go on."""


class ContinuedRecord(Config):
    """What continues the film of a folder, in ``continued.json``."""

    format: Literal["cinema-continued"] = "cinema-continued"
    """Says what the file is."""
    texts: tuple[Continuation, ...] = ()
    """Oldest first."""

    @classmethod
    def load(cls, folder: Path) -> "ContinuedRecord":
        """The record of a folder; empty where nothing continues the film."""
        path = folder / CONTINUED_NAME
        return build(cls, read_json(path, MAX_RECORD_BYTES), str(path)) if path.exists() else cls()

    def save(self, folder: Path) -> None:
        """Write it."""
        write_atomic(folder / CONTINUED_NAME, self.model_dump_json(indent=2) + "\n")

    @property
    def told(self) -> Told | None:
        """What the last director who continued the film told of it."""
        return next((each.told for each in reversed(self.texts) if each.told is not None), None)

    @property
    def ids(self) -> frozenset[str]:
        """All shots that continue the film, removed ones included."""
        return frozenset(id for each in self.texts for id in each.shots)

    def of(self, text_sha256: str, present: Iterable[str]) -> tuple[str, ...]:
        """Those of the ``present`` shots that a text became; none when it does not continue the film."""
        shots = {id for each in self.texts if each.text_sha256 == text_sha256 for id in each.shots}
        return tuple(id for id in present if id in shots)
