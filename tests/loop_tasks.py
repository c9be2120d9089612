"""A tiny real model to train, and runs of it."""

import json
import random
import signal
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.progress import Progress
from cinema_cli.training.loop import LoopConfig, train
from cinema_cli.training.optimizers import OptimizerConfig
from cinema_cli.training.preview import save_strip

TINY = {
    "in_channels": 4,
    "num_layers": 1,
    "num_single_layers": 1,
    "attention_head_dim": 6,
    "num_attention_heads": 1,
    "joint_attention_dim": 4,
    "pooled_projection_dim": 4,
    "axes_dims_rope": (2, 2, 2),
}
LOOP = LoopConfig(
    steps=6,
    optimizer=OptimizerConfig(kind="muon", learning_rate=1e-3, warmup=2),
    precision="fp32",
    save_every=2,
    preview_every=3,
)
ADAMW = OptimizerConfig(learning_rate=1e-3, warmup=2)
ADAMW8 = OptimizerConfig(kind="adamw8bit", learning_rate=1e-3, warmup=2)


HELD_OUT = 10**6


def frames(seed: int) -> Tensor:
    return torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(seed))


class TinyTask:
    """Draws noise from its seed and asks a tiny real FLUX to return its input."""

    def __init__(self, poison: int | None = None, stop_at: int | None = None) -> None:
        """``poison``: seed whose batch is not a number; ``stop_at``: batch before which a signal comes."""
        torch.manual_seed(0)
        self.modules = {"transformer": InterleavedFlux(**TINY)}
        self.poison, self.stop_at = poison, stop_at
        self.signal = signal.SIGINT
        self.seeds: list[int] = []

    def batch(self, seed: int) -> Tensor:
        self.seeds.append(seed)
        if len(self.seeds) == self.stop_at:
            signal.raise_signal(self.signal)
        x = frames(seed)
        return x * float("nan") if seed == self.poison else x

    def flop(self, batch: Tensor) -> float:
        return 10**6

    def loss(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        noise = torch.randn(batch.shape, generator=generator)
        out = self.modules["transformer"](
            batch + noise,
            torch.zeros(2, 1, 4),
            torch.zeros(2, 4),
            torch.ones(2),
            torch.zeros(3, 3),
            torch.zeros(1, 3),
        ).sample
        return (out - batch).square().mean()

    def validate(self) -> float:
        return float(self.loss(frames(HELD_OUT), torch.Generator().manual_seed(1)))

    def preview(self, path: Path) -> None:
        """One grey row: how well the model does."""
        with torch.no_grad():
            grey = int(100 * self.validate()) % 256
        save_strip(path, [torch.full((2, 4, 4, 3), grey, dtype=torch.uint8)])


class WiderTask(TinyTask):
    """Wide enough that averages of its matrices take bytes."""

    MATRIX = "transformer_blocks.0.attn.to_q.weight"

    def __init__(self, stop_at: int | None = None) -> None:
        super().__init__(stop_at=stop_at)
        wider = {"attention_head_dim": 16, "num_attention_heads": 8, "axes_dims_rope": (4, 6, 6)}
        torch.manual_seed(0)
        self.modules = {"transformer": InterleavedFlux(**TINY | wider)}


class Careless(TinyTask):
    """Takes from the libraries' own random numbers, in its loss and in its preview."""

    def loss(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        return super().loss(batch, generator) * (random.random() + np.random.rand() + float(torch.rand(())))


def run(task: TinyTask, folder: Path, quiet: bool = True, checkpoint: str | None = None, **changes) -> Path:
    with Progress(quiet=quiet) as progress:
        return train(task, folder, LOOP.model_copy(update=changes), progress, "tiny", checkpoint)


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def losses(folder: Path) -> list[float]:
    return [line["loss"] for line in lines(folder)]
