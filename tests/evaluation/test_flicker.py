import numpy as np
import pytest

from cinema_cli.evaluation.flicker import flicker


def clip(levels: list[int]) -> np.ndarray:
    return np.stack([np.full((8, 16, 3), level, np.uint8) for level in levels])


def test_a_flashing_clip_has_its_known_number() -> None:
    found = flicker(clip([100, 151, 100, 151]))
    assert found.steadiness == pytest.approx((255 - 51) / 255)
    assert (found.pairs, found.held) == (3, 0)


def test_the_mean_is_over_pairs_pixels_and_channels() -> None:
    frames = clip([100, 100, 100])
    frames[1, :, :8, 0] += 60  # half of the pixels, one channel of three: 10 on average
    frames[2] += 30
    # From frame 1 to 2 a sixth of the values falls by 30 and the rest rises by 30: 30 on average.
    wanted = ((255 - 10) / 255 + (255 - 30) / 255) / 2
    assert flicker(frames).steadiness == pytest.approx(wanted)


def test_held_frames_do_not_make_a_clip_calmer() -> None:
    moving, on_threes = clip([10, 40, 70]), clip([10, 10, 10, 40, 40, 40, 70, 70, 70])
    assert flicker(on_threes).steadiness == flicker(moving).steadiness == pytest.approx((255 - 30) / 255)
    assert (flicker(on_threes).pairs, flicker(on_threes).held) == (2, 6)


@pytest.mark.parametrize("levels", [[50, 50, 50], [50]])
def test_a_clip_that_stands_still_has_no_number(levels: list[int]) -> None:
    found = flicker(clip(levels))
    assert (found.steadiness, found.pairs, found.held) == (None, 0, len(levels) - 1)
