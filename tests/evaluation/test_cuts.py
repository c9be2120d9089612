from fractions import Fraction
from pathlib import Path

import pytest

import drawn_movies
from cinema_cli.evaluation.cuts import agreement, cut_agreement, storyboard_cuts
from cinema_cli.storyboard import Shot, Storyboard

FRAME = Fraction(1, 24)


def board(frames: list[int]) -> Storyboard:
    shots = tuple(Shot(id=f"{n:04d}", duration=str(Fraction(count, 24))) for n, count in enumerate(frames, 1))
    return Storyboard(frame_size=drawn_movies.SIZE, shots=shots)


def test_cuts_of_a_storyboard_lie_between_its_shots() -> None:
    assert storyboard_cuts(board([30, 24, 40])) == [Fraction(30, 24), Fraction(54, 24)]
    assert storyboard_cuts(board([30])) == []


def test_a_film_that_is_cut_as_it_should_be(tmp_path: Path) -> None:
    movie = drawn_movies.write(tmp_path / "film.mp4", [30, 24, 40])
    found = cut_agreement(board([30, 24, 40]), movie)
    assert (found.recall, found.precision, found.f1) == (1, 1, 1)


def test_two_of_four_cuts_moved_by_three_frames(tmp_path: Path) -> None:
    movie = drawn_movies.write(tmp_path / "film.mp4", [30, 24, 40, 30, 30])
    found = cut_agreement(board([33, 24, 37, 30, 30]), movie)  # the first two cuts are wanted later
    assert (found.recall, found.precision, found.f1) == (0.5, 0.5, 0.5)
    assert found.missed == (33 * FRAME, 57 * FRAME)
    assert found.extra == (30 * FRAME, 54 * FRAME)


def test_one_frame_is_within_and_two_are_not() -> None:
    wanted = [Fraction(1), Fraction(2)]
    near = [Fraction(1) + FRAME, Fraction(2) - FRAME]
    far = [Fraction(1) + 2 * FRAME, Fraction(2) - 2 * FRAME]
    assert agreement(wanted, near, FRAME).agreed == 2
    assert agreement(wanted, far, FRAME).agreed == 0


def test_a_cut_agrees_with_one_cut_only() -> None:
    found = agreement([Fraction(1), Fraction(1) + FRAME], [Fraction(1)], FRAME)
    assert (found.agreed, found.wanted, found.found) == (1, 2, 1)
    assert (found.recall, found.precision) == (0.5, 1)
    assert found.f1 == pytest.approx(2 / 3)


def test_order_makes_no_difference_and_nothing_has_no_share() -> None:
    times = [Fraction(3), Fraction(1), Fraction(2)]
    assert agreement(times, sorted(times), FRAME).f1 == 1
    nothing = agreement([], [], FRAME)
    assert (nothing.recall, nothing.precision, nothing.f1) == (None, None, None)
    extra = agreement([], [Fraction(1)], FRAME)
    assert (extra.recall, extra.precision, extra.f1, extra.extra) == (None, 0, 0, (Fraction(1),))
