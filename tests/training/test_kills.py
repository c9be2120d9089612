import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cinema_cli.training.checkpoint import module_weights
from loop_tasks import lines, losses


@pytest.mark.parametrize("kills", [4, pytest.param(50, marks=pytest.mark.slow)])
def test_a_training_that_is_killed_ends_as_one_that_never_was(tmp_path, kills):
    worker = Path(__file__).parents[1] / "kill_worker.py"
    done = subprocess.run([sys.executable, str(worker), tmp_path, str(kills)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads((tmp_path / "told.json").read_text())
    print(kills, told)
    assert kills < 50 or told["torn"] > 0  # some did hit a checkpoint that was being written
    killed, straight = tmp_path / "killed", tmp_path / "straight"
    assert [line["step"] for line in lines(killed)] == list(range(1, told["steps"] + 1))
    assert losses(killed) == losses(straight)
    for part in ("transformer", "ema/transformer"):
        a, b = (module_weights(run / f"step-{told['steps']:06d}" / part) for run in (killed, straight))
        assert all(torch.equal(a[key], b[key]) for key in a)
    assert not list(killed.glob(".step-*"))
