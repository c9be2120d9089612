from pathlib import Path

from cinema_cli.evaluation.duplicates import Neighbour
from cinema_cli.evaluation.films import Film
from cinema_cli.evaluation.shot_pixels import COLUMNS, look_at, row
from cinema_cli.storyboard import Source
from measured_films import FRAMES, made_film


def test_numbers_are_kept_and_pictures_are_not(tmp_path: Path) -> None:
    film = made_film(tmp_path, 1)
    look = look_at(film, film.shots[0])
    assert look.picture is not None
    assert look.clip is not None
    assert look.picture.thumb.nbytes + look.picture.palette.nbytes < 20_000
    assert (look.clip.frames, look.clip.flicker.pairs + look.clip.flicker.held) == (FRAMES, FRAMES - 1)
    assert look.clip.motion is not None
    assert look.clip.motion.pairs == FRAMES - 1


def test_a_row_has_a_cell_for_every_column(tmp_path: Path) -> None:
    film = made_film(tmp_path, 1)
    look = look_at(film, film.shots[0])
    alone = row(look, {})
    assert len(alone) == len(COLUMNS)
    assert alone[-2:] == (None, None)
    beside = row(look, {"0001": ("0007", Neighbour(nearest=6, apart=12.344, repeats=None))})
    assert beside == (*alone[:-2], "0007", 12.34)
    assert None not in beside


def test_the_keyframe_of_an_ingested_shot_is_no_first_frame(tmp_path: Path) -> None:
    film = made_film(tmp_path, 1)
    source = Source(movie="a.mp4", start="0", mid="1/2", end="1")
    film = Film(tmp_path, film.board.with_shot("0001", source=source))
    look = look_at(film, film.shots[0])
    assert look.clip is not None
    assert look.clip.fidelity is None
    assert row(look, {})[:2] == (None, None)
