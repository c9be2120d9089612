"""``cinema train-keyframes`` on a dataset; what it trains is tested in ``training``."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cinema_cli.cli.app import app
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
