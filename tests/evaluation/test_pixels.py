import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from cinema_cli.errors import Interrupted
from cinema_cli.evaluation.films import Film
from cinema_cli.evaluation.pixels import TOLD, measure_pixels
from cinema_cli.evaluation.report import Score, Section
from cinema_cli.evaluation.shot_pixels import COLUMNS
from cinema_cli.progress import Progress
from cinema_cli.storyboard import Shot, Storyboard
from cinema_cli.theatre.movies import Truth, write_movies
from ingested import ingest
from measured_films import made_film, plain, put_clip, put_keyframe


def by_key(section: Section) -> dict[str, Score]:
    return {score.key: score for score in section.scores}


def cell(section: Section, shot: str, column: str) -> object:
    return section.shots[shot][COLUMNS.index(column)]


def test_a_film_as_it_should_be(tmp_path: Path) -> None:
    section = measure_pixels(made_film(tmp_path, 4), Progress(quiet=True))
    found = by_key(section)
    for key in ("cut_recall", "cut_precision"):
        assert (found[key].value, found[key].n) == (100, 3)
    assert found["cut_f1"].value == 1
    assert found["psnr"].value is not None
    assert found["psnr"].value > 35  # what H.264 takes from a keyframe
    assert found["ssim"].value is not None
    assert found["ssim"].value > 0.97
    for key in ("empty_frames", "empty_keyframes", "near_duplicates"):
        assert found[key].value == 0
    assert list(section.shots) == ["0001", "0002", "0003", "0004"]
    assert all(len(cells) == len(section.columns) for cells in section.shots.values())
    assert len(found) == len(section.scores)


def test_shares_of_shots_have_an_interval_and_means_have_none(tmp_path: Path) -> None:
    found = by_key(measure_pixels(made_film(tmp_path, 4)))
    recall = found["cut_recall"]
    assert recall.low == pytest.approx(100 * 3 / (3 + 1.959964**2))  # Wilson's lower end of 3 of 3
    assert recall.high == pytest.approx(100)
    assert (found["held_frames"].low, found["sharpness"].low) == (None, None)


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    film = made_film(tmp_path, 4)
    shutil.copy(tmp_path / "keyframes/0001.png", tmp_path / "keyframes/0003.png")
    put_keyframe(tmp_path, "0004", plain(3))
    put_clip(tmp_path, "0002", [plain(level) for level in (100, 151, 100, 151)])
    section = measure_pixels(film)
    found = by_key(section)
    assert found["near_duplicates"].value == 25
    assert cell(section, "0001", "nearest") == "0003"
    assert found["empty_keyframes"].value == 25
    assert found["empty_frames"].value == 100 * 4 / (3 * 8 + 4)
    assert cell(section, "0002", "steadiness") == pytest.approx((255 - 51) / 255, abs=0.01)
    notes = " ".join(section.notes)
    assert "Near-duplicates: 0003 repeats 0001." in notes
    assert "Keyframes that show nothing: 0004." in notes
    assert "Clips with frames that show nothing: 0002." in notes


def test_cuts_that_do_not_agree_are_named(tmp_path: Path) -> None:
    film = made_film(tmp_path, 3)
    moved = film.board.with_shot("0001", duration="5/4").with_shot("0002", duration="3/4")
    section = measure_pixels(Film(tmp_path, moved))
    found = by_key(section)
    assert (found["cut_recall"].value, found["cut_precision"].value) == (50, 50)
    notes = " ".join(section.notes)
    assert "wanted and not found, at seconds: 1.25." in notes
    assert "found within a shot, where its clip jumps or pulses, at seconds: 1.00." in notes


def test_shots_too_short_for_the_detectors_are_named(tmp_path: Path) -> None:
    film = made_film(tmp_path, 3)
    board = film.board.with_shot("0002", duration="1/2").with_shot("0003", duration="3/2")
    notes = measure_pixels(Film(tmp_path, board)).notes
    assert "Shots below 0.6 s, whose cuts the detectors do not look for: 0002." in notes


def test_it_stops_between_two_shots(tmp_path: Path) -> None:
    film = made_film(tmp_path, 2, clips=False)
    asked = iter([False, True])
    with pytest.raises(Interrupted, match="Run it again"):
        measure_pixels(film, stopped=lambda: next(asked))


