"""Retrieval: which shots a new one remembers, and why (paper, 3.2 "Semantic-Oriented Context", appendix D).

All frames that fit the budget of GoldenMem cost the same, whichever they are: the highest-scoring subset that
fits is the best ``capacity`` of them.  Shots that a person pinned come first and are never dropped; forbidden
ones never come.  Then the shots that introduced somebody, as far as they fit: a name means nothing beside
pictures whose captions do not tell whom it belongs to.  Then, one by one, the best of those that are left: of
several nearly tied ones the nearest, and none that shows nearly the same as one that was chosen already.

Scores and vectors are made elsewhere (``models/clip.py``, ``models/sentences.py``): here is arithmetic only.

Shapes:  n candidates   M remembered shots   D width of the vectors
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cinema_cli.config import Config
from cinema_cli.errors import InputError


class RetrievalConfig(Config):
    """How shots are chosen for the memory of a new one."""

    kind: Literal["clip", "t5", "recency"] = "clip"
    """What the score compares: the new caption with pictures (CLIP, the paper's), with earlier captions (T5),
    or how long ago a shot was."""
    tie: Annotated[float, Field(ge=0)] = 0.01
    """Scores that differ by no more than this are nearly tied: the nearer shot is taken (appendix D)."""
    duplicate: Annotated[float, Field(ge=-1, le=1)] = 0.9
    """Pictures whose vectors have a larger cosine show nearly the same: only the first chosen stays; with 1
    all do.  What is near depends on the model whose vectors they are."""


@dataclass(frozen=True)
class Candidates:
    """Shots that could be remembered; in any order."""

    shots: Sequence[str]
    """Their ids (n)."""
    places: Sequence[int]
    """Where each stands in the film (n)."""
    scores: Sequence[float]
    """How well each fits the new shot's caption (n)."""
    pictures: NDArray[np.floating]
    """Vectors of their keyframes, of unit length (n, D)."""


Why = Literal["pin", "introduced", "score"]
"""What speaks for a shot: a person, that it told a look which is wanted now, or how well it fits."""


@dataclass(frozen=True)
class Chosen:
    """A shot that is remembered."""

    shot: str
    score: float
    why: Why


@dataclass(frozen=True)
class Memory:
    """What is remembered, and what is not."""

    chosen: tuple[Chosen, ...]
    """By age, newest first, as GoldenMem shrinks them (M)."""
    twins: Mapping[str, str]
    """Shots left out because they show nearly the same as one that is remembered, and which that is."""


def recency_scores(places: Sequence[int], target: int) -> list[float]:
    """The baseline: one for a neighbour, less for every shot that lies between."""
    return [1 / abs(target - place) for place in places]


def retrieve(
    candidates: Candidates,
    target: int,
    capacity: int,
    config: RetrievalConfig,
    pin: Sequence[str] = (),
    forbid: Set[str] = frozenset(),
    introduced: Sequence[str] = (),
) -> Memory:
    """The shots to remember for the one that stands at ``target`` in the film.

    Args:
        candidates: Shots that have a keyframe; earlier ones, or for a redrawn shot all others.
        target: Place of the new shot.
        capacity: How many fit (``GoldenMem.capacity``).
        config: The rules.
        pin: Ids that must be remembered.
        forbid: Ids that must not.
        introduced: Ids of shots that introduced somebody who is named, the most wanted first.

    Raises:
        InputError: more are pinned than fit, or one that is no candidate.
    """
    index = {shot: i for i, shot in enumerate(candidates.shots)}
    _check_pins(pin, index, capacity)
    taken = [index[shot] for shot in pin]
    left = {i for i, shot in enumerate(candidates.shots) if shot not in forbid} - set(taken)
    first = [index[shot] for shot in dict.fromkeys(introduced) if index.get(shot) in left]
    taken += first[: capacity - len(pin)]
    left -= set(taken)
    twins: dict[int, int] = {}
    for i in taken:
        _set_twins_aside(i, left, twins, candidates, config)
    while left and len(taken) < capacity:
        best = _best(left, candidates, target, config.tie)
        taken.append(best)
        left.remove(best)
        _set_twins_aside(best, left, twins, candidates, config)
    taken.sort(key=lambda i: _nearness(candidates.places[i], target))
    names = candidates.shots
    why: dict[int, Why] = {**dict.fromkeys(first, "introduced"), **{index[shot]: "pin" for shot in pin}}
    return Memory(
        tuple(Chosen(names[i], candidates.scores[i], why.get(i, "score")) for i in taken),
        {names[i]: names[twin] for i, twin in twins.items()},
    )


def _best(left: Set[int], candidates: Candidates, target: int, tie: float) -> int:
    """The nearest of those within ``tie`` of the best score that is left.

    Asked anew each time: "nearly tied" goes from one to the next without end, so nothing can be sorted by it.
    """
    most = max(candidates.scores[i] for i in left)
    tied = (i for i in left if candidates.scores[i] >= most - tie)
    return min(tied, key=lambda i: _nearness(candidates.places[i], target))


def _nearness(place: int, target: int) -> tuple[int, bool]:
    """Nearest first, which of earlier shots is newest first; of two equally near the earlier one."""
    return abs(place - target), place > target


def _set_twins_aside(
    chosen: int, left: set[int], twins: dict[int, int], candidates: Candidates, config: RetrievalConfig
) -> None:
    """Take out of ``left`` what shows nearly the same as the chosen one."""
    rows = sorted(left)
    cosines = candidates.pictures[rows] @ candidates.pictures[chosen]
    same = [
        i
        for i, cosine in zip(rows, cosines, strict=True)
        if config.duplicate < 1 and cosine > config.duplicate
    ]
    twins.update(dict.fromkeys(same, chosen))
    left.difference_update(same)


def _check_pins(pin: Sequence[str], known: Mapping[str, int], capacity: int) -> None:
    for shot in pin:
        if shot not in known:
            raise InputError(
                f"pin: a shot with a keyframe was wanted, found {shot}, which has none. Draw it first."
            )
    if len(pin) > capacity:
        raise InputError(
            f"pin: at most {capacity} shots fit the memory, found {len(pin)}; {pin[capacity]} is the first "
            "that does not. Unpin one, or raise memory.frames, memory.groups or memory.tokens."
        )
