from fractions import Fraction

import pytest

from cinema_cli.evaluation.cuts import CutAgreement
from cinema_cli.evaluation.duplicates import Neighbour
from cinema_cli.evaluation.fidelity import Fidelity
from cinema_cli.evaluation.flicker import Flicker
from cinema_cli.evaluation.optical_flow import Motion
from cinema_cli.evaluation.pixel_scores import clip_scores, cut_scores, diversity_scores
from cinema_cli.evaluation.report import Score
from cinema_cli.evaluation.shot_pixels import ClipLook


def clip(dynamic: bool, steadiness: float | None, scaled: bool = False, empty: int = 0) -> ClipLook:
    return ClipLook(
        Fidelity(30, 0.9, scaled), Flicker(steadiness, 6, 2), Motion(4.0, dynamic, 8, 8.0), 9, empty
    )


def keyed(scores: list[Score]) -> dict[str, Score]:
    return {score.key: score for score in scores}


def test_recall_and_precision_by_hand() -> None:
    found = keyed(list(cut_scores(CutAgreement(3, (Fraction(1),), (Fraction(2), Fraction(3), Fraction(4))))))
    assert (found["cut_recall"].value, found["cut_recall"].n) == (75, 4)
    assert (found["cut_precision"].value, found["cut_precision"].n) == (50, 6)
    assert found["cut_f1"].value == pytest.approx(0.6)


def test_a_film_of_one_shot_has_no_cuts_to_find() -> None:
    found = keyed(list(cut_scores(CutAgreement(0, (), ()))))
    assert [score.value for score in found.values()] == [None] * 3
    assert found["cut_recall"].note == "one shot has no cut"


def test_shares_and_means_over_clips() -> None:
    clips = [clip(True, 0.9, scaled=True), clip(False, 0.8), clip(False, None, empty=3), clip(False, 0.7)]
    found = keyed(list(clip_scores(clips)))
    assert (found["dynamic_degree"].value, found["dynamic_degree"].n) == (25, 4)
    assert (found["flicker"].value, found["flicker"].n) == (pytest.approx(0.8), 3)
    assert (found["held_frames"].value, found["held_frames"].n) == (25, 32)
    assert (found["empty_frames"].value, found["empty_frames"].n) == (pytest.approx(100 * 3 / 36), 36)
    assert "in 1 of 4 the larger one made as small" in found["psnr"].note


def test_repeats_are_counted_among_all_keyframes() -> None:
    beside = [Neighbour(1, 0.5, None), Neighbour(0, 0.5, 0), Neighbour(0, 30, None), Neighbour(0, 9, None)]
    found = keyed(list(diversity_scores(beside)))
    assert (found["near_duplicates"].value, found["near_duplicates"].n) == (25, 4)
    assert found["nearest_keyframe"].value == 10
    assert next(diversity_scores([])).note == "fewer than two keyframes"