def test_what_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    section = measure_pixels(made_film(tmp_path, 3, clips=False))
    found = by_key(section)
    assert found["cut_f1"].note == "no film file; cinema render makes it"
    for key in ("psnr", "ssim", "flicker", "held_frames", "dynamic_degree", "flow", "empty_frames"):
        assert (found[key].value, found[key].n) == (None, 0)
        assert found[key].note == "no clips; cinema render makes them"
    assert found["sharpness"].value is not None
    assert section.notes == ("Without a clip: 0001, 0002, 0003.",)
    assert section.shots["0001"][:6] == (None,) * 6


def test_a_storyboard_without_pictures_has_no_numbers_at_all(tmp_path: Path) -> None:
    shots = tuple(Shot(id=f"{number:04d}", duration="1") for number in range(TOLD + 3))
    Storyboard(frame_size=(8, 16), shots=shots).save(tmp_path)
    section = measure_pixels(Film.open(tmp_path))
    assert all(score.value is None and score.note for score in section.scores)
    assert all(set(cells) == {None} for cells in section.shots.values())
    assert section.notes[0].endswith(f"{shots[TOLD - 1].id} and 3 more.")


def test_a_clip_of_another_shape_is_not_compared_with_its_keyframe(tmp_path: Path) -> None:
    film = made_film(tmp_path, 2)
    put_clip(tmp_path, "0002", [plain(90, (128, 128)), plain(120, (128, 128))])
    section = measure_pixels(film)
    assert by_key(section)["psnr"].n == 1
    assert "Clips of another shape than their keyframe, not compared: 0002." in section.notes


def test_places_and_characters_are_told_apart_by_colour(tmp_path: Path) -> None:
    film = made_film(tmp_path, 4, clips=False)
    shutil.copy(tmp_path / "keyframes/0001.png", tmp_path / "keyframes/0003.png")
    shutil.copy(tmp_path / "keyframes/0002.png", tmp_path / "keyframes/0004.png")
    board = film.board.model_copy(update={"cast": ()})
    for id, scene, name in (
        ("1", "a", "Mira"),
        ("2", "b", "Tobias"),
        ("3", "a", "Mira"),
        ("4", "b", "Tobias"),
    ):
        board = board.with_shot(f"000{id}", scene=scene, caption=f"<{name}> waits.")
    found = by_key(measure_pixels(Film(tmp_path, board)))
    assert found["place_within"].value == pytest.approx(1)
    assert found["place_between"].value is not None
    assert found["place_between"].value < 0.9
    assert found["place_colours"].n == 2
    assert found["character_within"].value is None  # no pair of one character in two places
    assert "pairs of one scene are left out" in found["character_within"].note


def test_a_movie_of_the_theatre_ingested(tmp_path: Path) -> None:
    (written,) = write_movies(tmp_path, 1, 0.25, 2, Progress(quiet=True))
    truth = Truth.load(written.sidecar)
    (outcome,) = ingest([written.path], tmp_path / "ds", clips=True).outcomes
    assert outcome.folder is not None
    film = Film.open(outcome.folder)
    section = measure_pixels(film)
    found = by_key(section)
    assert found["cut_f1"].value is None  # the movie is not in the folder
    assert found["psnr"].value is None
    assert any("the middle of its shot" in note for note in section.notes)
    assert found["dynamic_degree"].n == len(film.shots)
    assert found["empty_keyframes"].value == 0

    shutil.copy(written.path, outcome.folder / "film.mp4")
    frames = [shot.end_frame - shot.start_frame for shot in truth.shots]
    true = tuple(
        Shot(id=f"{n:04d}", duration=str(Fraction(count) / Fraction(truth.frame_rate)))
        for n, count in enumerate(frames, 1)
    )
    hard = [shot.transition == "cut" for shot in truth.shots[1:]]
    true_board = Storyboard(frame_size=truth.frame_size, shots=true)
    recall = by_key(measure_pixels(Film(outcome.folder, true_board)))["cut_recall"]
    assert recall.n == len(truth.shots) - 1
    assert recall.value is not None
    assert recall.value >= 100 * sum(hard) / len(hard)  # dissolves may be missed
