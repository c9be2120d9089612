"""Looks at frames of the theatre: what a frame shows against what its shot says, one 1 or 0 per look.

A figure that cannot be found counts as wrong, for its coat, its hat and its place.

Shapes:  frames uint8 (P, H, W, 3)   P pairs
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cinema_cli.theatre.read_frame import read_frame, same_layout
from cinema_cli.theatre.world import Figure, MovieShot

Frames = NDArray[np.uint8]
Looks = dict[str, list[float]]

SAME_PLACE = 0.82
"""``same_layout`` from which two frames show one place; two places come to about 0.45."""


@dataclass(frozen=True)
class Seen:
    """What was read of one frame, compared with its shot."""

    shot: MovieShot
    scenery: dict[str, bool]
    coats: tuple[bool, ...]
    hats: tuple[bool, ...]
    positions: tuple[bool, ...]


def see(shot: MovieShot, frame: Frames) -> Seen:
    """Read a frame, told how many figures there are, and compare."""
    staged = shot.staged
    reading = read_frame(frame, len(staged.figures))
    scenery = {
        "set": reading.set == staged.place.set,
        "time": reading.time == staged.time,
        "size": reading.size == staged.size,
    }
    found = [*reading.figures, *[None] * len(staged.figures)]
    pairs = list(zip(staged.figures, found, strict=False))
    return Seen(
        shot,
        scenery,
        tuple(seen is not None and seen.coat == figure.puppet.coat for figure, seen in pairs),
        tuple(seen is not None and seen.hat == figure.puppet.hat for figure, seen in pairs),
        tuple(seen is not None and seen.position == figure.position for figure, seen in pairs),
    )


def look_at_scenery(seen: Sequence[Seen], ending: str = "") -> Looks:
    """Set, time of day and shot size of every frame."""
    return {f"{fact}{ending}": [float(one.scenery[fact]) for one in seen] for fact in ("set", "time", "size")}


def look_at_puppets(seen: Sequence[Seen], ending: str, counts: Callable[[MovieShot, Figure], bool]) -> Looks:
    """Coat and hat of the figures that ``counts``."""
    looks: Looks = defaultdict(list)
    for one in seen:
        for figure, coat, hat in zip(one.shot.staged.figures, one.coats, one.hats, strict=True):
            if counts(one.shot, figure):
                looks[f"coat {ending}"].append(float(coat))
                looks[f"hat {ending}"].append(float(hat))
    return dict(looks)


def look_at_two(seen: Sequence[Seen], key: str) -> Looks:
    """Frames of two figures: both coats right, in the right places."""
    two = [one for one in seen if len(one.shot.staged.figures) == 2]
    return {key: [float(all(one.coats) and all(one.positions)) for one in two]}


def look_at_places(shots: Sequence[MovieShot], frames: Frames, ending: str = "", first: int = 0) -> Looks:
    """Whether a place returns as it was in the first frame that showed it so.

    Only frames with at most one figure are compared, and only those from ``first`` on are judged.
    The key tells how many other shots lie between: ``place 0``, ``place 1-3``, ``place 4-7``, ``place 8+``.
    """
    looks: Looks = defaultdict(list)
    shown: dict[object, int] = {}
    for i, shot in enumerate(shots):
        staged = shot.staged
        if len(staged.figures) > 1:
            continue
        earlier = shown.setdefault((staged.place, staged.time, staged.size), i)
        if earlier < i and i >= first:
            key = f"place {gap_class(i - earlier - 1)}{ending}"
            looks[key].append(float(same_layout(frames[earlier], frames[i]) >= SAME_PLACE))
    return dict(looks)


def gap_class(between: int) -> str:
    """Class of a number of shots between two others."""
    return next((name for most, name in ((0, "0"), (3, "1-3"), (7, "4-7")) if between <= most), "8+")


def is_described(shot: MovieShot, figure: Figure) -> bool:
    """The caption of the shot tells the figure's look."""
    return figure.puppet.name in shot.described


def is_named_only(shot: MovieShot, figure: Figure) -> bool:
    """The caption of the shot only names the figure."""
    return not is_described(shot, figure)


def told_by(shots: Sequence[MovieShot]) -> Collection[str]:
    """Names whose looks are told in these shots."""
    return {name for shot in shots for name in shot.described}


def psnr(shown: Frames, truth: Frames) -> list[float]:
    """Decibels of each picture; 99 for the same picture."""
    error = (shown.astype(np.float64) - truth).reshape(len(truth), -1)
    mean = np.maximum((error**2).mean(axis=1), 255**2 / 10**9.9)
    return [float(value) for value in 10 * np.log10(255**2 / mean)]


def add(looks: Looks, more: Looks) -> None:
    """Put more looks behind those that are there."""
    for key, values in more.items():
        looks.setdefault(key, []).extend(values)
