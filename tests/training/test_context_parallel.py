import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cinema_cli.errors import InputError
from cinema_cli.training.checkpoint import module_weights, newest_checkpoint
from cinema_cli.training.ranks import Ranks
from context_worker import STEPS, task
from keyframe_runs import frozen_parts, tiny_training
from loop_tasks import TinyTask, lines, losses, run


def launched(folder: Path, what: str, processes: int = 2) -> None:
    """Processes of ``context_worker.py``."""
    worker = Path(__file__).parents[1] / "context_worker.py"
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    done = subprocess.run(
        [*launch, str(processes), str(worker), str(folder), what],
        capture_output=True,
        text=True,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """One process took three steps; then two shared each of its sequences."""
    folder = tmp_path_factory.mktemp("context")
    frozen_parts(folder / "parts")
    run(task(folder), folder / "alone", **STEPS | {"validate_every": 3})
    run(task(folder, "lora.rank=2"), folder / "alone-lora", **STEPS)
    launched(folder, "two")
    return folder


def assert_same_steps(ours: Path, alone: Path, part: str = "transformer") -> None:
    assert losses(ours) == pytest.approx(losses(alone), rel=1e-5)
    norms = [line["norm"] for line in lines(ours)]
    assert norms == pytest.approx([line["norm"] for line in lines(alone)], rel=1e-5)
    a, b = (module_weights(newest_checkpoint(where) / part) for where in (ours, alone))
    assert list(a) == list(b)
    assert max(float((a[key] - b[key]).abs().max()) for key in a) < 1e-5


def test_each_peer_predicts_its_pairs_of_the_whole_sequence(folder):
    told = [json.loads((folder / f"forward.{rank}.json").read_text()) for rank in (0, 1)]
    assert [one["places"] for one in told] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert max(one["velocity"] for one in told) < 1e-6
    assert max(one["gradient"] for one in told) < 1e-6


@pytest.mark.parametrize("name", ["plain", "sharded"])
def test_two_that_share_a_sequence_take_the_steps_of_one(folder, name):
    assert_same_steps(folder / name, folder / "alone")


def test_adapters_too(folder):
    assert_same_steps(folder / "lora", folder / "alone-lora", "lora")


def test_validation_sees_whole_sequences(folder):
    found, expected = (lines(folder / name)[-1]["validation"] for name in ("plain", "alone"))
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_four_are_two_groups_of_two(folder, tmp_path):
    frozen_parts(tmp_path / "parts")
    run(task(tmp_path), tmp_path / "alone", accumulate=2, **STEPS)
    launched(tmp_path, "four", processes=4)
    assert_same_steps(tmp_path / "four", tmp_path / "alone")
    assert_same_steps(tmp_path / "four-sharded", tmp_path / "alone")


@pytest.mark.slow
def test_compiled_blocks_gather(folder):
    launched(folder, "compiled")
    assert_same_steps(folder / "compiled", folder / "alone")


def test_processes_that_do_not_divide_are_refused(folder):
    for rank in (0, 1):
        said = (folder / f"three.{rank}.txt").read_text()
        assert "a multiple of 3 processes was wanted, found 2" in said
    with pytest.raises(InputError, match="a multiple of 2 processes was wanted, found 1"):
        run(task(folder), folder / "nobody", context=2, **STEPS)


def test_what_cannot_share_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be shared among processes"):
        run(TinyTask(), tmp_path, context=2)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["stages.8.loop.context=3", "stages.8.extend=0"], "a divisor of 8 pairs was wanted, found 3"),
        (["stages.8.loop.context=2", "stages.8.extend=0.5"], "0 was wanted where processes share"),
    ],
)
def test_stages_that_cannot_be_shared_are_refused(changes, said):
    with pytest.raises(InputError, match=said):
        tiny_training(*changes)


def test_neighbours_take_the_same_batches():
    shares = [Ranks(rank, 4, torch.device("cpu"), context=2).share(range(4)) for rank in range(4)]
    assert [list(share) for share in shares] == [[0, 2], [0, 2], [1, 3], [1, 3]]
