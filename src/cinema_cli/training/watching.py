"""Watching a training: what its averaged weights can draw, and how well they do on held-out data.

Every rank takes part, because sharded weights are gathered from all; what counts is what the main one sees.
"""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import convert_outputs_to_fp32
from torch import nn

from cinema_cli.training.checkpoint import Live
from cinema_cli.training.preview import add_below


def draw(task: Any, folder: Path, done: int, live: Live, accelerator: Accelerator) -> None:
    """A preview after ``done`` steps, and below it the one of the frozen base, before any training.

    A task draws the same frames from the same noise every time, so the base's strip is drawn once.
    """
    with TemporaryDirectory() as unseen:
        previews = folder / "previews" if live.ranks.main else Path(unseen)
        path, base = (previews / f"step-{step:06d}.png" for step in (done, 0))
        # Where only adapters are trained, it is their model that computes.
        computing = {
            id(m): m for m in (*live.modules.values(), getattr(task, "model", None)) if m is not None
        }
        with live.averages.inside(), _forwards_in_precision(computing.values(), accelerator):
            task.preview(path)
        if done and path.is_file() and base.is_file():
            add_below(path, base)


@torch.no_grad()
def validate(task: Any, live: Live, accelerator: Accelerator) -> float:
    """The validation loss; the main rank's on every rank, so that all decide alike."""
    with live.averages.inside(), accelerator.autocast():
        return live.ranks.from_main(float(task.validate()))


@contextlib.contextmanager
def _forwards_in_precision(modules: Iterable[nn.Module], accelerator: Accelerator) -> Iterator[None]:
    """In this block the modules compute as in training, and nothing else does.

    A preview also decodes: an autoencoder's convolutions over time in bf16 crash on CPUs with AMX.
    """
    changed = list(modules)
    for module in changed:
        module.forward = convert_outputs_to_fp32(accelerator.autocast()(module.forward))
    try:
        yield
    finally:
        for module in changed:
            del module.forward
