"""AdamW whose two averages take a byte a weight (Dettmers et al., 2021: 8-bit optimizers, block-wise).

256 neighbours share a scale, the largest magnitude among them.  Each is kept as the nearest of 256 levels,
which lie close together near zero and spread over seven decades.  Written here in plain torch, because the
libraries that have it are imported by diffusers in every command where they are installed.

Two things are not the paper's.  An average of squares never becomes zero by rounding: the step is divided by
its root, and would leap.  And blocks do not cross from one rank's rows to another's, so that a checkpoint is
the same however many ranks wrote it.

Small tensors, and those whose rows do not divide so, are kept in fp32.
"""

import math
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor, Shard
from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

from cinema_cli.training.sharding import own

BLOCK = 256
"""Neighbours that share a scale (bitsandbytes and torchao: as many)."""
SMALLEST = 4096
"""Numbers of a tensor from which on its averages take bytes (bitsandbytes and torchao: as many)."""
BYTES = 2 * (1 + 4 / BLOCK)
"""Of both averages of a weight: a code each, and a scale of four bytes for each block."""
AVERAGES = {"exp_avg": True, "exp_avg_sq": False}
"""By torch's names: those of the gradient, which have a sign, and of its square, which have none."""


class AdamW8bit(torch.optim.Optimizer):
    """AdamW; a group has ``params``, ``lr``, ``betas``, ``eps`` and ``weight_decay``, as torch's has."""

    def __init__(
        self, groups: Iterable[dict[str, Any]], lr: float, betas: tuple[float, float], eps: float
    ) -> None:
        """Averages are made in the first step that has a gradient."""
        super().__init__(groups, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._move(p, group)

    def _move(self, p: Tensor, group: Mapping[str, Any]) -> None:
        state = self.state[p]
        if not state:
            state |= {"step": torch.tensor(0.0)} | _empty(p)
        state["step"] += 1
        # Take the gradient in; in full precision, and only then rounded for the next step.
        assert p.grad is not None
        weight, gradient, (beta1, beta2) = own(p), own(p.grad).float(), group["betas"]
        mean = _read(state, "exp_avg").lerp_(gradient, 1 - beta1)
        square = _read(state, "exp_avg_sq").mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        _write(state, "exp_avg", mean)
        _write(state, "exp_avg_sq", square)
        # Move, in the order of torch's AdamW.
        steps, rate = float(state["step"]), group["lr"]
        root = square.sqrt().div_(math.sqrt(1 - beta2**steps)).add_(group["eps"])
        weight.mul_(1 - rate * group["weight_decay"]).addcdiv_(mean, root, value=-rate / (1 - beta1**steps))

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take averages in that any number of ranks kept; torch's own would make floats of the codes."""
        super().load_state_dict({"state": {}, "param_groups": state_dict["param_groups"]})
        held = [p for group in self.param_groups for p in group["params"]]
        for index, entry in state_dict["state"].items():
            self.state[held[index]] = _taken_over(held[index], entry)


@cache
def levels(signed: bool, device: torch.device) -> Tensor:
    """The 256 numbers in [-1, 1], or [0, 1], that a code can mean, rising: fp32 (256,).

    Zero, one, and in each of seven decades twice as many as in the one below it, evenly spaced.
    """
    found = [0.0, 1.0]
    for decade in range(7):
        edges = torch.linspace(0.1, 1, 2 ** (decade if signed else decade + 1) + 1, dtype=torch.float64)
        means = (edges[1:] + edges[:-1]) / 2 * 10.0 ** (decade - 6)
        found += [*means.tolist(), *((-means).tolist() if signed else ())]
    return torch.tensor(sorted(found), dtype=torch.float32, device=device)


def _empty(p: Tensor) -> dict[str, Tensor]:
    """Averages of a parameter, all zero, sharded as it is."""
    if not _takes_bytes(p):
        return {name: torch.zeros_like(p, dtype=torch.float32) for name in AVERAGES}
    scale = torch.zeros(own(p).numel() // BLOCK, device=p.device)
    if isinstance(p, DTensor):
        scale = DTensor.from_local(scale, p.device_mesh, p.placements, run_check=False)
    codes = {name: torch.zeros_like(p, dtype=torch.uint8) for name in AVERAGES}
    return codes | {f"{name}_scale": scale.clone() for name in AVERAGES}


def _takes_bytes(p: Tensor) -> bool:
    """Whether averages of a parameter take bytes; all ranks judge alike."""
    ranks = 1
    if isinstance(p, DTensor):
        sizes = zip(p.device_mesh.shape, p.placements, strict=True)
        ranks = math.prod(size for size, placement in sizes if isinstance(placement, Shard))
    return p.numel() >= SMALLEST and p.shape[0] % ranks == 0 and p.numel() // ranks % BLOCK == 0


def _read(state: Mapping[str, Tensor], name: str) -> Tensor:
    """This rank's part of an average; of one that is kept in fp32 it is the memory itself."""
    codes = own(state[name])
    if codes.dtype != torch.uint8:
        return codes
    return _decoded(codes, own(state[f"{name}_scale"]).repeat_interleave(BLOCK), AVERAGES[name])


def _decoded(codes: Tensor, scales: Tensor, signed: bool) -> Tensor:
    """What codes mean; ``scales`` (numbers of ``codes``,) has one for each."""
    return levels(signed, codes.device)[codes.int()] * scales.view(codes.shape)


def _write(state: Mapping[str, Tensor], name: str, value: Tensor) -> None:
    """Keep this rank's part of an average."""
    kept, signed = own(state[name]), AVERAGES[name]
    if kept.dtype != torch.uint8:
        kept.copy_(value)
        return
    blocks, known = value.reshape(-1, BLOCK), levels(signed, value.device)
    scale = blocks.abs().amax(dim=1)
    shares = blocks / scale.clamp(min=torch.finfo(torch.float32).tiny)[:, None]
    codes = torch.bucketize(shares, (known[1:] + known[:-1]) / 2, out_int32=True)
    if not signed:
        codes.clamp_(min=1)  # level 0 is zero
    kept.copy_(codes.view(kept.shape))
    own(state[f"{name}_scale"]).copy_(scale)


def _taken_over(p: Tensor, entry: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """State of a parameter from a checkpoint's: codes as they are where this rank's blocks are theirs.

    Args:
        p: The parameter, sharded or not.
        entry: Averages sharded as ``p`` is; their scales whole.
    """
    state = {"step": entry["step"].clone()} | _empty(p)
    first = 0
    if isinstance(p, DTensor):
        offset = compute_local_shape_and_global_offset(p.shape, p.device_mesh, p.placements)[1]
        first = offset[0] * math.prod(p.shape[1:])
    for name, signed in AVERAGES.items():
        found, kept = own(entry[name]).to(p.device), own(state[name])
        if found.dtype != torch.uint8:
            _write(state, name, found)
            continue
        scale = entry[f"{name}_scale"].to(p.device)
        if kept.dtype == torch.uint8:
            kept.copy_(found)
            own(state[f"{name}_scale"]).copy_(scale[first // BLOCK :][: kept.numel() // BLOCK])
        else:
            scales = scale.repeat_interleave(BLOCK)[first:][: found.numel()]
            kept.copy_(_decoded(found, scales, signed))
    return state
