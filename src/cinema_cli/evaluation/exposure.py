"""Exposure: how bright pictures are, how much of them is clipped, and which show nothing.

Shapes:  F frames   H, W pixels; a picture is uint8 (H, W, 3), RGB
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cinema_cli.evaluation.films import Clip, Frame
from cinema_cli.footage.quality import QualityConfig
from cinema_cli.models.pictures import FLAT, is_flat

CLIPPED = 2
"""Levels from black and from white within which a pixel is clipped; compression alone moves so many."""
BLACK = QualityConfig().black
"""Brightness below which 95 of 100 pixels lie in a near-black picture, as ``cinema ingest`` has it."""


@dataclass(frozen=True)
class Exposure:
    """Of one picture."""

    brightness: float
    """Mean, 0 black to 1 white."""
    black: float
    """Share of pixels that are clipped to black."""
    white: float
    """Share of pixels that are clipped to white."""
    empty: bool
    """Whether it shows nothing: one colour all over, or near-black."""


def exposure(picture: Frame) -> Exposure:
    """Of the brightness (BT.601) of a picture."""
    grey = _grey(picture)
    return Exposure(
        float(grey.mean()) / 255,
        float((grey <= CLIPPED).mean()),
        float((grey >= 255 - CLIPPED).mean()),
        _shows_nothing(picture, grey),
    )


def shows_nothing(picture: Frame) -> bool:
    """Whether a picture is one colour all over, or near-black."""
    return _shows_nothing(picture, _grey(picture))


def _shows_nothing(picture: Frame, grey: NDArray[np.uint8]) -> bool:
    # Where no channel spans more than FLAT levels the brightness does not, but for rounding: a quick look.
    spread = int(grey.max()) - int(grey.min())
    return (spread <= FLAT + 1 and is_flat(picture)) or float((grey < BLACK).mean()) >= 0.95


def _grey(picture: Frame) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def empty_frames(clip: Clip) -> int:
    """How many frames of a clip (F, H, W, 3) show nothing."""
    return sum(map(shows_nothing, clip))
