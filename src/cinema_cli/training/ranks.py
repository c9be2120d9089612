"""Ranks: the processes that train together, each with its share of a step's batches.

A step has ``accumulate x world`` batches, each with a seed of its own; rank r takes the batches r, r + world,
r + 2 world ...  So what a step learns from does not depend on how many processes there are: one process with
``accumulate=2`` takes the same step as two with ``accumulate=1``.

Where ``context`` neighbouring ranks share every sequence (``models/context_parallel.py``), they count as one:
they take the same batches, and a step has ``accumulate x world / context``.

torch's DDP is not used: it works where the wrapper is called, and a task calls its modules itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from cinema_cli.errors import InputError
from cinema_cli.models.context_parallel import Peers

PATIENCE = timedelta(hours=1)
"""How long ranks wait for each other: the first one draws previews and writes checkpoints meanwhile."""

BUCKET = 1 << 25
"""Numbers of gradient that are sent together."""


@dataclass(frozen=True)
class Ranks:
    """Who this process is among those that train together; alone, all of these are cheap no-ops."""

    rank: int
    """Number of this process, from 0."""
    world: int
    """How many there are."""
    device: torch.device
    """Where this one computes."""
    context: int = 1
    """How many neighbours share a sequence."""

    @property
    def main(self) -> bool:
        """Whether this is the one that writes and talks."""
        return self.rank == 0

    def share(self, seeds: Sequence[int]) -> Sequence[int]:
        """Those of a step's batches that this rank takes."""
        takers = self.world // self.context
        assert len(seeds) % takers == 0, (len(seeds), takers)
        return seeds[self.rank // self.context :: takers]

    def peers(self) -> Peers:
        """Those that share this rank's sequences; all ranks must ask.

        Raises:
            InputError: the processes cannot be grouped so.
        """
        if self.world % self.context:
            raise InputError(
                f"context={self.context}: a multiple of {self.context} processes was wanted, found "
                f"{self.world}. Start so many with `accelerate launch` or torchrun, or take context=1."
            )
        group, _ = dist.new_subgroups(self.context, timeout=PATIENCE)
        return Peers(self.rank % self.context, self.context, group)

    def mean(self, *numbers: float) -> list[float]:
        """Means over all ranks; not a number where one rank's is not."""
        if self.world == 1:
            return list(numbers)
        told = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        dist.all_reduce(told)
        return [number / self.world for number in told.tolist()]

    def from_main(self, number: float) -> float:
        """The main rank's number, on every rank."""
        if self.world == 1:
            return number
        told = torch.tensor(number, dtype=torch.float64, device=self.device)
        dist.broadcast(told, 0)
        return float(told)

    def gather(self, facts: Mapping[str, Tensor]) -> list[Mapping[str, Tensor]]:
        """Every rank's tensors (on the CPU), by rank."""
        if self.world == 1:
            return [facts]
        told: list[Any] = [None] * self.world
        dist.all_gather_object(told, dict(facts))
        return told

    def wait(self) -> None:
        """Until every rank is here."""
        self.mean(0.0)

    @torch.no_grad()
    def agree(self, modules: Iterable[nn.Module]) -> None:
        """Give every rank the main one's weights, tensor by tensor, wherever they lie now."""
        if self.world == 1:
            return
        for module in modules:
            for tensor in module.state_dict().values():
                sent = tensor.to(self.device)
                dist.broadcast(sent, 0)
                tensor.copy_(sent)

    @torch.no_grad()
    def average_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Give each parameter the mean of all ranks' gradients.

        One that no rank's loss depends on stays without, and optimizers leave it alone as in one process.
        """
        if self.world == 1:
            return
        holders = torch.tensor([float(p.grad is not None) for p in parameters], device=self.device)
        dist.all_reduce(holders)
        moved = [p for p, held in zip(parameters, holders.tolist(), strict=True) if held]
        for bucket in _buckets(moved):
            grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in bucket]
            flat = torch.cat([grad.flatten() for grad in grads])
            dist.all_reduce(flat)
            flat /= self.world
            parts = flat.split([p.numel() for p in bucket])
            for p, grad, part in zip(bucket, grads, parts, strict=True):
                p.grad = grad.copy_(part.view_as(grad))


def _buckets(parameters: Iterable[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    """Neighbours of one dtype, at most ``BUCKET`` numbers together unless one alone has more."""
    bucket: list[nn.Parameter] = []
    size = 0
    for p in parameters:
        if bucket and (size + p.numel() > BUCKET or p.dtype != bucket[0].dtype):
            yield bucket
            bucket, size = [], 0
        bucket.append(p)
        size += p.numel()
    if bucket:
        yield bucket
