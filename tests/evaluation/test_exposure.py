import numpy as np
import pytest

from cinema_cli.evaluation.exposure import empty_frames, exposure, shows_nothing


def half(left: int, right: int) -> np.ndarray:
    picture = np.full((10, 20, 3), left, np.uint8)
    picture[:, 10:] = right
    return picture


def test_brightness_and_clipping_of_known_pictures() -> None:
    found = exposure(half(0, 255))
    assert (found.brightness, found.black, found.white) == (0.5, 0.5, 0.5)
    found = exposure(half(51, 102))
    assert found.brightness == pytest.approx(0.3)
    assert (found.black, found.white) == (0, 0)


def test_two_levels_are_left_to_compression() -> None:
    found = exposure(half(2, 253))
    assert (found.black, found.white) == (0.5, 0.5)
    found = exposure(half(3, 252))
    assert (found.black, found.white) == (0, 0)


def test_what_shows_nothing() -> None:
    assert shows_nothing(half(90, 92))  # one colour, as decoding leaves it
    assert not shows_nothing(half(90, 100))
    coloured = half(90, 90)
    coloured[:, 10:, 2] = 120  # 30 levels of blue are 3 of brightness
    assert not shows_nothing(coloured)
    dark = half(0, 12)
    assert shows_nothing(dark)
    dark[:, :2] = 200  # a tenth of it is bright
    assert not shows_nothing(dark)


def test_empty_frames_of_a_clip_are_counted() -> None:
    clip = np.stack([half(90, 150), half(0, 0), half(90, 150), half(255, 255)])
    assert empty_frames(clip) == 2
