"""Dynamic degree: whether a clip moves, by the optical flow between its frames (VBench, dynamic_degree).

VBench looks at about 8 frames a second and takes RAFT's flow; here it is OpenCV's DIS (Kroeger and others,
2016), which needs no weights, on frames whose short side is at most 256.  The rule is VBench's own
(``vbench.is_dynamic``), the flow is not: DIS sees less in large flat areas, so the figures cannot be compared
with those of RAFT.

Shapes:  F frames   H, W pixels; a clip is uint8 (F, H, W, 3), RGB; flow is float32 (H, W, 2), right and down
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from cinema_cli.evaluation.films import Clip
from cinema_cli.evaluation.vbench import FLOW_RATE, is_dynamic, top_magnitude

SHORT_SIDE = 256
"""Flow is found in pictures no larger than that."""
LEAST_SIDE = 8
"""DIS compares patches of 8 x 8 pixels; a smaller picture has no flow."""


@dataclass(frozen=True)
class Motion:
    """Of one clip."""

    fastest: float
    """How far the fastest 5 % of the pixels go between two looked-at frames, on average: pixels of a picture
    whose short side is 256."""
    dynamic: bool
    """Whether VBench's rule calls the clip moving."""
    pairs: int
    rate: float
    """Frames a second that were looked at."""


def motion(clip: Clip, rate: float) -> Motion | None:
    """Flow through a clip of so many frames a second; none of a single frame, or of too small ones."""
    every = max(1, round(rate / FLOW_RATE))
    frames = [_small_grey(frame) for frame in clip[::every]]
    if len(frames) < 2 or min(frames[0].shape) < LEAST_SIDE:
        return None
    lengths = np.array([top_magnitude(flow(a, b)) for a, b in pairwise(frames)])
    short_side = min(frames[0].shape)
    return Motion(
        float(lengths.mean()) * SHORT_SIDE / short_side,
        is_dynamic(lengths, short_side, rate / every),
        len(lengths),
        rate / every,
    )


def flow(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Where each pixel of a grey picture (H, W) goes: float32 (H, W, 2), pixels to the right and down."""
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(finder.calc(one, other, np.zeros((*one.shape, 2), np.float32)), dtype=np.float32)


def _small_grey(frame: Clip) -> NDArray[np.uint8]:
    """One frame (H, W, 3) in grey, its short side at most 256."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    factor = SHORT_SIDE / min(grey.shape)
    if factor < 1:
        sides = [max(1, round(side * factor)) for side in grey.shape[::-1]]
        grey = cv2.resize(grey, sides, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, dtype=np.uint8)
