"""The shot list: what a planner hands on to the drawing of keyframes, whoever wrote it."""

from dataclasses import dataclass
from typing import Protocol

from cinema_cli.planning.before import Before
from cinema_cli.planning.person import Called
from cinema_cli.planning.told import DirectedBy, Told
from cinema_cli.storyboard import SpokenLine
from cinema_cli.theatre.world import Puppet, StagedShot


@dataclass(frozen=True)
class CastEntry:
    """Somebody new in the film: the name that captions tag, and the look in words."""

    name: str
    look: str
    puppet: Puppet | None
    """Who plays them in the theatre; none where the words are a director's own."""


@dataclass(frozen=True)
class PlannedShot:
    """One shot: where it plays, the words of the story that it shows, and how it is staged."""

    scene: str
    """Where and when in the story's own words: *the library at night*."""
    sentence: str
    staged: StagedShot | None
    """None where the words are a director's own."""
    described: tuple[str, ...]
    """Names whose look this caption tells: those who appear for the first time."""
    caption: str
    """What is seen, with ``<Name>`` tags: the staged shot in the theatre's plain words, or a director's."""
    lines: tuple[SpokenLine, ...] = ()
    """What is said in it."""


@dataclass(frozen=True)
class ShotList:
    """A story as shots."""

    title: str
    caption: str
    """One line about the whole: who is in it and where it plays."""
    cast: tuple[CastEntry, ...]
    shots: tuple[PlannedShot, ...]
    called: tuple[Called, ...]
    """How the story speaks of everybody whom its shots show."""
    notes: tuple[str, ...]
    """What was staged otherwise than the story says, a line each."""
    told: Told | None = None
    """What a director has to know to go on."""


class ShotWriter(Protocol):
    """Whoever turns a story into shots: the plain rule (``story``) or a director."""

    @property
    def by(self) -> DirectedBy | None:
        """Which director; none for the plain rule."""

    def write(self, text: str, shots: int | None, seed: int, before: Before) -> ShotList:
        """The shots of a story.

        Args:
            text: The story.
            shots: How many; the story decides when none.
            seed: Of the layouts of the theatre's places.
            before: The film that the story continues.

        Raises:
            InputError: the story cannot be used.
        """
