"""Trains and kills itself: ``kill_worker.py FOLDER KILLS`` for ``training/test_kills.py``.

Libraries are loaded once; every training is a child of its own, ended by SIGKILL some instants after its
first step, which is mostly spent in writing checkpoints.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from cinema_cli.training.checkpoint import faults, list_checkpoints, newest_checkpoint, step_of
from loop_tasks import LOOP, TinyTask, run

STEADY = LOOP.optimizer.model_copy(update={"schedule": "constant"})
"""No step may depend on how many there are to come."""
INSTANTS = 0.2
"""Seconds within which a child is killed."""
DEADLINE = 240.0
"""Seconds after which a child that takes no step is given up."""


def start(folder: Path, steps: int) -> int:
    """Train in a child."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        run(TinyTask(), folder, steps=steps, optimizer=STEADY, save_every=1, preview_every=0)
        code = 0
    finally:
        os._exit(code)


def killed(folder: Path, instant: float) -> None:
    """Train until a first new step is told, and an instant more."""
    metrics = folder / "metrics.jsonl"
    before = metrics.stat().st_mtime_ns if metrics.exists() else 0
    child = start(folder, 10**6)
    given_up = time.monotonic() + DEADLINE
    while not (metrics.exists() and metrics.stat().st_mtime_ns != before and steps_told(metrics)):
        assert time.monotonic() < given_up
        time.sleep(0.005)
    time.sleep(instant)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def steps_told(metrics: Path) -> int:
    return metrics.read_bytes().count(b"\n")


def main(folder: Path, kills: int) -> None:
    rng = random.Random(kills)
    torn = 0
    for _ in range(kills):
        killed(folder / "killed", rng.uniform(0, INSTANTS))
        torn += any((folder / "killed").glob(".step-*.part"))
        for checkpoint in list_checkpoints(folder / "killed"):
            assert not faults(checkpoint), checkpoint
    newest = newest_checkpoint(folder / "killed")
    steps = 3 + (step_of(newest) if newest else 0)
    for name in ("killed", "straight"):
        assert os.waitpid(start(folder / name, steps), 0)[1] == 0
    (folder / "told.json").write_text(json.dumps({"torn": torn, "steps": steps}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
