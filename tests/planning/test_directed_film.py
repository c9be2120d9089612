"""``plan_film`` and the command with a director, from story to contact sheet, with tiny random models."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chat_server import ChatServer, running
from cinema_cli.chat.model import Answer, ScriptedChat, Usage
from cinema_cli.cli.app import app
from cinema_cli.planning.plan import PlanConfig, plan_film
from cinema_cli.progress import Progress
from cinema_cli.storyboard import Storyboard
from directed_stories import ONE, STORY, TWO, answer
from tiny_models import FRAME_SIZE, build_tiny_models

SMALL = {"frame_size": FRAME_SIZE, "steps": 1, "text_length": 64, "window": 8, "shots": 4}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with running() as server:
        yield server


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.txt"
    path.write_text(STORY, encoding="utf-8")
    return path


def test_a_directed_film_is_drawn(story: Path, model: Path) -> None:
    chat = ScriptedChat([Answer(ONE, usage=Usage(900, 60)), Answer(TWO, usage=Usage(900, 60))])
    director = {"chat": {"model": "scripted"}, "prices": {"price_in": 1, "price_out": 10}}
    config = PlanConfig(**{"model": str(model), **SMALL, "director": director, "words": "director"})  # type: ignore[arg-type]
    film = story.parent / "film"
    made = plan_film(story, film, config, Progress(quiet=True), chat=chat)
    assert (made.shots, made.drawn) == (4, 4)
    assert made.bill is not None
    assert (made.bill.calls, float(made.bill.this_run.money)) == (2, 0.003)
    page = made.contact_sheet.read_text(encoding="utf-8")
    assert "“Who is there?”" in page
    again = plan_film(story, film, config, Progress(quiet=True), chat=chat)
    assert (again.drawn, len(chat.requests)) == (0, 2)


def test_the_command(story: Path, model: Path, server: ChatServer) -> None:
    film = story.parent / "film"
    size = f"frame_size=[{FRAME_SIZE[0]},{FRAME_SIZE[1]}]"
    small = ["--set", size, "--set", "text_length=64", "--set", "guidance=1", "--steps", "1", "--shots", "4"]
    small += [
        "--set",
        "retrieval.kind=recency",
        "--set",
        "memory.groups=2",
        "--model",
        str(model),
        "--json",
        "--quiet",
    ]
    words = ["plan", str(story), "--out", str(film), "--director", "m", "--base-url", server.base_url, *small]
    money = ["--price-in", "1", "--price-out", "10", "--budget", "1usd"]
    server.play()
    ran = CliRunner().invoke(app, [*words, *money, "--dry-run"])
    assert ran.exit_code == 0, ran.output
    facts = json.loads(ran.stdout)
    assert facts["director"] == {"model": "m", "chapters": 2, "calls": 2}
    assert facts["likely"]["by"] == "rule of thumb"
    assert not film.exists()
    server.play(answer(ONE), answer(TWO))
    ran = CliRunner().invoke(app, [*words, *money])
    assert ran.exit_code == 0, ran.output
    facts = json.loads(ran.stdout)
    assert facts["director"] == {"model": "m", "chapters": 2, "calls": 2}
    assert facts["this_run"] == facts["in_all"] == {"tokens_in": 1800, "tokens_out": 120, "usd": "0.0030"}
    assert "<Mira>" in Storyboard.load(film).shots[3].caption
    assert Storyboard.load(film).shots[3].caption.startswith("Medium shot. On the beach by day")


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--budget", "1usd"], 3, "give --director MODEL"),
        (["--base-url", "http://127.0.0.1:9/v1"], 3, "give --director MODEL"),
        (["--director", "m", "--budget", "1usd"], 3, "--price-in and --price-out"),
        (["--director", "m", "--base-url", "ftp://x"], 3, "https://host/v1 was wanted"),
        (
            ["--director", "m", "--base-url", "http://127.0.0.1:9/v1", "--set", "director.patience.tries=1"],
            5,
            "the connection failed",
        ),
    ],
)
def test_what_cannot_be_is_told(
    story: Path, model: Path, options: list[str], code: int, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    film = story.parent / "film"
    ran = CliRunner().invoke(app, ["plan", str(story), "--out", str(film), "--model", str(model), *options])
    assert ran.exit_code == code, ran.output
    assert told in ran.output.replace("\n", " ")
    assert not (film / "storyboard.json").exists()
