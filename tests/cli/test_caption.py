"""The command: its options, what it prints, its exit codes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from captioned_films import make_film, words
from chat_server import ChatServer, running
from cinema_cli.cli.app import app


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with running() as server:
        yield server


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    make_film(tmp_path / "dataset" / "film", ["red", "green", "black"], tmp_path / "film.mp4")
    (tmp_path / "cast.yaml").write_text("characters: [{name: Mira, look: a red coat}]")
    return tmp_path / "dataset"


def cinema(*options: str) -> Result:
    return CliRunner().invoke(app, ["caption", *options])


def asking(server: ChatServer, dataset: Path, *more: str) -> list[str]:
    cast = str(dataset.parent / "cast.yaml")
    chat = ("--annotator", "openai", "--base-url", server.base_url, "--model", "m", "--cast", cast)
    return [str(dataset), *chat, "--set", "patience.tries=1", *more]


def told(ran: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_a_model_captions_a_dataset(server: ChatServer, dataset: Path) -> None:
    server.play()
    ran = cinema(*asking(server, dataset, "--json", "--price-in", "1", "--price-out", "10"))
    assert ran.exit_code == 0
    assert told(ran) == {
        "films": 1,
        "captioned": 2,
        "rejected": {"too-dark": 1},
        "skipped": 0,
        "kept_by_hand": 0,
        "flagged": 0,
        "without_picture": 0,
        "failed": {},
        "films_failed": [],
        "without_words": 0,
        "tags_not_on_the_list": {"Nobody": 2},
        "tags_not_confirmed": {},
        "other_names": {},
        "notes": [],
        "this_run": {"tokens_in": 2700, "tokens_out": 180, "usd": "0.0045"},
        "in_all": {"tokens_in": 2700, "tokens_out": 180, "usd": "0.0045"},
        "storyboards": [str(dataset / "film" / "storyboard.json")],
    }
    assert words(dataset / "film")[0] == ("A red frame with <Mira> and Nobody.", None)
    assert "captioning film (1/1): 3/3 frames" in ran.stderr


def test_a_dry_run_says_what_it_would_cost_and_asks_nothing(server: ChatServer, dataset: Path) -> None:
    server.play()
    prices = ("--price-in", "1", "--price-out", "10")
    ran = cinema(*asking(server, dataset, "--dry-run", "--json", *prices))
    found = told(ran)
    assert (ran.exit_code, found["wanted"], found["calls"], server.calls) == (0, 3, 3, [])
    assert float(found["likely"]["usd"]) < float(found["at_most"]["usd"])
    assert found["likely"]["by"] == "rule of thumb"
    assert words(dataset / "film") == [("", None)] * 3
    plain = cinema(*asking(server, dataset, "--dry-run"))
    assert "usd" not in plain.stdout
    assert "calls" in plain.stdout


def test_a_budget_that_is_spent_is_5_and_says_so(server: ChatServer, dataset: Path) -> None:
    server.play()
    ran = cinema(*asking(server, dataset, "--budget", "7800tok", "--quiet", "--json"))
    assert ran.exit_code == 5
    assert told(ran)["captioned"] + told(ran)["rejected"].get("too-dark", 0) == len(server.calls) > 0
    assert "Stopped: the budget of 7,800 tokens" in ran.stderr
    assert "The same command goes on" in ran.stderr


def test_frames_that_failed_are_5(server: ChatServer, dataset: Path) -> None:
    server.play({"play": "status", "status": 500})
    ran = cinema(*asking(server, dataset, "--json", "--workers", "1"))
    assert ran.exit_code == 5
    assert sum(told(ran)["failed"].values()) == 1
    assert "1 frames could not be captioned" in ran.stderr


def test_sidecars_are_the_default(dataset: Path) -> None:
    ran = cinema(str(dataset))
    assert ran.exit_code == 4
    assert "film.truth.json" in ran.stderr
    (dataset.parent / "captions").mkdir()
    (dataset.parent / "captions" / "film.jsonl").write_text('{"start": 0, "end": 4, "caption": "A boat."}\n')
    ran = cinema(str(dataset), "--sidecars", str(dataset.parent / "captions"), "--json")
    assert ran.exit_code == 0
    assert (told(ran)["captioned"], told(ran)["without_words"]) == (2, 1)
    assert "this_run" not in told(ran)
    ran = cinema(str(dataset), "--sidecars", str(dataset.parent / "captions"))
    assert ran.stdout.splitlines()[1:4] == [
        "captioned        0",
        "skipped          2",
        "kept by hand     0",
    ]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--annotator", "gemini"], 3, "annotator"),
        (["--annotator", "openai"], 3, "--model NAME"),
        (["--model", "m"], 3, "--annotator openai"),
        (["--budget", "1usd"], 3, "--annotator openai"),
        (["--annotator", "openai", "--model", "m", "--base-url", "host"], 3, "https://host/v1"),
        (["--annotator", "openai", "--model", "m", "--budget", "much"], 3, "2.50usd"),
        (["--annotator", "openai", "--model", "m", "--budget", "1usd"], 3, "--price-in"),
        (["--annotator", "openai", "--model", "m", "--price-in", "1"], 3, "--price-out"),
        (["--cast", "none.yaml"], 3, "none.yaml"),
        (["--set", "chat.colour=red"], 3, "colour"),
        (["--workers", "0"], 2, "workers"),
    ],
)
def test_what_is_wrong_is_told(dataset: Path, options: list[str], code: int, message: str) -> None:
    ran = cinema(str(dataset), *options)
    assert (ran.exit_code, ran.stdout) == (code, "")
    assert message in ran.stderr


def test_no_dataset_is_3(tmp_path: Path) -> None:
    ran = cinema(str(tmp_path / "none"))
    assert ran.exit_code == 3
    assert "a dataset (a folder of ingested films) was wanted" in ran.stderr
