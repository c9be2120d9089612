"""The launch files: read by accelerate itself; two processes and the SLURM script really run."""

import json
import os
import signal
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

import pytest
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils.launch import prepare_multi_gpu_env

from keyframe_runs import TINY, frozen_parts
from loop_tasks import losses

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "accelerate"
SCRIPT = FOLDER / "slurm.sbatch"
FILES = {  # machines, GPUs of each, and whether training is to shard
    "one-gpu": (1, 1, False),
    "eight-gpus": (1, 8, False),
    "eight-gpus-fsdp2": (1, 8, True),
    "four-nodes-of-eight": (4, 8, True),
    "thirty-two-nodes-of-eight": (32, 8, True),
    "two-processes-cpu": (1, 2, True),
}
TRAIN = ["-m", "cinema_cli", "train-keyframes", "--stage", "1"]
STAGE = Path("checkpoints/keyframes/stage-1")

SRUN = """#!/bin/bash
# Stands in for srun: every node's task on this machine, and the signal to all processes of the step.
while [[ $1 == --* ]]; do shift; done
tasks=()
for ((node = 0; node < SLURM_JOB_NUM_NODES; node++)); do
  SLURM_NODEID=$node "$@" &
  tasks+=($!)
done
hand_on() { for task in "${tasks[@]}"; do kill -USR1 "$task"; pkill -USR1 -P "$task"; done; }
trap hand_on USR1
code=0
for task in "${tasks[@]}"; do
  wait "$task" || code=$?
  while kill -0 "$task" 2>/dev/null; do wait "$task" || code=$?; done
done
exit "$code"
"""
SCONTROL = """#!/bin/bash
# Stands in for scontrol: names nodes, and notes what it is asked beside.
if [[ $1 == show ]]; then printf 'node-%s\\n' a b c d; else echo "$@" >>"$NOTES/scontrol.notes"; fi
"""
ACCELERATE = """#!/bin/bash
# Stands in for accelerate: notes its command line, and fails.
printf '%s\\n' "$@" >"$NOTES/node-$SLURM_NODEID"
exit 1
"""


def read_by_accelerate(*words: str) -> Namespace:
    """A command line of `accelerate launch` and its file, as accelerate understands them."""
    args, _, _ = _validate_launch_command(launch_command_parser().parse_args(list(words)))
    return args


def settings(*more: str) -> list[str]:
    changes = ("loop.precision=fp32", "loop.optimizer.kind=adamw", *more)
    return [w for s in (*TINY, *(f"stages.1.{c}" for c in changes)) for w in ("--set", s)]


def job(folder: Path, programs: dict[str, str], nodes: int, gpus: int, *words: str) -> subprocess.Popen[str]:
    """The script, as SLURM would start it, with some programs before all others on PATH."""
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    slurm = {
        "SLURM_JOB_ID": "712345",
        "SLURM_JOB_NODELIST": "node-[a-d]",
        "SLURM_JOB_NUM_NODES": str(nodes),
        "SLURM_GPUS_ON_NODE": str(gpus),
    }
    surroundings = {**os.environ, **slurm, "PATH": path, "NOTES": str(folder)}
    if gpus == 2:
        surroundings["CONFIG"] = str(FOLDER / "two-processes-cpu.yaml")
    return subprocess.Popen(
        ["bash", SCRIPT, *words], cwd=ROOT, env=surroundings, stderr=subprocess.PIPE, text=True
    )


def test_every_file_is_known_here() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_file_starts_a_process_for_each_gpu(name: str) -> None:
    machines, gpus, sharded = FILES[name]
    path = str(FOLDER / f"{name}.yaml")
    config = load_config_from_file(path)
    assert (config.num_machines, config.num_processes) == (machines, machines * gpus)
    where = ["--machine_rank", str(machines - 1), "--main_process_ip", "node-a"] if machines > 1 else []
    args = read_by_accelerate("--config_file", path, *where, *TRAIN)
    assert (args.module, args.training_script, args.training_script_args[0]) == (
        True,
        "cinema_cli",
        "train-keyframes",
    )
    assert args.use_fsdp == sharded
    if name == "one-gpu":
        assert not args.multi_gpu
        return
    surroundings = prepare_multi_gpu_env(args)
    assert args.nproc_per_node == str(gpus)
    assert surroundings.get("ACCELERATE_USE_FSDP", "false") == str(sharded).lower()
    if sharded:
        assert surroundings["FSDP_VERSION"] == "2"
        assert surroundings["FSDP_CPU_RAM_EFFICIENT_LOADING"] == "false"
    if machines > 1:
        assert (args.nnodes, args.node_rank) == (str(machines), machines - 1)
        assert args.rdzv_endpoint == "node-a:29500"


@pytest.mark.slow
def test_two_processes_train_together(tmp_path: Path) -> None:
    run = frozen_parts(tmp_path / "run")
    launch = [sys.executable, "-m", "accelerate.commands.launch"]
    launch += ["--config_file", str(FOLDER / "two-processes-cpu.yaml")]
    train = [*TRAIN, "--run", str(run), *settings("loop.steps=1", "loop.preview_every=0")]
    done = subprocess.run([*launch, *train], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(losses(run / STAGE)) == 1
    assert json.loads((run / STAGE / "step-000001/state.json").read_text())["batches"] == 2


def test_a_job_starts_one_launcher_on_each_node(tmp_path: Path) -> None:
    programs = {"srun": SRUN, "scontrol": SCONTROL, "accelerate": ACCELERATE}
    words = [
        "train-keyframes",
        "--stage",
        "16",
        "--set",
        "stages.16.loop.sharding=node",
        "--run",
        "two words",
    ]
    started = job(tmp_path, programs, 4, 8, *words)
    _, said = started.communicate()
    assert (started.returncode, said) == (1, "")
    for node in range(4):
        launch, *line = (tmp_path / f"node-{node}").read_text().splitlines()
        assert launch == "launch"
        args = read_by_accelerate(*line)
        assert args.config_file == "examples/accelerate/four-nodes-of-eight.yaml"
        assert (args.num_machines, args.num_processes, args.machine_rank) == (4, 32, node)
        assert (args.main_process_ip, args.main_process_port) == ("node-a", 22345)
        assert args.use_fsdp
        assert [args.training_script, *args.training_script_args] == ["cinema_cli", *words]
    assert not (tmp_path / "node-4").exists()
    assert not (tmp_path / "scontrol.notes").exists()  # it failed by itself, so it is not queued again


@pytest.mark.slow
def test_a_warned_job_saves_and_is_queued_again(tmp_path: Path) -> None:
    run = frozen_parts(tmp_path / "run")
    many = settings("loop.steps=5000", "loop.save_every=5000", "loop.preview_every=0")
    train = ["train-keyframes", "--stage", "1", "--run", str(run), *many]
    started = job(tmp_path, {"srun": SRUN, "scontrol": SCONTROL}, 1, 2, *train)
    metrics = run / STAGE / "metrics.jsonl"
    while started.poll() is None and not (metrics.exists() and metrics.stat().st_size):
        time.sleep(0.2)
    started.send_signal(signal.SIGUSR1)
    _, said = started.communicate()
    assert started.returncode == 1
    assert "The same command goes on" in said, said[-3000:]
    (saved,) = (run / STAGE).glob("step-*")
    assert len(losses(run / STAGE)) == int(saved.name.removeprefix("step-")) < 5000
    assert (tmp_path / "scontrol.notes").read_text() == "requeue 712345\n"
