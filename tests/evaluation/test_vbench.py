"""VBench's formulas on vectors and flows whose scores can be worked out by hand."""

import numpy as np
import pytest

from cinema_cli.evaluation.vbench import (
    alignment,
    consistency,
    is_dynamic,
    long_consistency,
    mean_between,
    mean_pairwise,
    share_same,
    steadiness,
    to_first,
    top_magnitude,
)

EAST, NORTH, WEST = (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)
SLANTED = (3.0, 4.0)
"""Of length 5: its cosine with EAST is 0.6, with NORTH 0.8."""


def vectors(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float32)


# -- steadiness ----------------------------------------------------------------------------------


def test_frames_that_stay_score_one() -> None:
    assert steadiness(vectors(EAST, EAST, EAST)) == pytest.approx([1.0, 1.0])


def test_each_frame_is_compared_with_the_one_before_and_the_first() -> None:
    # SLANTED: before 0.6, first 0.6.  NORTH: before 0.8, first 0.0.
    assert steadiness(vectors(EAST, SLANTED, NORTH)) == pytest.approx([0.6, 0.4])


def test_a_cosine_below_zero_counts_as_zero() -> None:
    # WEST: before (NORTH) 0, first (EAST) -1, which counts as 0; unclipped this would be -0.5.
    assert steadiness(vectors(EAST, NORTH, WEST)) == pytest.approx([0.0, 0.0])
    # SLANTED after WEST: before -0.6, which counts as 0; first 0.6.
    assert steadiness(vectors(EAST, WEST, SLANTED))[1] == pytest.approx(0.3)


def test_lengths_do_not_matter() -> None:
    long = vectors(EAST, SLANTED, NORTH) * np.array([[7], [0.1], [3]], np.float32)
    assert steadiness(long) == pytest.approx([0.6, 0.4])


def test_a_long_clip_counts_for_more() -> None:
    steady, turning = steadiness(vectors(EAST, EAST, EAST, EAST)), steadiness(vectors(EAST, SLANTED))
    assert consistency([steady, turning]) == pytest.approx((1 + 1 + 1 + 0.6) / 4)
    assert consistency([turning, steadiness(vectors(EAST))]) == pytest.approx(0.6)
    assert consistency([steadiness(vectors(EAST))]) is None
    assert consistency([]) is None


def test_a_long_film_is_weighed_as_vbench_long_does() -> None:
    assert long_consistency(within=0.9, across=0.5, share=0.7) == pytest.approx(0.63 + 0.15)


# -- motion --------------------------------------------------------------------------------------


def test_the_fastest_twentieth_is_averaged() -> None:
    flow = np.zeros((10, 20, 2), np.float32)  # 200 pixels, of which 10 count
    flow[0, :5] = (3, 4)  # five of length 5
    assert top_magnitude(flow) == pytest.approx(2.5)
    flow[1, :20] = (0, -10)  # twenty of length 10: more than count
    assert top_magnitude(flow) == pytest.approx(10)
    assert top_magnitude(np.zeros((10, 20, 2), np.float32)) == 0


def test_the_share_is_rounded_down_as_in_vbench() -> None:
    flow = np.zeros((3, 13, 2), np.float32)  # 39 pixels: a twentieth is 1.95, so one counts
    flow[0, 0], flow[0, 1] = (8, 0), (2, 0)
    assert top_magnitude(flow) == pytest.approx(8)


@pytest.mark.parametrize(
    ("moving", "pairs", "expected"),
    [
        (4, 15, True),  # 16 frames: round(4) must move
        (3, 15, False),
        (2, 7, True),  # 8 frames: round(2)
        (1, 7, False),
        (2, 9, True),  # 10 frames: round(2.5) is 2
        (1, 3, True),  # 4 frames: round(1)
        (0, 3, False),
        (0, 1, False),  # 2 frames: round(0.5) is 0, yet one pair must move
        (1, 1, True),
        (0, 0, False),  # a single frame
    ],
)
def test_a_quarter_of_the_frames_must_move(moving: int, pairs: int, expected: bool) -> None:
    magnitudes = np.array([6.1] * moving + [5.9] * (pairs - moving))
    assert is_dynamic(magnitudes, short_side=256) is expected


def test_the_limit_goes_with_the_size_and_is_not_part_of_it() -> None:
    assert not is_dynamic(np.array([6.0] * 15), short_side=256)
    assert is_dynamic(np.array([3.1] * 15), short_side=128)
    assert not is_dynamic(np.array([6.1] * 15), short_side=512)


def test_at_a_lower_rate_more_is_wanted_of_a_pair() -> None:
    assert not is_dynamic(np.array([11.9] * 15), short_side=256, rate=4)
    assert is_dynamic(np.array([12.1] * 15), short_side=256, rate=4)
    assert is_dynamic(np.array([6.1] * 15), short_side=256, rate=24)


# -- identity and words --------------------------------------------------------------------------


def test_all_pairs_of_one_character() -> None:
    # EAST-SLANTED 0.6, EAST-NORTH 0, SLANTED-NORTH 0.8.
    assert mean_pairwise(vectors(EAST, SLANTED, NORTH)) == pytest.approx(1.4 / 3)
    assert mean_pairwise(vectors(EAST, WEST)) == pytest.approx(-1)
    assert mean_pairwise(vectors(EAST)) is None


def test_pairs_of_different_characters_only() -> None:
    # EAST-NORTH 0, EAST-SLANTED 0.6 and, with the third group, WEST-EAST -1, WEST-NORTH 0, WEST-SLANTED -0.6.
    groups = [vectors(EAST), vectors(NORTH, SLANTED)]
    assert mean_between(groups) == pytest.approx(0.3)
    assert mean_between([*groups, vectors(WEST)]) == pytest.approx((0 + 0.6 - 1 + 0 - 0.6) / 5)
    assert mean_between(groups[:1]) is None


def test_the_first_picture_decides_who_somebody_is() -> None:
    cosines = to_first(vectors(EAST, SLANTED, NORTH, EAST))
    assert cosines == pytest.approx([0.6, 0.0, 1.0])
    assert share_same(cosines) == pytest.approx(2 / 3)
    assert share_same(cosines, least=0.7) == pytest.approx(1 / 3)
    assert share_same(np.array([0.4])) == 1  # at least
    assert share_same(np.array([])) is None


def test_each_caption_is_compared_with_its_own_picture() -> None:
    found = alignment(vectors(EAST, NORTH, EAST), vectors(SLANTED, SLANTED, WEST))
    assert found == pytest.approx([0.6, 0.8, -1.0])
