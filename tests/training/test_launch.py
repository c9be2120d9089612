"""The command itself, started by accelerate as two processes, against one process in this one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cinema_cli.progress import Progress
from cinema_cli.training.stages import train_keyframes
from keyframe_runs import TINY, frozen_parts, tiny_training
from loop_tasks import losses

FP32 = ("stages.1.loop.precision=fp32", "stages.1.loop.optimizer.kind=adamw")

LAUNCH = ["--num_machines=1", "--main_process_port=0", "--mixed_precision=no", "--dynamo_backend=no"]
FSDP = ("--use_fsdp", "--fsdp_version=2")
# A launch for GPUs; `--cpu` starts one process only, however many are asked for.
PLAIN = ("--multi_gpu",)


@pytest.mark.parametrize("how", [FSDP, pytest.param(PLAIN, marks=pytest.mark.slow)])
def test_two_launched_processes_train_a_stage_as_one_does(tmp_path: Path, how: tuple[str, ...]) -> None:
    alone, two = frozen_parts(tmp_path / "alone"), frozen_parts(tmp_path / "two")
    with Progress(quiet=True) as progress:
        train_keyframes(1, alone, tiny_training(*FP32, "stages.1.loop.accumulate=2"), progress)
    launch = [sys.executable, "-m", "accelerate.commands.launch", *how, "--num_processes", "2", *LAUNCH]
    train = ["-m", "cinema_cli", "train-keyframes", "--stage", "1", "--run", str(two)]
    settings = [word for setting in (*TINY, *FP32) for word in ("--set", setting)]
    done = subprocess.run(
        [*launch, *train, *settings],
        capture_output=True,
        text=True,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    stage = Path("checkpoints/keyframes/stage-1")
    assert losses(two / stage) == pytest.approx(losses(alone / stage), rel=1e-5)
    assert json.loads((two / stage / "step-000002/state.json").read_text())["batches"] == 2
    assert "stages:" in (two / stage / "step-000002/config.yaml").read_text()
