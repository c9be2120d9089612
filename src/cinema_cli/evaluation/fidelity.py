"""Fidelity: how much of the keyframe is left in the first frame of its clip, as PSNR and SSIM.

A clip begins with its keyframe (paper, 3.3), so both are near their best where the video model keeps what
it is given.  SSIM is that of Wang, Bovik, Sheikh and Simoncelli (2004): on the brightness, in an 11 x 11
Gaussian window of 1.5 pixels, over windows that lie inside, with K1 = 0.01, K2 = 0.03.

Shapes:  H, W pixels; pictures are uint8 (H, W, 3), RGB
"""

from dataclasses import dataclass
from math import log10

import cv2
import numpy as np
from numpy.typing import NDArray

from cinema_cli.evaluation.films import Frame

WINDOW, SIGMA = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
MOST_PSNR = 100.0
"""In dB, for pictures that do not differ at all: their true value has no bound."""
SAME_SHAPE = 0.02
"""Share by which the aspect of two pictures may differ."""


@dataclass(frozen=True)
class Fidelity:
    """Of one picture to another."""

    psnr: float
    """In dB."""
    ssim: float
    """1 for identical pictures."""
    scaled: bool
    """Whether the larger picture was made as small as the other."""


def fidelity(keyframe: Frame, first: Frame) -> Fidelity | None:
    """PSNR and SSIM of two pictures, the larger scaled to the smaller.

    None where their shapes differ, or where the smaller one has no room for a window: nothing to compare.
    """
    aspects = [picture.shape[1] / picture.shape[0] for picture in (keyframe, first)]
    size = min(keyframe.shape[:2], first.shape[:2], key=lambda sides: sides[0] * sides[1])
    if abs(aspects[0] / aspects[1] - 1) > SAME_SHAPE or min(size) < WINDOW:
        return None
    one, other = (_scaled(picture, size) for picture in (keyframe, first))
    return Fidelity(psnr(one, other), ssim(one, other), keyframe.shape != first.shape)


def psnr(one: Frame, other: Frame) -> float:
    """Peak signal to noise in dB over all three channels, at most ``MOST_PSNR``."""
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return min(MOST_PSNR, 10 * log10(255**2 / error)) if error else MOST_PSNR


def ssim(one: Frame, other: Frame) -> float:
    """Mean structural similarity of the brightness; at most 1."""
    x, y = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64) for picture in (one, other))
    mean_x, mean_y = _blur(x), _blur(y)
    var_x, var_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    both = _blur(x * y) - mean_x * mean_y
    light = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    structure = (2 * both + C2) / (var_x + var_y + C2)
    return float(np.mean(light * structure))


def _blur(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian mean of every window that lies inside the picture."""
    edge = WINDOW // 2
    blurred = np.asarray(cv2.GaussianBlur(picture, (WINDOW, WINDOW), SIGMA), dtype=np.float64)
    return blurred[edge:-edge, edge:-edge]


def _scaled(picture: Frame, size: tuple[int, int]) -> Frame:
    if picture.shape[:2] == size:
        return picture
    return np.asarray(cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA), dtype=np.uint8)
