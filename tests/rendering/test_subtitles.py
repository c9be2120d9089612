from fractions import Fraction
from pathlib import Path

import pysubs2
import pytest

from cinema_cli.captioning.sidecar import find_sidecar
from cinema_cli.errors import MissingError
from cinema_cli.rendering.subtitles import subtitles, write_subtitles
from cinema_cli.storyboard import Shot, SpokenLine, Storyboard


def board(*shots: tuple[str, list[tuple[str, str]]]) -> Storyboard:
    return Storyboard(
        frame_size=(128, 256),
        shots=tuple(
            Shot(
                id=f"{number:04d}",
                duration=duration,
                lines=tuple(SpokenLine(speaker=speaker, text=text) for speaker, text in lines),
            )
            for number, (duration, lines) in enumerate(shots, start=1)
        ),
    )


def test_a_line_is_shown_while_its_shot_lasts(tmp_path: Path) -> None:
    film = board(
        ("3/2", []), ("2", [("Mira", "Hello?")]), ("1", []), ("4", [("Tom", "a" * 10), ("A Voice", "b" * 30)])
    )
    path = write_subtitles(film, tmp_path / "film.mp4")
    assert path == tmp_path / "film.und.srt"
    events = pysubs2.load(str(path)).events
    assert [(event.start, event.end, event.text) for event in events] == [
        (1500, 3500, "Mira: Hello?"),
        (4500, 5500, f"Tom: {'a' * 10}"),
        (5500, 8500, f"A Voice: {'b' * 30}"),
    ]


def test_no_line_reaches_into_another_shot_however_long_the_film(tmp_path: Path) -> None:
    film = board(*[("1001/480", [("Mira", "Well then."), ("Tom", "So be it, as we said.")])] * 4000)
    path = write_subtitles(film, tmp_path / "film.mp4")
    assert path is not None
    length = Fraction(1001, 480)
    for number, event in enumerate(pysubs2.load(str(path)).events):
        start = number // 2 * length
        assert round(start * 1000) <= event.start < event.end <= round((start + length) * 1000)


def test_where_nobody_speaks_any_more_there_is_no_file(tmp_path: Path) -> None:
    path = write_subtitles(board(("2", [("Mira", "Hello?")])), tmp_path / "film.mp4")
    assert path is not None
    assert path.is_file()
    assert write_subtitles(board(("2", [])), tmp_path / "film.mp4") is None
    assert not path.exists()
    assert subtitles(board()) == []


def test_what_is_said_is_not_taken_for_what_is_seen(tmp_path: Path) -> None:
    assert write_subtitles(board(("2", [("Mira", "Hello?")])), tmp_path / "film.mp4") is not None
    with pytest.raises(MissingError):
        find_sidecar(tmp_path / "film.mp4", tmp_path)
