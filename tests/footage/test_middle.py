from fractions import Fraction

import numpy as np
import pytest

from cinema_cli.errors import CinemaError
from cinema_cli.ffmpeg.watching import Planes
from cinema_cli.footage.middle import ROOM, Candidate, Middle, blend

LATE = Fraction(8, 5)


def planes(value: int = 0) -> Planes:
    return np.full((12, 8), value, dtype=np.uint8)


def offered(middle: Middle, first: int, last: int, per_second: int = 8) -> int:
    """Offer so many candidates; the most that waited at once."""
    most = 0
    for number in range(first, last):
        middle.offer(Candidate(Fraction(number, per_second), planes()))
        most = max(most, len(middle._waiting))
    return most


@pytest.mark.parametrize("length", [1, 2, 5, 16, 60, 110])
def test_a_short_shot_gives_its_very_middle(length: int) -> None:
    middle = Middle(LATE)
    offered(middle, 0, length)
    chosen = middle.take(Fraction(0), Fraction(length, 8))
    assert abs(chosen.time - Fraction(length, 16)) <= Fraction(1, 16)


@pytest.mark.parametrize("length", [500, 3_000, 9_000])
def test_a_long_shot_gives_nearly_its_middle_and_memory_stays(length: int) -> None:
    middle = Middle(LATE)
    assert offered(middle, 0, length) <= ROOM + 1
    seconds = Fraction(length, 8)
    assert abs(middle.take(Fraction(0), seconds).time - seconds / 2) <= seconds / 64


def test_a_cut_that_is_told_late_does_not_lose_the_middle_nor_the_next_shot() -> None:
    middle = Middle(LATE)
    offered(middle, 0, 93)  # the cut was at 10 s, and is told at 11.6 s
    assert middle.take(Fraction(0), Fraction(10)).time == 5
    offered(middle, 93, 8 * 15)
    assert middle.take(Fraction(10), Fraction(14)).time == 12


def test_a_shot_without_a_candidate_is_a_fault() -> None:
    middle = Middle(LATE)
    offered(middle, 0, 8)
    with pytest.raises(CinemaError, match="no frame was kept"):
        middle.take(Fraction(2), Fraction(3))


def boxes(*corners: tuple[int, int]) -> np.ndarray:
    picture = np.full((48, 96), 60, dtype=np.float32)
    for top, left in corners:
        picture[top : top + 14, left : left + 20] = 220
    return picture


def test_a_frame_within_a_dissolve_is_the_mean_of_its_neighbours() -> None:
    before, after = boxes((4, 6), (30, 40)), boxes((20, 60), (2, 70))
    assert blend(before, (before + after) / 2, after) == pytest.approx(1)
    # At a quarter of the dissolve the frame before is still the old picture.
    assert blend(before, 0.75 * before + 0.25 * after, 0.5 * before + 0.5 * after) == pytest.approx(1)


def test_movement_a_cut_and_a_fade_are_no_double_exposure() -> None:
    assert blend(boxes((10, 0)), boxes((10, 22)), boxes((10, 44))) < 0.2  # a box that walks
    assert blend(boxes((10, 10)), boxes((10, 18)), boxes((10, 26))) < 0.6  # slowly
    before, after = boxes((4, 6)), boxes((20, 60))
    assert blend(before, before, after) == pytest.approx(0)  # a cut
    assert blend(before, before * 0.75, before * 0.5) == 0  # a fade
    assert blend(before, before + 1, before + 2) == 0  # nothing much


def test_candidates_learn_it_from_their_neighbours() -> None:
    middle = Middle(LATE)
    rng = np.random.default_rng(1)
    a, b = (np.kron(rng.integers(0, 255, (6, 8)), np.ones((16, 24))) for _ in range(2))
    for number in range(17):  # still, then a dissolve of a second, then still
        share = min(1.0, max(0.0, (number - 4) / 8))
        luma = np.rint((1 - share) * a + share * b).astype(np.uint8)
        middle.offer(Candidate(Fraction(number, 8), np.concatenate([luma, luma[:48]])))
    blends = {8 * candidate.time: candidate.blend for candidate in middle._waiting}
    assert blends[1] is None  # nothing a quarter of a second before it
    assert blends[16] is None  # nothing came after it
    assert blends[2] == 0
    assert min(blends[number] or 0.0 for number in range(6, 11)) > 0.95
