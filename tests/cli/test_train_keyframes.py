"""``cinema train-keyframes`` on a dataset; what it trains is tested in ``training``."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cinema_cli.cli.app import app
from cinema_cli.training.checkpoint import list_checkpoints
from kept_films import drawn_film
from keyframe_runs import TINY
from tiny_models import build_tiny_models


def cinema(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return drawn_film(tmp_path / "dataset" / "film", 12).parent


def test_from_keyframes_to_a_checkpoint(dataset: Path, tmp_path: Path) -> None:
    model = build_tiny_models(tmp_path / "model")
    settings = [word for change in (*TINY, "frame_size=[16,32]") for word in ("--set", change)]
    train = ["train-keyframes", "--stage", 8, "--data", dataset, "--init", model, "--run", tmp_path / "run"]
    early = cinema(*train, *settings)
    assert early.exit_code == 4
    assert "Run `cinema sample` with --pairs 8 first" in early.stderr
    assert cinema("sample", dataset, "--pairs", 8, "--out", tmp_path / "drawn").exit_code == 0
    ran = cinema(*train, "--sequences", tmp_path / "drawn", *settings, "--quiet", "--json")
    assert ran.exit_code == 0, ran.stderr
    checkpoint = Path(json.loads(ran.stdout)["checkpoint"])
    assert checkpoint == tmp_path / "run/checkpoints/keyframes/stage-8/step-000002"
    assert (checkpoint / "transformer" / "config.json").is_file()


def test_a_wrong_dataset_is_told(tmp_path: Path) -> None:
    ran = cinema("train-keyframes", "--stage", 8, "--data", tmp_path / "nowhere", "--run", tmp_path / "run")
    assert ran.exit_code == 3
    assert "a folder of ingested films" in ran.stderr
    assert not (tmp_path / "run").exists()


def test_a_run_without_frozen_parts_is_told_what_to_do(tmp_path: Path) -> None:
    ran = cinema("train-keyframes", "--stage", 1, "--run", tmp_path / "run")
    assert ran.exit_code == 4
    assert "--init toy" in ran.stderr


def test_a_named_checkpoint_is_gone_on_from_and_later_ones_are_put_aside(tmp_path: Path) -> None:
    model = build_tiny_models(tmp_path / "model")
    changes = (*TINY, "stages.8.loop.steps=3", "stages.8.loop.save_every=1", "stages.8.loop.keep=3")
    settings = [word for change in changes for word in ("--set", change)]
    train = ["train-keyframes", "--stage", 8, "--init", model, "--run", tmp_path / "run", *settings]
    assert cinema(*train).exit_code == 0
    stage = tmp_path / "run/checkpoints/keyframes/stage-8"
    wrong = cinema(*train, "--checkpoint", "step-000009")
    assert wrong.exit_code == 3
    assert "There are: step-000001, step-000002, step-000003" in wrong.stderr
    again = cinema(*train, "--checkpoint", "step-000001")
    assert again.exit_code == 0, again.stderr
    assert "Put step-000003 aside as" in " ".join(again.stderr.split())
    steps = [json.loads(line)["step"] for line in (stage / "metrics.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3]
    assert [path.name for path in list_checkpoints(stage)] == [f"step-{step:06d}" for step in steps]
