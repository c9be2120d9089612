import json
from pathlib import Path

import pytest
import torch

from cinema_cli.errors import InputError, Interrupted, MissingError
from cinema_cli.progress import Progress
from cinema_cli.sampling.sample import SampleConfig, sample_dataset
from cinema_cli.training.checkpoint import module_weights
from cinema_cli.training.stages import train_keyframes
from kept_films import change_shots, drawn_film, flag
from keyframe_runs import frozen_parts
from keyframe_runs import tiny_training as config


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return frozen_parts(tmp_path_factory.mktemp("run"))


def test_stages_follow_each_other(run):
    with Progress(quiet=True) as progress:
        with pytest.raises(InputError, match="comes first"):
            train_keyframes(8, run, config(), progress)
        first = train_keyframes(1, run, config(), progress)
        with pytest.raises(InputError, match="stage-4: this stage comes first"):
            train_keyframes(8, run, config(), progress)
        second = train_keyframes(4, run, config(), progress)
        with pytest.raises(InputError, match="among 1, 4, 8 was wanted, found 16"):
            train_keyframes(16, run, config(), progress)
    assert {"transformer", "text_encoder", "text_encoder_2"} <= {p.name for p in first.iterdir()}
    assert "text_encoder_2" not in {p.name for p in second.iterdir()}
    lines = (second.parent / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2]
    assert (second.parent / "previews" / "step-000002.png").stat().st_size > 0
    moved = [
        not torch.equal(a, b)
        for a, b in zip(
            module_weights(first / "transformer").values(),
            module_weights(second / "transformer").values(),
            strict=True,
        )
    ]
    assert any(moved)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "dataset"
    for seed in range(2):
        drawn_film(folder / f"film-{seed}", 20, seed)
    with Progress(quiet=True) as progress:
        sample_dataset(folder, SampleConfig(pairs=(8,)), progress)
    return folder


SMALL = ("frame_size=[16,32]", "stages.8.sequences=2")


def trained(run: Path, dataset: Path, *changes: str, **where: object) -> Path:
    """Stage 8 on a dataset; starts from the embedded layout, for no earlier stage is there."""
    with Progress(quiet=True) as progress:
        return train_keyframes(8, run, config(*SMALL, *changes), progress, dataset, **where)


def losses(checkpoint: Path) -> list[float]:
    lines = (checkpoint.parent / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]
