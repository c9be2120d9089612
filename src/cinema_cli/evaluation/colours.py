"""Colour consistency: whether keyframes of one place or one character share more colours than others do.

Every keyframe is a histogram over CIELAB (8 levels of lightness, 16 of each colour axis); two are alike by
the Bhattacharyya coefficient, 1 for the same shares of the same colours, 0 for none in common.  The mean
over pairs of the same name is held against the mean over pairs of different names: near equal means say
that the name left no trace in the colours.  That is all it can say: two places may truly look alike, a
close-up shows little of its place, an hour of day changes every colour, and a coat is a small part of a
picture.

For the dot product of square roots the mean over all pairs follows from sums alone, so that a film of any
length costs no more than its keyframes.

Shapes:  K keyframes   D = 2048 cells of a histogram
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cinema_cli.evaluation.films import Frame

CELLS = (8, 16, 16)
"""Of L*, a* and b*."""

Palette = NDArray[np.float32]
"""(D,), unit length: the square root of a histogram of shares."""


@dataclass(frozen=True)
class Likeness:
    """How alike pairs of keyframes are, 0 to 1; none where there is no such pair."""

    within: float | None
    """Of the same name."""
    within_pairs: int
    between: float | None
    """Of different names."""
    between_pairs: int

    @property
    def difference(self) -> float | None:
        """By how much pairs of the same name are more alike."""
        if self.within is None or self.between is None:
            return None
        return self.within - self.between


def palette(keyframe: Frame) -> Palette:
    """The colours of a keyframe."""
    lab = np.asarray(cv2.cvtColor(keyframe, cv2.COLOR_RGB2LAB), dtype=np.uint8)
    counts = np.asarray(cv2.calcHist([lab], [0, 1, 2], None, CELLS, [0, 256] * 3), dtype=np.float64)
    unit: Palette = np.sqrt(counts.ravel() / counts.sum()).astype(np.float32)
    return unit


def likeness(
    palettes: Sequence[Palette], names: Sequence[Hashable], apart: Sequence[Hashable] | None = None
) -> Likeness:
    """Mean likeness of pairs of the same name, and of different ones.

    Args:
        palettes: (K,) of keyframes.
        names: What each is of: its place or its character.
        apart: Pairs that share this too are left out of both means: with places here and characters as names,
            a shared place is not taken for a shared coat.
    """
    same = _pairs(palettes, names)
    every = _pairs(palettes, [None] * len(names))
    if apart is not None:
        both = _pairs(palettes, list(zip(names, apart, strict=True)))
        every, same = every.minus(_pairs(palettes, apart)), same.minus(both)
    other = every.minus(same)
    return Likeness(same.mean, same.count, other.mean, other.count)


@dataclass(frozen=True)
class _Pairs:
    """Some pairs of keyframes: how many, and the sum of their likeness."""

    count: int
    sum: float

    @property
    def mean(self) -> float | None:
        return min(1.0, max(0.0, self.sum / self.count)) if self.count else None

    def minus(self, fewer: "_Pairs") -> "_Pairs":
        """Without pairs that are among these."""
        return _Pairs(self.count - fewer.count, self.sum - fewer.sum)


def _pairs(palettes: Sequence[Palette], names: Sequence[Hashable]) -> _Pairs:
    """All pairs of the same name: |sum v|^2 = n + 2 (sum over pairs), for vectors of unit length."""
    totals: dict[Hashable, NDArray[np.float64]] = {}
    counts: dict[Hashable, int] = defaultdict(int)
    lengths: dict[Hashable, float] = defaultdict(float)
    for name, one in zip(names, palettes, strict=True):
        wide = one.astype(np.float64)
        totals[name] = totals[name] + wide if name in totals else wide
        counts[name] += 1
        lengths[name] += float(wide @ wide)
    doubled = sum(float(total @ total) - lengths[name] for name, total in totals.items())
    return _Pairs(sum(n * (n - 1) // 2 for n in counts.values()), doubled / 2)
