"""A film without a fine-tune, with the real commands: an editor draws, stock Wan moves; tiny and random."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus
from PIL import Image
from typer.testing import CliRunner

from cinema_cli.cli.app import app
from cinema_cli.ffmpeg import probe
from cinema_cli.storyboard import Storyboard
from stock_models import BUILDERS, build_stock_wan

STORY = "Mira walks in the forest. Tom waves on the beach at night. Mira jumps in the castle."
RECENCY = "retrieval.kind=recency"
FEW = ("--steps", "2", "--json")
PLAN = (
    *FEW,
    "--set",
    "frame_size=[32, 64]",
    "--set",
    "shot_seconds='1/4'",
    "--set",
    "retrieval.kind=recency",
)
RENDER = (*FEW, "--set", "guidance=5.0")


def cinema(*words: str | Path) -> dict[str, Any]:
    """What a command says, as JSON; with what it says on the way as ``said``."""
    ran = CliRunner().invoke(app, [str(word) for word in words])
    assert ran.exit_code == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    return {**told, "said": ran.stderr}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    BUILDERS["kontext"](folder / "kontext")
    build_stock_wan(folder / "wan")
    return folder


@pytest.fixture(scope="module")
def film(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    story = tmp_path_factory.mktemp("film") / "story.txt"
    story.write_text(STORY, encoding="utf-8")
    made = cinema("plan", story, "--out", story.parent, "--model", models / "kontext", *PLAN)
    assert (made["shots"], made["drawn"]) == (3, 3)
    assert made["mode"].startswith("no fine-tune: FluxKontextPipeline, frame by frame, beside the best")
    assert made["mode"] in made["said"].replace("\n", " ")
    return story.parent


def context(film: Path) -> list[list[str]]:
    return [[each.shot for each in shot.context] for shot in Storyboard.load(film).shots]


def pictures(film: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((film / "keyframes").iterdir())]


def mirror_first(film: Path) -> None:
    first = film / "keyframes" / "0001.png"
    Image.fromarray(np.asarray(Image.open(first))[:, ::-1].copy()).save(first)


def test_three_shots_become_a_film_without_a_fine_tune(film: Path, models: Path) -> None:
    board = Storyboard.load(film)
    assert context(film) == [[], ["0001"], ["0002"]]
    made_with = [shot.keyframe_made_with for shot in board.shots]
    assert {(m.model, m.backend) for m in made_with if m} == {("kontext", "FluxKontextPipeline")}
    made = cinema("render", film, "--model", models / "wan", *RENDER)
    assert (made["rendered"], made["skipped"]) == (3, 0)
    assert made["mode"] == "no fine-tune: stock Wan, shot by shot, each from its keyframe"
    assert made["mode"] in made["said"].replace("\n", " ")
    assert probe(film / "film.mp4").frames == 3 * 6
    assert [s.clip_made_with.backend for s in Storyboard.load(film).shots if s.clip_made_with] == [
        "stock-wan"
    ] * 3
    assert cinema("render", film, "--model", models / "wan", *RENDER)["rendered"] == 0
    again = cinema("render", film, "--model", models / "wan", *RENDER, "--set", "animator=interleaved")
    assert again["rendered"] == 3
    assert "not trained for" in again["mode"]


def test_the_second_frame_saw_the_first_and_a_pin_is_honoured(film: Path, models: Path) -> None:
    plan = ("plan", film / "storyboard.json", "--model", models / "kontext", *PLAN)
    assert cinema(*plan)["drawn"] == 0
    before = pictures(film)
    mirror_first(film)
    made = cinema(*plan, "--refresh")
    assert made["drawn"] == 2
    assert [a != b for a, b in zip(before, pictures(film), strict=True)] == [True] * 3
    board = Storyboard.load(film)
    board.with_shot("0003", pin=("0001",), keyframe=None, keyframe_made_with=None).save(film)
    before = pictures(film)
    assert cinema(*plan)["drawn"] == 1
    assert context(film) == [[], ["0001"], ["0001"]]
    assert pictures(film)[2] != before[2]
    several = cinema(*plan, "--set", "references=2")
    assert several["drawn"] == 3
    assert context(film) == [[], ["0001"], ["0001", "0002"]]


@pytest.mark.parametrize("name", ["flux-2", "klein", "qwen"])
def test_every_editor_draws_a_film(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Qwen's pipeline enlarges what it is shown to a megapixel.
    monkeypatch.setattr(pipeline_qwenimage_edit_plus, "VAE_IMAGE_SIZE", 64 * 64)
    monkeypatch.setattr(pipeline_qwenimage_edit_plus, "CONDITION_IMAGE_SIZE", 64 * 64)
    model, story = BUILDERS[name](tmp_path / "model"), tmp_path / "story.txt"
    story.write_text(STORY, encoding="utf-8")
    size = ("--set", "frame_size=[64, 64]", "--set", "guidance=4.0", "--set", "text_length=512", "--quiet")
    plan = ("--model", model, *PLAN, *size)
    made = cinema("plan", story, "--out", tmp_path, *plan)
    assert (made["drawn"], made["said"]) == (3, "")
    assert context(tmp_path) == [[], ["0001"], ["0001", "0002"]]
    assert len(set(pictures(tmp_path))) == 3
    before = pictures(tmp_path)
    mirror_first(tmp_path)
    made = cinema("plan", tmp_path / "storyboard.json", *plan, "--refresh")
    assert made["drawn"] == 2
    assert [a != b for a, b in zip(before, pictures(tmp_path), strict=True)] == [True] * 3


def test_the_doctor_knows_an_editor(models: Path) -> None:
    ran = CliRunner().invoke(app, ["doctor", "--model", str(models / "kontext"), "--json"])
    found = {each["name"]: each["found"] for each in json.loads(ran.stdout)["findings"]}
    assert found["keyframes: pipeline"] == "FluxKontextPipeline"
    assert found["keyframes: transformer"].startswith("FluxTransformer2DModel")


def test_a_dry_run_says_what_an_editor_would_draw(film: Path, models: Path) -> None:
    before = pictures(film)
    plan = ("plan", film / "storyboard.json", "--model", models / "kontext", *PLAN, "--dry-run")
    told = cinema(*plan, "--set", "references=3", "--set", "negative=blur")
    assert (told["shots"], told["drawn"], told["steps"], told["references"]) == (3, 3, 6, 3)
    words = [str(word) for word in plan if word != "--json"]
    ran = CliRunner().invoke(app, [*words, "--set", "references=3", "--redo", "2"])
    assert ran.exit_code == 0
    assert "3, beside at most 3 others, in 6 steps" in ran.stdout
    assert "offload none, " in ran.stdout
    assert pictures(film) == before


def test_what_an_editor_does_not_do_is_refused(film: Path, models: Path) -> None:
    for more, wanted in (
        (("--mode", "joint"), "draws frame by frame"),
        (("--set", "retrieval.kind=t5"), "clip or recency was wanted"),
        (("--set", "offload=sequential"), "auto, none, model or group was wanted"),
        (("--adapter", models), "which draws as it is and is not trained, adapted or estimated"),
    ):
        words = ["plan", film / "storyboard.json", "--model", models / "kontext", *PLAN, *more]
        ran = CliRunner().invoke(app, [str(word) for word in words])
        assert ran.exit_code == 3
        assert wanted in " ".join(ran.stderr.split())
