"""Temporal flickering: how little each frame differs from the one before (VBench, temporal_flickering).

VBench takes (255 - mean absolute difference) / 255 between neighbours, and only on clips that should stand
still.  A clip of a film moves, so motion counts too: the number describes, and a lower one is not worse
unless the motion is the same.  A frame that only repeats the last one would raise it for nothing (a clip of
8 frames a second held on threes would seem three times as calm), so such pairs are left out and counted by
themselves.

Shapes:  F frames   H, W pixels; a clip is uint8 (F, H, W, 3), RGB
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from cinema_cli.evaluation.films import Clip
from cinema_cli.footage.shots import HELD


@dataclass(frozen=True)
class Flicker:
    """Of one clip."""

    steadiness: float | None
    """VBench's number over the pairs that differ, 0 to 1; none where no frame differs from the last."""
    pairs: int
    """Of neighbours that differ."""
    held: int
    """Pairs of which the second only repeats the first: they differ by less than ``HELD`` levels."""


def flicker(clip: Clip) -> Flicker:
    """Differences between the neighbours of a clip."""
    differences = np.array([_difference(one, other) for one, other in pairwise(clip)])
    moved = differences[differences >= HELD]
    steadiness = float(np.mean((255 - moved) / 255)) if len(moved) else None
    return Flicker(steadiness, len(moved), len(differences) - len(moved))


def _difference(one: Clip, other: Clip) -> float:
    """Mean absolute difference in levels, over all pixels and channels; both are (H, W, 3)."""
    return sum(cv2.mean(cv2.absdiff(one, other))[:3]) / 3
