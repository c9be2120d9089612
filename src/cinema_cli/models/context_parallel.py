"""Context parallelism by whole pairs: processes that share a sequence too long for one of them.

The paper's 48 pairs are "OOM" in Table 3 without GoldenMem; how its longest sequences were shared out it does
not say.  Here each process keeps some pairs of the sequence.  Everything local to a pair (section 3.2) stays
with them: double-stream blocks, norms, MLPs, projections and queries need no communication.  Only the global
attention gathers the keys and values of all peers.

The rule of gradients, stated here alone: **a peer's loss is its part of the sequence's mean, times the number
of peers.**  The mean over all ranks, which plain averaging and FSDP2 take alike, is then the sum over peers
and the mean over sequences, for losses and gradients: what one process has of the same batch.  Without the
factor every gradient would be too small by the number of peers.

Shapes:  B batch   P pairs   N tokens of one peer's pairs   c peers   H heads   d width of a head
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from einops import rearrange
from torch import Tensor


@dataclass(frozen=True)
class Peers:
    """The processes that share a sequence, as one of them sees them."""

    rank: int
    """Number of this one among them, from 0."""
    size: int
    """How many there are."""
    group: dist.ProcessGroup
    """How they talk."""

    def places(self, pairs: int) -> range:
        """Which of a sequence's pairs this peer keeps: neighbours, as many as every other."""
        assert pairs % self.size == 0, (pairs, self.size)
        share = pairs // self.size
        return range(self.rank * share, (self.rank + 1) * share)

    def loss(self, part: Tensor) -> Tensor:
        """What this peer makes small: ``part`` is its share of a mean that all peers' shares add up to."""
        return self.size * part

    def gather(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, N, H, d) of this peer -> (B, c N, H, d) each, of all of them in order."""
        everyone = Gathered.apply(torch.stack([key, value]), self.size, self.group)
        key, value = rearrange(everyone, "c two b n h d -> two b (c n) h d")
        return key, value


class Gathered(torch.autograd.Function):
    """All peers' tensors, for each of them.

    Every peer's loss depends on every peer's tensor, so what flows back to a tensor is the sum of them all.
    """

    @staticmethod
    def forward(ctx: Any, own: Tensor, size: int, group: dist.ProcessGroup) -> Tensor:
        """(...) -> (c, ...)."""
        ctx.group = group
        everyone = own.new_empty(size, *own.shape)
        dist.all_gather_into_tensor(everyone.flatten(0, 1), own.contiguous(), group=group)
        return everyone

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        """(c, ...) -> (...), summed over peers."""
        (grad,) = grads
        own = torch.empty_like(grad[0], memory_format=torch.contiguous_format)
        dist.reduce_scatter_tensor(own, grad.contiguous().flatten(0, 1), group=ctx.group)
        return own, None, None
