import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_server import ChatServer, running
from cinema_cli.errors import InputError
from cinema_cli.evaluation.consistency import EncoderConfig
from cinema_cli.evaluation.evaluate import EvaluateConfig, Evaluated, evaluate_films, judge_folder, open_films
from cinema_cli.evaluation.films import Film
from cinema_cli.progress import Progress
from cinema_cli.storyboard import FILE_NAME, Storyboard
from judged_films import answer, judge_config, scores
from kept_films import plain_film
from theatre_films import true_film

SEED = 2


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with running() as server:
        yield server


@pytest.fixture
def theatre(tmp_path: Path) -> Path:
    true_film(tmp_path / "theatre", SEED, 4, clips=True)
    return tmp_path / "theatre"


def evaluated(paths: list[Path], out: Path, **config: object) -> Evaluated:
    with Progress(quiet=True) as progress:
        return evaluate_films(paths, EvaluateConfig(**config), out, progress)


def names(done: Evaluated) -> list[list[str]]:
    return [[section.name for section in report.sections] for report in done.reports]


def test_a_film_of_the_theatre_is_measured_in_all_ways_that_need_nobody(theatre, tmp_path):
    done = evaluated([theatre], tmp_path / "out")
    assert names(done) == [["exact", "pixels", "encoders"]]
    report = done.reports[0]
    exact = report.section("exact")
    assert exact is not None
    assert all(score.value == 100 for score in exact.scores if score.unit == "%")
    page, table = done.page.read_text(), done.table.read_text()
    for told in (
        "Against the truth",
        "Without downloads",
        "identity in context",
        "Captain Cinema (w/ G.Mem)",
    ):
        assert told in page
        assert told.replace("(", "(") in table
    assert "<script" not in page
    data = json.loads(done.data.read_text())
    assert [one["sections"][0]["name"] for one in data] == ["exact"]


def test_another_film_is_measured_in_pixels_alone_and_encoders_are_asked_for(tmp_path):
    film = plain_film(tmp_path / "film", 3)
    assert names(evaluated([film], tmp_path / "out")) == [["pixels"]]
    asked = evaluated([film], tmp_path / "out", encoders=EncoderConfig(clip="toy"))
    assert names(asked) == [["pixels", "encoders"]]
    assert (asked.measured, asked.kept) == (1, 1)


def test_only_what_changed_is_measured_again(theatre, tmp_path):
    first = evaluated([theatre], tmp_path / "out", metrics=("exact", "pixels"))
    again = evaluated([theatre], tmp_path / "out", metrics=("exact", "pixels"))
    assert (first.measured, first.kept) == (2, 0)
    assert (again.measured, again.kept) == (0, 2)
    assert again.reports == first.reports
    keyframes = theatre / "keyframes"
    (keyframes / "0001.png").write_bytes((keyframes / "0002.png").read_bytes())
    changed = evaluated([theatre], tmp_path / "out", metrics=("exact", "pixels"))
    assert (changed.measured, changed.kept) == (2, 0)
    assert changed.reports != first.reports


def test_a_folder_of_films_is_every_film_in_it_once(tmp_path):
    for name in ("b", "a"):
        plain_film(tmp_path / "films" / name, 2)
    films = open_films([tmp_path / "films", tmp_path / "films" / "a", tmp_path / "films" / "b" / FILE_NAME])
    assert [film.folder.name for film in films] == ["a", "b"]


def test_the_judge_is_asked_once_for_each_film(server, tmp_path):
    server.play(default=answer(scores(4)))
    config = judge_config(server)
    films = [plain_film(tmp_path / name / "film", 3) for name in ("one", "other")]
    done = evaluated(films, tmp_path / "out", judge=config, metrics=("judge",))
    assert names(done) == [["judge"], ["judge"]]
    assert len(server.calls) == 2
    assert "| 4.0 |" in done.table.read_text()
    folders = {judge_folder(tmp_path / "out", Film.open(film)) for film in films}
    assert len(folders) == 2  # of one name, in two places
    evaluated(films, tmp_path / "out", judge=config, metrics=("judge",))
    assert len(server.calls) == 2


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda folder: folder / "nowhere", "nothing"),
        (lambda folder: folder, "found none in it"),
        (lambda folder: _empty(folder), "a film with shots was wanted"),
    ],
)
def test_what_is_no_film_is_told_before_anything_is_measured(tmp_path, make, told):
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match=told):
        evaluated([make(tmp_path / "in")], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _empty(folder: Path) -> Path:
    Storyboard(frame_size=(128, 256)).save(folder)
    return folder


def test_a_judge_that_is_wanted_and_not_named_is_told(tmp_path):
    film = plain_film(tmp_path / "film", 2)
    with pytest.raises(InputError, match="a judge was wanted, but none is named"):
        evaluated([film], tmp_path / "out", metrics=("judge",))
