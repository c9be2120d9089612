"""The command: its options, what it prints, its exit codes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from chat_server import ChatServer, running
from cinema_cli.cli.app import app
from cinema_cli.evaluation import weights_card
from judged_films import answer, scores
from kept_films import plain_film
from theatre_films import true_film
from tiny_models import build_tiny_clip, build_tiny_models


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = build_tiny_models(tmp_path_factory.mktemp("model"))
    build_tiny_clip(folder / "clip")
    return str(folder)


def cinema(*options: str) -> Result:
    return CliRunner().invoke(app, ["evaluate", *options])


def test_a_film_is_measured_shown_and_laid_out_for_others(tmp_path: Path) -> None:
    true_film(tmp_path / "film", 2, 3, clips=True)
    out = tmp_path / "out"
    ran = cinema(str(tmp_path / "film"), "--out", str(out), "--export", "vbench")
    assert ran.exit_code == 0
    assert "set as captioned" in ran.stdout
    assert "Cuts found" in ran.stdout
    assert f"report    {out / 'report.html'}" in ran.stdout
    assert list((out / "vbench").rglob("*.mp4"))
    again = cinema(str(tmp_path / "film"), "--out", str(out), "--json")
    told = json.loads(again.stdout)
    assert [section["name"] for section in told["films"][0]["sections"]] == ["exact", "pixels", "encoders"]
    assert told["data"] == str(out / "report.json")


def test_a_judge_is_asked_and_its_options_need_it(server: ChatServer, tmp_path: Path) -> None:
    server.play(default=answer(scores(3)))
    film = str(plain_film(tmp_path / "film", 3))
    out = ("--out", str(tmp_path / "out"))
    asking = ("--judge", "openai", "--model", "m", "--base-url", server.base_url, "--metrics", "judge")
    ran = cinema(film, *out, *asking)
    assert ran.exit_code == 0
    assert "3.00 0 to 5" in ran.stdout
    assert len(server.calls) == 1
    for options, told in (
        (("--judge", "openai"), "the name of a model was wanted"),
        (("--model", "m"), "add --judge openai"),
        (("--budget", "1usd"), "add --judge openai"),
    ):
        wrong = cinema(film, *out, *options)
        assert wrong.exit_code == 3
        assert told in wrong.stderr


def test_the_stress_test_and_the_card_are_printed_as_markdown(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights_card, "READER_FRAMES", 2)
    few = ("--weights", model, "--steps", "1", "--stories", "1", "--out", str(tmp_path / "out"))
    only = ("--set", "settings=[joint]", "--set", "unseen=0")
    ran = cinema("--stress", "2,3", *few, *only)
    assert ran.exit_code == 0
    assert "| joint | 2 | 1 |" in ran.stdout
    assert "| joint | 3 | 1 |" in ran.stdout
    assert f"report  {tmp_path / 'out' / 'report.html'}" in ran.stdout
    card = cinema("--card", *few, "--set", "trials=[ceiling]", "--set", "part=keyframes", "--json")
    assert card.exit_code == 0
    assert json.loads(card.stdout)["config"]["sequences"] == 1


@pytest.mark.parametrize("options", [(), ("film", "--card"), ("--card", "--stress", "8")])
def test_exactly_one_thing_is_measured(options: tuple[str, ...]) -> None:
    ran = cinema(*options)
    assert ran.exit_code == 3
    assert "One of three was wanted" in ran.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("nowhere",), "nowhere"),
        (("--stress", "8,x"), "numbers separated by commas"),
        (("--stress", "0"), "pairs"),
        (("film", "--metrics", "beauty"), "metrics"),
    ],
)
def test_wrong_input_is_one_sentence(options: tuple[str, ...], told: str, tmp_path: Path) -> None:
    ran = cinema(*options, "--out", str(tmp_path / "out"))
    assert ran.exit_code in (2, 3)
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr
