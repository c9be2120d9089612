import math

import cv2
import numpy as np
import pytest

from cinema_cli.evaluation.fidelity import MOST_PSNR, fidelity, psnr, ssim

C1, C2 = 6.5025, 58.5225  # (0.01 x 255)^2 and (0.03 x 255)^2


def plain(level: int, size: tuple[int, int] = (16, 32)) -> np.ndarray:
    return np.full((*size, 3), level, np.uint8)


def noise(seed: int, size: tuple[int, int] = (24, 48)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def slow_ssim(one: np.ndarray, other: np.ndarray) -> float:
    """The formula of 2004, window by window, with the Gaussian written out."""
    x, y = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float) for picture in (one, other))
    steps = np.arange(11) - 5
    bell = np.exp(-(steps**2) / (2 * 1.5**2))
    weights = np.outer(bell, bell) / bell.sum() ** 2
    values = []
    for top in range(x.shape[0] - 10):
        for left in range(x.shape[1] - 10):
            a, b = x[top : top + 11, left : left + 11], y[top : top + 11, left : left + 11]
            mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
            var_a, var_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
            both = (weights * (a - mean_a) * (b - mean_b)).sum()
            values.append(
                (2 * mean_a * mean_b + C1)
                * (2 * both + C2)
                / ((mean_a**2 + mean_b**2 + C1) * (var_a + var_b + C2))
            )
    return float(np.mean(values))


def test_psnr_of_a_known_difference() -> None:
    assert psnr(plain(100), plain(105)) == pytest.approx(20 * math.log10(255 / 5))
    one_channel = plain(100)
    one_channel[..., 0] += 5
    assert psnr(plain(100), one_channel) == pytest.approx(20 * math.log10(255 / 5) + 10 * math.log10(3))


def test_identical_pictures_are_at_the_top() -> None:
    assert psnr(noise(1), noise(1)) == MOST_PSNR
    assert ssim(noise(1), noise(1)) == pytest.approx(1)


def test_ssim_of_plain_pictures_by_hand() -> None:
    # No variance: only the term of brightness is left, (2 ab + C1) / (a^2 + b^2 + C1).
    assert ssim(plain(100), plain(50)) == pytest.approx((2 * 100 * 50 + C1) / (100**2 + 50**2 + C1))


def test_ssim_is_that_of_wang() -> None:
    blurred = cv2.GaussianBlur(noise(2), (0, 0), 1.0)
    for other in (noise(3), blurred, 255 - noise(2)):
        assert ssim(noise(2), other) == pytest.approx(slow_ssim(noise(2), other), abs=1e-6)
    assert ssim(noise(2), 255 - noise(2)) < 0 < ssim(noise(2), blurred) < 1


def test_the_larger_picture_is_made_as_small_as_the_other() -> None:
    small = cv2.GaussianBlur(noise(4), (0, 0), 2.0)
    large = np.repeat(np.repeat(small, 2, axis=0), 2, axis=1)
    for pair in ((small, large), (large, small)):
        found = fidelity(*pair)
        assert found is not None
        assert found.scaled
        assert (found.psnr, found.ssim) == (MOST_PSNR, pytest.approx(1))
    same = fidelity(small, small)
    assert same is not None
    assert not same.scaled


def test_other_shapes_and_tiny_pictures_are_not_compared() -> None:
    assert fidelity(noise(1, (24, 48)), noise(1, (24, 40))) is None
    assert fidelity(noise(1, (24, 48)), noise(1, (10, 20))) is None
