"""Metrics: a line for every step in ``metrics.jsonl``, and the trackers that users like to look at.

The file holds every step once: what a killed run wrote behind its checkpoint is cut off when it goes on.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from accelerate import Accelerator
from accelerate.tracking import get_available_trackers

from cinema_cli.errors import MissingError
from cinema_cli.files import write_atomic
from cinema_cli.models.rates import PEAK_BF16, measured_rate

Tracker = Literal["tensorboard", "wandb", "trackio"]
TRACKERS = "trackers"
"""Folder of what trackers write, beside the checkpoints."""


class Metrics:
    """``metrics.jsonl``, the trackers, and a smoothed loss to show."""

    def __init__(self, path: Path, done: int, accelerator: Accelerator) -> None:
        """Keep the lines of the steps that are ``done``; only the main rank has a file."""
        self.path, self.accelerator = path, accelerator
        self.smooth = float("nan")
        if accelerator.is_main_process:
            path.parent.mkdir(parents=True, exist_ok=True)
            _cut(path, done)

    def write(self, step: int, loss: float, **facts: Any) -> None:
        """Note a step."""
        self.smooth = loss if self.smooth != self.smooth else 0.98 * self.smooth + 0.02 * loss
        line = {"step": step, "loss": loss, **facts}
        if self.accelerator.is_main_process:
            try:
                with self.path.open("a") as lines:
                    lines.write(json.dumps(line) + "\n")
            except OSError as error:
                raise MissingError(
                    f"{self.path}: cannot be written ({error.strerror}). Free some space and run it again: "
                    "it goes on from the newest checkpoint."
                ) from error
        numbers = {key: value for key, value in line.items() if isinstance(value, int | float)}
        self.accelerator.log(numbers, step=step)

    def to_disk(self) -> None:
        """Before a checkpoint says that these steps are done."""
        if self.accelerator.is_main_process and self.path.exists():
            with self.path.open("rb") as lines:
                os.fsync(lines.fileno())


def _cut(path: Path, done: int) -> None:
    """Remove lines of later steps, and a line that a killed run did not finish."""
    if not path.exists():
        return
    content = path.read_text()
    kept = []
    for line in content.splitlines(keepends=True):
        try:
            if line.endswith("\n") and json.loads(line)["step"] <= done:
                kept.append(line)
        except (ValueError, KeyError, TypeError):  # torn by a crash of the machine
            continue
    if "".join(kept) != content:
        write_atomic(path, "".join(kept))


def refuse_missing_trackers(wanted: Sequence[Tracker]) -> None:
    """Tell of a tracker that is not installed: accelerate passes over it without a word.

    Raises:
        MissingError: one is not installed.
    """
    there = {str(tracker) for tracker in get_available_trackers()} if wanted else set()
    missing = [tracker for tracker in wanted if tracker not in there]
    if missing:
        raise MissingError(
            f"report_to: {', '.join(missing)} wanted, but not installed. pip install {' '.join(missing)}, "
            "or leave it out: metrics.jsonl is always written."
        )


@contextlib.contextmanager
def tracking(
    accelerator: Accelerator, what: str, run: str, done: int, config: Mapping[str, Any]
) -> Iterator[None]:
    """In this block the trackers are told; begins or goes on with their run of this name.

    Args:
        accelerator: made with the trackers that are wanted.
        what: name of the project.
        run: id of the run, the same whenever it goes on.
        done: steps that were taken; TensorBoard drops what a killed run told of later ones.
        config: shown beside the curves.
    """
    accelerator.init_trackers(
        "".join(c if c.isalnum() else "-" for c in what),
        config={key: value for key, value in config.items() if isinstance(value, str | int | float | bool)},
        init_kwargs={
            "wandb": {"id": run, "resume": "allow"},
            "trackio": {"name": run, "resume": "allow"},
            "tensorboard": {"purge_step": done + 1},
        },
    )
    try:
        yield
    finally:
        for tracker in accelerator.trackers:
            tracker.finish()


def peak_rate(device: torch.device, bf16: bool) -> float:
    """FLOP/s of which MFU is a share: the vendor's figure of a known GPU, else a bare product's."""
    if device.type == "cuda" and bf16:
        known = PEAK_BF16.get(torch.cuda.get_device_name(device))
        if known is not None:
            return known
    return measured_rate(device, torch.bfloat16 if bf16 else torch.float32)
