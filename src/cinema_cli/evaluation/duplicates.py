"""Diversity: which keyframes show the same as an earlier one (appendix H: "no ... near-duplicate frames").

The measure is the one with which ``cinema ingest`` finds near-duplicates (``footage.quality``): the mean
difference between thumbnails of 32 x 16 pixels, and its limit.  How far keyframes are from the one nearest
to them is told besides, since a rate of 0 says nothing about a film that is nearly all the same.

Shapes:  K keyframes   a keyframe is uint8 (H, W, 3), RGB   thumbnails float32 (K, 1536)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cinema_cli.evaluation.films import Frame
from cinema_cli.footage.quality import THUMB, QualityConfig

LIMIT = QualityConfig().near_duplicate
"""Mean difference below which two keyframes show the same, in levels of 255."""

Thumb = NDArray[np.float32]
"""(16 * 32 * 3,)"""


@dataclass(frozen=True)
class Neighbour:
    """What another keyframe has in common with one."""

    nearest: int
    """Place of the other keyframe that is most like it."""
    apart: float
    """Mean difference of the two thumbnails, in levels of 255."""
    repeats: int | None
    """Place of the first earlier keyframe that shows the same; none where it is the first to show it."""


def thumb(keyframe: Frame) -> Thumb:
    """A keyframe as it is compared."""
    small = cv2.resize(keyframe, THUMB[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32).ravel()


def neighbours(thumbs: Sequence[Thumb]) -> list[Neighbour]:
    """Of every keyframe, in order; nobody has any in a film of one.  One row of differences at a time."""
    if len(thumbs) < 2:
        return []
    every = np.stack(thumbs)
    found = []
    for place, one in enumerate(every):
        apart = np.abs(every - one).mean(axis=1)
        earlier = np.flatnonzero(apart[:place] < LIMIT)
        apart[place] = np.inf
        nearest = int(apart.argmin())
        found.append(Neighbour(nearest, float(apart[nearest]), int(earlier[0]) if len(earlier) else None))
    return found
