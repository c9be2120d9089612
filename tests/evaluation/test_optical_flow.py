import cv2
import numpy as np
import pytest

from cinema_cli.evaluation.optical_flow import flow, motion


def texture(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    rough = np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(rough, (0, 0), 2.0)
    return np.clip((soft - 127) * 4 + 127, 0, 255).astype(np.uint8)


def square_clip(frames: int, step: int, size: tuple[int, int] = (128, 256)) -> np.ndarray:
    """A textured square of 48 pixels, seven in a hundred of the picture, moving right over a still ground."""
    ground, square = texture(size, 1), texture((48, 48), 2)
    clip = np.stack([ground] * frames)
    for number, frame in enumerate(clip):
        frame[40:88, 20 + step * number : 68 + step * number] = square
    return clip


def test_flow_points_right_and_down() -> None:
    grey = texture((64, 128))[..., 0]
    moved = np.roll(grey, (2, 3), axis=(0, 1))  # 2 down, 3 to the right
    assert np.median(flow(grey, moved), axis=(0, 1)) == pytest.approx([3, 2], abs=0.1)


@pytest.mark.parametrize(("step", "dynamic"), [(1, False), (2, False), (5, True)])
def test_a_square_of_known_speed(step: int, dynamic: bool) -> None:
    found = motion(square_clip(9, step), rate=8)
    assert found is not None
    assert found.fastest == pytest.approx(2 * step, rel=0.1)  # as in a picture twice as high
    assert found.dynamic is dynamic
    assert found.pairs == 8


def test_a_clip_that_stands_still_does_not_move() -> None:
    found = motion(square_clip(9, 0), rate=8)
    assert found is not None
    assert found.fastest == pytest.approx(0, abs=0.05)
    assert not found.dynamic


def test_about_eight_frames_a_second_are_looked_at() -> None:
    found = motion(square_clip(25, 1), rate=24)
    assert found is not None
    assert (found.pairs, found.rate) == (8, 8)
    assert found.fastest == pytest.approx(6, rel=0.1)  # 3 pixels in an eighth of a second
    held = motion(np.repeat(square_clip(9, 5), 3, axis=0), rate=24)
    plain = motion(square_clip(9, 5), rate=8)
    assert held == plain  # frames held on threes are not looked at


def test_large_frames_are_looked_at_small() -> None:
    large = np.stack([cv2.resize(frame, (1024, 512)) for frame in square_clip(5, 5)])
    found, small = motion(large, rate=8), motion(square_clip(5, 5), rate=8)
    assert found is not None
    assert small is not None
    assert found.fastest == pytest.approx(small.fastest, rel=0.1)


def test_a_single_frame_or_a_tiny_one_has_no_motion() -> None:
    assert motion(square_clip(1, 0), rate=8) is None
    assert motion(square_clip(3, 0), rate=24) is None
    assert motion(np.zeros((4, 4, 8, 3), np.uint8), rate=8) is None
