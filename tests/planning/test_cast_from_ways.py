"""``plan_film`` with people of another film: every way to draw and to ask, and once the embedded models."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from cinema_cli.chat.model import Answer, ScriptedChat
from cinema_cli.cli.app import app
from cinema_cli.planning.estimate import estimate_plan
from cinema_cli.planning.plan import PlanResult, plan_film
from cinema_cli.progress import Progress
from cinema_cli.storyboard import Storyboard
from directed_stories import ONE, TWO
from directed_stories import STORY as DIRECTED
from guest_films import CAPTIONS, CAST, MIRA, guest_film
from invited_films import IDS, STORY, planner, saw
from planned_films import changed, configured, pictures, written
from stock_models import BUILDERS
from tiny_models import build_tiny_models


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return guest_film(tmp_path / "film1")


@pytest.fixture
def story(tmp_path: Path) -> Path:
    return written(tmp_path, STORY)


@pytest.fixture
def plan(story: Path, model: Path) -> Callable[..., PlanResult]:
    return planner(story, model)


def test_drawn_jointly_words_alone_come(other: Path, story: Path, plan: Callable[..., PlanResult]) -> None:
    made = plan(cast_from=(str(other),), mode="joint")
    film = story.with_name("film2")
    assert "drawn jointly, frames see no portrait: <Mira> by words only" in made.notes
    assert [saw(film, id) for id in IDS] == [[], [], [], []]
    assert plan(mode="joint").drawn == 0
    assert plan(film, mode="joint", redo=("2",)).drawn == 1
    assert saw(film, "0002") == [(None, "0001"), (None, "0003"), (None, "0004")]
    assert plan().drawn == 2  # in the usual mode a portrait is seen


def test_several_at_once_share_their_portraits(
    other: Path, story: Path, plan: Callable[..., PlanResult]
) -> None:
    story.write_text("Tom waved at the castle. Mira walked in the castle. Mira jumped in the desert.")
    assert plan(cast_from=(str(other),), at_once=3).drawn == 3
    film = story.with_name("film2")
    assert [saw(film, id)[:1] for id in IDS[:3]] == [[], [("Mira", "0001")], [("Mira", "0001")]]
    assert saw(film, "0002") == saw(film, "0003")


def test_a_dry_run_foresees_it_and_writes_nothing(
    other: Path, story: Path, plan: Callable[..., PlanResult], model: Path
) -> None:
    film = story.with_name("film2")
    config = configured(model, cast_from=(str(other),))
    made = estimate_plan(story, film, config)
    assert (made.drawn, made.windows) == (4, 4)
    remembered = min(3 + 1, config.memory.capacity((1, 1)))  # by the last shot: all before it, and Mira
    assert sum(count for count, _ in made.memory) == remembered
    assert not film.exists()
    plan(cast_from=(str(other),))
    assert estimate_plan(story, film, config).drawn == 0


def test_a_director_is_told_of_guests_as_of_those_who_were_there(
    other: Path, story: Path, model: Path
) -> None:
    story.write_text(DIRECTED, encoding="utf-8")
    chat = ScriptedChat([Answer(ONE), Answer(TWO)])
    changes = {"director": {"chat": {"model": "scripted"}}, "words": "director", "shots": 4, "steps": 1}
    config = configured(model, **changes, cast_from=(str(other),))
    film = story.with_name("film2")
    made = plan_film(story, film, config, Progress(quiet=True), chat=chat)
    asked = json.loads(str(chat.requests[0].parts[0]))
    assert asked["so_far"]["cast"] == [{"name": "Mira", "look": MIRA}]
    assert asked["so_far"]["last_shots"] == []
    assert "the director describes Mira anew in a later chapter; the first look stays" in made.notes
    mira = Storyboard.load(film).cast[0]
    assert (mira.look, mira.portrait is not None) == (MIRA, True)
    assert saw(film, "0001") == [("Mira", "0001")]


def test_an_editor_is_shown_the_portrait_first(
    other: Path, story: Path, tmp_path: Path, plan: Callable[..., PlanResult]
) -> None:
    kontext = str(BUILDERS["kontext"](tmp_path / "kontext"))
    editor = {"model": kontext, "retrieval": {"kind": "recency"}}
    plan(cast_from=(str(other),), **editor)
    film = story.with_name("film2")
    assert [saw(film, id) for id in IDS] == [
        [],
        [("Mira", "0001")],
        [(None, "0002")],
        [("Mira", "0001")],
    ]
    before = pictures(film)
    Image.effect_noise((64, 32), 90).convert("RGB").save(film / "cast" / "Mira.png")
    plan(film, **editor)
    assert changed(film, before) == ["0002", "0004"]


def test_two_guests_in_one_shot_are_both_seen(
    tmp_path: Path, story: Path, plan: Callable[..., PlanResult]
) -> None:
    other = guest_film(tmp_path / "two", (*CAPTIONS, "Medium shot. <Mira> waves."), CAST)
    story.write_text("Mira and Old Tobias walked in the castle at night.")
    kontext = str(BUILDERS["kontext"](tmp_path / "kontext"))
    plan(cast_from=(str(other),), model=kontext, retrieval={"kind": "recency"})
    assert saw(story.with_name("film2"), "0001") == [("Mira", "0001"), ("Old Tobias", "0004")]


def test_the_command(other: Path, story: Path, model: Path) -> None:
    film = story.with_name("film2")
    words = ["plan", str(story), "--out", str(film), "--cast-from", str(other), "--model", str(model)]
    words += ["--steps", "1", "--set", "frame_size=[32,64]", "--set", "retrieval.kind=recency"]
    words += ["--set", "memory.groups=2", "--json", "--quiet"]
    ran = CliRunner().invoke(app, words)
    assert ran.exit_code == 0, ran.output
    facts = json.loads(ran.stdout)
    assert facts["notes"][0].startswith("<Mira> comes from The Lamp Keeper")
    assert saw(film, "0004")[0] == ("Mira", "0001")
    story.write_text("A dog slept in the forest.")
    ran = CliRunner().invoke(app, words)
    assert ran.exit_code == 3


@pytest.mark.slow
def test_the_theatre_lends_its_people(tmp_path: Path) -> None:
    first, second = tmp_path / "one.txt", tmp_path / "two.txt"
    first.write_text("Mira, a tall girl in a red coat and a blue hat, walked in the forest at night.")
    second.write_text("Mira jumped in the desert by day. Tom waved in the desert by day.")
    run = CliRunner()
    for words in (
        ["plan", str(first), "--out", str(tmp_path / "film1"), "--quiet"],
        ["plan", str(second), "--out", str(tmp_path / "film2"), "--cast-from", str(tmp_path / "film1")],
    ):
        assert run.invoke(app, words).exit_code == 0
    board = Storyboard.load(tmp_path / "film2")
    assert board.cast[0].look == Storyboard.load(tmp_path / "film1").cast[0].look
    assert saw(tmp_path / "film2", "0001") == [("Mira", "0001")]
    frame = np.asarray(Image.open(tmp_path / "film2" / "keyframes" / "0001.png").convert("RGB")).astype(int)
    red = (frame[..., 0] > 130) & (frame[..., 1] < 70) & (frame[..., 2] < 90)
    assert red.sum() > 100  # her coat
