import cv2
import numpy as np
import pytest

from cinema_cli.evaluation.sharpness import sharpness


def stripes(level: int = 100) -> np.ndarray:
    """Upright stripes, four pixels wide, in a picture of the size that is looked at."""
    row = np.where(np.arange(512) // 4 % 2, level, 0).astype(np.uint8)
    return np.broadcast_to(row[None, :, None], (256, 512, 3)).copy()


def test_the_variance_of_stripes_by_hand() -> None:
    # Across a stripe the Laplacian is +-level at its two edge pixels and 0 between; the picture's own edge is
    # mirrored about its outermost pixel, so the first and the last column have none.
    columns = np.tile([-100, 0, 0, -100, 100, 0, 0, 100], 64)[:512] * np.array(-1)
    columns[0] = columns[-1] = 0
    assert sharpness(stripes()) == pytest.approx(columns.astype(float).var())


def test_blur_takes_it_away() -> None:
    blurred = cv2.GaussianBlur(stripes(), (0, 0), 2.0)
    assert sharpness(blurred) < sharpness(stripes()) / 10
    assert sharpness(np.full((256, 512, 3), 90, np.uint8)) == 0


@pytest.mark.parametrize(("size", "spread"), [((256, 512), 20.0), ((512, 1024), 10.0)])
def test_noise_has_twenty_times_its_variance(size: tuple[int, int], spread: float) -> None:
    # 4^2 + 4 x 1^2 = 20; made half as large, four pixels of noise become their mean.
    rough = np.random.default_rng(0).normal(128, 20, size)
    noise = np.clip(np.rint(rough), 0, 255).astype(np.uint8)
    assert sharpness(np.stack([noise] * 3, axis=2)) == pytest.approx(20 * spread**2, rel=0.03)


def test_every_picture_is_looked_at_at_one_size() -> None:
    large = np.repeat(np.repeat(stripes(), 2, axis=0), 2, axis=1)
    assert sharpness(large) == pytest.approx(sharpness(stripes()))
    small = stripes()[::2, ::2]
    assert 0 < sharpness(small) < sharpness(stripes())
