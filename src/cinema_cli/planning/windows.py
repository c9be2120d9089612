"""Which shots are drawn together: a whole film jointly, or new ones beside memory (appendix F).

A film whose pictures are all to be drawn, and that is no longer than what the model was trained on, is drawn
jointly.  A longer one is extended, frame by frame or a few at a time, each beside earlier ones that it
remembers.  Shots that are drawn again remember the others, earlier and later ones alike.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from cinema_cli.config import Config
from cinema_cli.storyboard import Shot, Storyboard

Mode = Literal["joint", "extend"]


class WindowConfig(Config):
    """How a film is cut into drawings."""

    mode: Mode | None = None
    """``joint``: all shots together; ``extend``: a few at a time, beside memory.  Absent: joint for a new
    film of at most ``window`` shots whose memory nobody steers and to which nobody came from another film
    with a portrait, else extend."""
    window: Annotated[int, Field(ge=1)] = 32
    """Frames that the model draws jointly: as many as it was trained on (3.2: 32)."""
    at_once: Annotated[int, Field(ge=1)] = 1
    """New frames drawn together where a film is extended."""


@dataclass(frozen=True)
class Window:
    """Shots drawn together, by id, in the order of the film."""

    drawn: tuple[str, ...]
    remembers: bool
    """Whether they are drawn beside memory, if there are pictures to remember."""


def plan_windows(board: Storyboard, stale: Set[str], config: WindowConfig) -> list[Window]:
    """Windows that draw all stale shots, in the order in which they are to be drawn."""
    pending = [shot for shot in board.shots if shot.id in stale]
    if not pending:
        return []
    if len(pending) == len(board.shots) and _mode(board, config) == "joint":
        return [Window(tuple(shot.id for shot in pending), remembers=False)]
    return [
        Window(tuple(shot.id for shot in part), remembers=True)
        for part in _parts(board, pending, config.at_once)
    ]


def _mode(board: Storyboard, config: WindowConfig) -> Mode:
    if config.mode is not None:
        return config.mode
    # Drawn jointly, every shot would see every other, whatever is pinned or forbidden, and no portrait.
    steered = any(shot.pin or shot.forbid or board.portrayed(shot) for shot in board.shots)
    return "joint" if len(board.shots) <= config.window and not steered else "extend"


def _parts(board: Storyboard, shots: list[Shot], at_once: int) -> Iterator[list[Shot]]:
    """A few shots at a time with the same portraits; one whose memory a person steers is drawn by itself."""
    part: list[Shot] = []
    for shot in shots:
        alone = bool(shot.pin or shot.forbid)
        alone = alone or bool(part and board.portrayed(shot) != board.portrayed(part[-1]))
        if part and (alone or len(part) == at_once or part[-1].pin or part[-1].forbid):
            yield part
            part = []
        part.append(shot)
    yield part
