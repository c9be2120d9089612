from dataclasses import replace

import numpy as np
import pytest

from cinema_cli.errors import InputError
from cinema_cli.evaluation.exact import at_clip_rate, measure_exact
from cinema_cli.evaluation.films import Film
from cinema_cli.storyboard import Shot, Storyboard
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie
from theatre_films import true_film

SEED = 2
"""Of a movie with described and named puppets, two in a frame, and places that return."""


def scores(film: Film) -> dict[str, float | None]:
    return {score.key: score.value for score in measure_exact(film).scores}


@pytest.fixture(scope="module")
def true(tmp_path_factory) -> Film:
    folder = tmp_path_factory.mktemp("film")
    true_film(folder, SEED, 8, clips=True)
    return Film.open(folder)


def test_a_film_drawn_by_the_theatre_is_right_in_everything(true):
    found = scores(true)
    assert {"set", "coat described", "coat named", "two", "psnr first", "motion"} <= set(found)
    assert any(key.startswith("place") for key in found)
    first = found.pop("psnr first")
    assert first is not None
    assert first > 30  # what H.264 leaves
    assert found == dict.fromkeys(found, 100.0)


def test_a_row_tells_what_each_shot_shows(true):
    section = measure_exact(true)
    movie = write_movie(SEED, 8)
    for shot, row in zip(movie.shots, section.shots.values(), strict=True):
        told = dict(zip(section.columns, row, strict=True))
        figures = len(shot.staged.figures)
        assert told["set"] is told["time"] is told["size"] is True
        assert told["coats"] == (f"{figures} of {figures}" if figures else None)
        assert told["described"] == (", ".join(shot.described) if figures else None)


def test_a_puppet_in_another_coat_counts_where_it_is_and_nowhere_else(tmp_path):
    movie = write_movie(SEED, 8)
    number, shot = next(
        (i, s) for i, s in enumerate(movie.shots, start=1) if len(s.staged.figures) == 1 and not s.described
    )
    (figure,) = shot.staged.figures
    other = replace(
        figure, puppet=replace(figure.puppet, coat="white" if figure.puppet.coat != "white" else "red")
    )
    true_film(tmp_path / "right", SEED, 8)
    wrong = draw_frame(replace(shot.staged, figures=(other,)))
    true_film(tmp_path / "wrong", SEED, 8, instead={number: wrong})
    right, found = (scores(Film.open(tmp_path / name)) for name in ("right", "wrong"))
    named = sum(figure.puppet.name not in s.described for s in movie.shots for figure in s.staged.figures)
    assert found.pop("coat named") == pytest.approx(100 * (named - 1) / named)
    right.pop("coat named")
    assert found == right


def test_a_flat_picture_is_wrong_and_no_error(tmp_path):
    grey = np.full((128, 256, 3), 128, np.uint8)
    true_film(tmp_path, SEED, 8, instead=dict.fromkeys(range(1, 9), grey))
    found = scores(Film.open(tmp_path))
    assert found["coat named"] < 50  # what is seen in nothing is a guess
    assert found["two"] == 0


def test_shots_without_a_picture_and_captions_in_other_words_are_left_out_and_said(tmp_path):
    board = true_film(tmp_path, SEED, 8)
    board = board.with_shot("0002", keyframe=None).with_shot("0003", caption="Somebody opens a door.")
    board.save(tmp_path)
    section = measure_exact(Film.open(tmp_path))
    assert set(section.shots) == {f"{n:04d}" for n in (1, 4, 5, 6, 7, 8)}
    assert section.notes == ("captions in other words, left out: 0003",)


def test_a_film_of_another_world_is_refused(tmp_path):
    Storyboard(frame_size=(128, 256), shots=(Shot(id="1", caption="A door.", duration="2"),)).save(tmp_path)
    with pytest.raises(InputError, match="words of the toy theatre were wanted, found 0 of 1"):
        measure_exact(Film.open(tmp_path))


def test_clips_of_any_rate_and_size_are_seen_at_the_moments_of_the_theatre():
    clip = np.repeat(np.arange(24, dtype=np.uint8), 256 * 512 * 3).reshape(24, 256, 512, 3)
    seen = at_clip_rate(clip, 24.0)
    assert seen.shape == (8, 128, 256, 3)
    assert seen[:, 0, 0, 0].tolist() == [0, 3, 6, 9, 12, 15, 18, 21]
    assert at_clip_rate(clip[:8], 8.0)[:, 0, 0, 0].tolist() == list(range(8))
