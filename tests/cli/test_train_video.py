"""``cinema train-video`` on a dataset; what it trains is tested in ``training``."""

import json
import re
from pathlib import Path

from typer.testing import CliRunner, Result

from cinema_cli.cli.app import app
from clipped_films import TINY, clipped_film
from kept_films import drawn_film
from tiny_models import build_tiny_models

SETTINGS = [word for change in TINY for word in ("--set", change)]


def cinema(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_from_clips_to_a_checkpoint(tmp_path: Path) -> None:
    data = clipped_film(tmp_path / "dataset" / "film", (6, 9, 5)).parent
    model = build_tiny_models(tmp_path / "model")
    train = ["train-video", "--data", data, "--init", model, "--run", tmp_path / "run", *SETTINGS]
    ran = cinema(*train, "--json")
    assert ran.exit_code == 0, ran.stderr
    assert "2 windows of 2 shots in 1 films" in ran.stderr
    checkpoint = Path(json.loads(ran.stdout)["checkpoint"])
    assert checkpoint == tmp_path / "run/checkpoints/video/step-000002"
    assert (checkpoint / "transformer" / "config.json").is_file()


def test_a_dataset_without_clips_is_told_what_to_do(tmp_path: Path) -> None:
    data = drawn_film(tmp_path / "dataset" / "film", 3).parent
    model = build_tiny_models(tmp_path / "model")
    ran = cinema("train-video", "--data", data, "--init", model, "--run", tmp_path / "run", *SETTINGS)
    assert ran.exit_code == 3
    assert "cinema ingest MOVIE --clips" in " ".join(ran.stderr.split())


def test_a_wrong_dataset_is_told(tmp_path: Path) -> None:
    ran = cinema("train-video", "--data", tmp_path / "nowhere", "--run", tmp_path / "run")
    assert ran.exit_code == 3
    assert "a folder of ingested films" in ran.stderr
    assert not (tmp_path / "run").exists()


def test_a_dry_run_tells_the_config_and_what_it_would_cost(tmp_path: Path) -> None:
    dry = ["train-video", "--preset", "wan-ti2v-5b-lora", "--run", tmp_path / "run", "--data", tmp_path]
    dry += ["--set", "frames=[49]", "--init", "toy", "--dry-run", "--on", "8 x H100"]
    ran = cinema(*dry)
    assert ran.exit_code == 0, ran.stderr
    assert "rank: 64" in ran.stdout
    assert re.search(r"^sequence +4 shots of 49 frames of 352 x 704", ran.stdout, re.MULTILINE)
    assert re.search(r"^devices +8 x NVIDIA H100 80GB HBM3$", ran.stdout, re.MULTILINE)
    whole = json.loads(cinema(*dry, "--json").stdout)
    assert whole["config"]["frames"] == [49]
    assert whole["config"]["loop"]["optimizer"]["betas"] == [0.9, 0.95]
    assert 0 < whole["trained"] < whole["parameters"]
    assert not (tmp_path / "run").exists()


def test_a_dry_run_without_a_model_to_count_is_told_what_to_do(tmp_path: Path) -> None:
    ran = cinema("train-video", "--preset", "wan-ti2v-5b", "--run", tmp_path / "run", "--dry-run")
    assert ran.exit_code == 4
    assert "--init DIR" in ran.stderr
