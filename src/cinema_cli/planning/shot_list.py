"""The shot list: what a planner hands on to the drawing of keyframes, whoever wrote it."""

from dataclasses import dataclass

from cinema_cli.planning.person import Called
from cinema_cli.theatre.world import Puppet, StagedShot


@dataclass(frozen=True)
class CastEntry:
    """Somebody new in the film: the name that captions tag, the look in words, and the puppet."""

    name: str
    look: str
    puppet: Puppet


@dataclass(frozen=True)
class PlannedShot:
    """One shot: where it plays, the words of the story that it shows, and how it is staged."""

    scene: str
    """Where and when in the story's own words: *the library at night*."""
    sentence: str
    staged: StagedShot
    described: tuple[str, ...]
    """Names whose look this caption tells: those who appear for the first time."""
    caption: str
    """The staged shot in the theatre's plain words, with ``<Name>`` tags."""


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
