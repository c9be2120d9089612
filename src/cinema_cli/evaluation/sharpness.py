"""Sharpness as the variance of the Laplacian (Pech-Pacheco and others, 2000), at one fixed size.

It counts edges, so it tells an empty picture from a busy one as much as a blurred one from a sharp one: it
compares films of the same kind.  A picture that is smaller than the fixed size is enlarged and loses by it.

Shapes:  H, W pixels; a picture is uint8 (H, W, 3), RGB
"""

import cv2
import numpy as np

from cinema_cli.evaluation.films import Frame

SHORT_SIDE = 256
"""Pixels of the short side at which every picture is looked at."""


def sharpness(picture: Frame) -> float:
    """Variance of the four-neighbour Laplacian of the brightness, in levels squared."""
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    factor = SHORT_SIDE / min(grey.shape)
    if factor != 1:
        sides = [round(side * factor) for side in grey.shape[::-1]]
        grey = np.asarray(
            cv2.resize(grey, sides, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR),
            dtype=np.uint8,
        )
    return float(np.asarray(cv2.Laplacian(grey, cv2.CV_64F, ksize=1)).var())
