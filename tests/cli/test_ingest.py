import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from cinema_cli.cli.app import app
from drawn_movies import write


def cinema(*words: str) -> Result:
    return CliRunner().invoke(app, ["ingest", *words])


SMALL = ("--set", "picture.short_side=64", "--quiet")


@pytest.fixture(scope="module")
def movies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("movies")
    write(folder / "night.mp4", [30, 24, 40])
    write(folder / "grey.mp4", [30], first=9)
    return folder


def test_the_closing_table_and_the_document(movies: Path, tmp_path: Path) -> None:
    ran = cinema(str(movies), "--out", str(tmp_path), *SMALL)
    assert ran.exit_code == 0
    lines = ran.stdout.splitlines()
    assert lines[0].split() == ["movies", "shots", "kept", "speed", "flagged"]
    assert [line.split()[:3] for line in lines[1:3]] == [["grey", "1", "1"], ["night", "3", "3"]]
    assert "made     2" in ran.stdout
    assert "of film per hour" in ran.stdout
    assert (tmp_path / "night" / "contact-sheet.html").is_file()
    told = json.loads(cinema(str(movies), "--out", str(tmp_path), *SMALL, "--json").stdout)
    assert (told["made"], told["skipped"], told["failed"], told["left"]) == (0, 2, 0, 0)
    assert (told["shots"], told["kept"], told["flagged"]) == (4, 4, {})
    assert [(entry["state"], entry["folder"]) for entry in told["movies"]] == [
        ("kept", str(tmp_path / "grey")),
        ("kept", str(tmp_path / "night")),
    ]


def test_exit_codes_where_some_or_all_movies_are_unusable(movies: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no movie")
    out = str(tmp_path / "ds")
    some = cinema(str(movies / "grey.mp4"), str(tmp_path / "bad.mp4"), "--out", out, *SMALL)
    assert some.exit_code == 5
    assert "1 of 2 movies could not be read" in some.stderr
    assert "ingest-failures.json" in some.stderr
    assert "bad.mp4  -" in some.stdout
    every = cinema(str(tmp_path / "bad.mp4"), str(tmp_path / "none.mp4"), "--out", out, *SMALL, "--json")
    assert every.exit_code == 3
    assert [entry["state"] for entry in json.loads(every.stdout)["movies"]] == ["failed", "failed"]


def test_options_reach_the_config(movies: Path, tmp_path: Path) -> None:
    words = (
        "--detector",
        "content",
        "--also",
        "histogram",
        "--also",
        "threshold",
        "--workers",
        "3",
        "--fast",
    )
    ran = cinema(
        str(movies), *words, "--set", "shots.min_seconds=1", "--dry-run", "--out", str(tmp_path / "ds")
    )
    assert ran.exit_code == 0
    config = yaml.safe_load(ran.stdout)
    assert config["shots"]["detector"] == "content"
    assert config["shots"]["also"] == ["histogram", "threshold"]
    assert (config["shots"]["min_seconds"], config["workers"], config["fast"], config["clips"]) == (
        1,
        3,
        True,
        False,
    )
    assert not (tmp_path / "ds").exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--detector", "magic"], 3, "shots.detector"),
        (["--set", "shots.min_second=1"], 3, "min_second"),
        (["--workers", "0"], 2, "workers"),
    ],
)
def test_wrong_options_are_told(movies: Path, tmp_path: Path, words: list[str], code: int, told: str) -> None:
    ran = cinema(str(movies), "--out", str(tmp_path / "ds"), *words)
    assert ran.exit_code == code
    assert told in ran.stderr
    assert not (tmp_path / "ds").exists()


def test_progress_tells_each_movie_and_all(movies: Path, tmp_path: Path) -> None:
    ran = cinema(str(movies), "--out", str(tmp_path), *SMALL[:2])
    assert "night.mp4: made, 3 shots, 0 flagged, 0:04 of film" in ran.stderr
    assert "reading movies: 2/2 MB" in ran.stderr
