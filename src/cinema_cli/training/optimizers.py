"""Optimizers and the learning rate: AdamW everywhere (Table 4), also with averages of a byte each, or Muon.

Muon is for the matrices inside blocks.
"""

import math
import re
from collections.abc import Iterable
from typing import Literal

import torch
from torch import nn

from cinema_cli.config import Config
from cinema_cli.training.eight_bit import BYTES, AdamW8bit


class OptimizerConfig(Config):
    """How weights are moved."""

    kind: Literal["adamw", "adamw8bit", "muon"] = "adamw"
    """``adamw8bit`` keeps AdamW's two averages in a byte each, 2 bytes a weight instead of 8 (Dettmers and
    others, 2021).  ``muon`` moves the matrices inside transformer blocks by Muon and everything else by
    AdamW; its iteration runs in bfloat16, sums over slices of sharded weights are rounded elsewhere."""
    learning_rate: float = 4e-4
    """Peak rate (Table 4)."""
    betas: tuple[float, float] = (0.9, 0.999)
    """AdamW's averages (Table 4)."""
    epsilon: float = 1e-8
    """AdamW's guard against division by zero (Table 4)."""
    weight_decay: float = 0.01
    """Decay of matrices, as a fraction of the rate; vectors are not decayed."""
    warmup: int = 500
    """Steps of linear warm-up (Table 4)."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """What follows the warm-up (Table 4: cosine)."""
    floor: float = 0.0
    """Where the cosine ends, as a fraction of the peak."""

    @property
    def bytes_per_weight(self) -> float:
        """What the optimizer keeps of a weight; with Muon, of one inside a matrix of a block."""
        return {"adamw": 8.0, "adamw8bit": BYTES, "muon": 4.0}[self.kind]


def rate_at(step: int, steps: int, config: OptimizerConfig) -> float:
    """Learning rate of a step (0-based): linear warm-up, then cosine decay or constant."""
    warm = min(1.0, (step + 1) / max(1, config.warmup))
    if config.schedule == "constant":
        return config.learning_rate * warm
    done = min(1.0, max(0, step - config.warmup) / max(1, steps - config.warmup))
    cosine = config.floor + (1 - config.floor) * 0.5 * (1 + math.cos(math.pi * done))
    return config.learning_rate * warm * cosine


def build_optimizers(modules: Iterable[nn.Module], config: OptimizerConfig) -> list[torch.optim.Optimizer]:
    """One or two optimizers that together hold every trainable parameter once."""
    named = [item for module in modules for item in module.named_parameters() if item[1].requires_grad]
    by_muon = {
        name
        for name, p in named
        if config.kind == "muon"
        and p.ndim == 2
        and re.search(r"(blocks?|layers|resnets)\.\d+\.", name)
        and "relative_attention_bias" not in name  # T5 keeps a table of distances inside its first block
    }
    matrices = [p for name, p in named if name in by_muon]
    rest = [(name, p) for name, p in named if name not in by_muon]
    kind = AdamW8bit if config.kind == "adamw8bit" else torch.optim.AdamW
    adamw = kind(
        [
            {"params": [p for _, p in rest if p.ndim >= 2], "weight_decay": config.weight_decay},
            {"params": [p for _, p in rest if p.ndim < 2], "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
        betas=config.betas,
        eps=config.epsilon,
    )
    if not matrices:
        return [adamw]
    muon = torch.optim.Muon(
        matrices, lr=config.learning_rate, weight_decay=config.weight_decay, adjust_lr_fn="match_rms_adamw"
    )
    return [adamw, muon]
