import pytest

from cinema_cli.evaluation.figures import Figure, design_effect, row, wilson


def test_wilson_is_the_textbook_interval():
    assert wilson(0.8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(1.0, 20) == pytest.approx((0.8389, 1.0), abs=1e-4)
    assert wilson(0.0, 20)[0] == 0.0


def test_looks_that_stand_and_fall_together_count_once():
    together = [[1.0] * 4, [0.0] * 4] * 20
    apart = [[1.0, 0.0, 1.0, 0.0]] * 40
    assert design_effect(together) == pytest.approx(4.0, rel=0.05)
    assert design_effect(apart) == 1.0
    figure = Figure("key", "text")
    wide, narrow = (row(figure, [{"key": m} for m in movies]) for movies in (together, apart))
    assert wide.measured == narrow.measured == 50.0
    assert wide.n == narrow.n == 160
    assert wide.high - wide.low > 1.8 * (narrow.high - narrow.low)


def test_movies_without_a_look_do_not_count():
    found = row(Figure("key", "coat", ">= 90 %"), [{"key": [1, 0]}, {}, {"key": []}, {"key": [1, 1]}])
    assert (found.measured, found.n, found.movies) == (75.0, 4, 2)
    assert found.markdown().startswith("| coat | >= 90 % | 75.0 % | 4 in 2 movies | ")


def test_what_was_not_measured_is_said():
    found = row(Figure("16", "16 pairs", "x"), [{"key": [1.0]}])
    assert found.measured is None
    assert found.markdown() == "| 16 pairs | x | not yet | 0 | |"


def test_decibels_have_a_mean_and_an_interval_over_movies():
    figure = Figure("psnr", "codec", unit="dB")
    found = row(figure, [{"psnr": [30.0, 32.0]}, {"psnr": [34.0, 36.0]}])
    assert found.measured == 33.0
    assert found.low < 33.0 < found.high
    alone = row(figure, [{"psnr": [30.0]}])
    assert (alone.measured, alone.low) == (30.0, None)
    assert "| 30.0 dB |" in alone.markdown()
