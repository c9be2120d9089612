"""Context parallelism by whole pairs: processes that share a sequence too long for one of them.

The paper's 48 pairs are "OOM" in Table 3 without GoldenMem; how its longest sequences were shared out it does
not say.  Here each process keeps some pairs of the sequence, or some shots of a film.  Everything local to a
pair (section 3.2) stays with them: double-stream blocks, norms, MLPs, projections and queries need no
communication.  Only the global attention gathers the keys and values of all peers.

Pairs are dealt out like cards, and the next group goes on where the one before ended: peers hold as many of
each size, one more or less, and as many in all.  Shares that differ in tokens are padded for the collective
alone: attention never sees the padding, and no mask exists here either.

The rule of gradients, stated here alone: **a peer's loss is its part of the sequence's mean, times the number
of peers.**  The mean over all ranks, which plain averaging and FSDP2 take alike, is then the sum over peers
and the mean over sequences, for losses and gradients: what one process has of the same batch.  Without the
factor every gradient would be too small by the number of peers.

Shapes:  B batch   G groups   N tokens of one peer's pairs   M tokens of all peers'   c peers   H heads
         d width of a head
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.functional import pad


@dataclass(frozen=True)
class Peers:
    """The processes that share a sequence, as one of them sees them."""

    rank: int
    """Number of this one among them, from 0."""
    size: int
    """How many there are."""
    group: dist.ProcessGroup
    """How they talk."""

    def share(self, counts: Sequence[int]) -> "Share":
        """Deal out a sequence whose groups have so many pairs; all peers deal alike."""
        firsts = accumulate(counts[:-1], initial=0)
        return Share(self, tuple(self._dealt(first, n) for first, n in zip(firsts, counts, strict=True)))

    def _dealt(self, first: int, pairs: int) -> tuple[range, ...]:
        """What each peer gets of a group before which ``first`` pairs were dealt."""
        return tuple(range((peer - first) % self.size, pairs, self.size) for peer in range(self.size))

    def loss(self, part: Tensor, predicted: Sequence[Tensor] = ()) -> Tensor:
        """What this peer makes small.

        Args:
            part: its share of a mean that all peers' shares add up to.
            predicted: all that it predicted, where its share may hold nothing that counts.  Others' gradients
                reach its keys in the backward of every gather, which all must call: so the loss hangs on
                what it predicted, with no weight.
        """
        hung = [0 * x.float().sum() for x in predicted if x.numel()]
        return self.size * sum(hung, part)


@dataclass(frozen=True)
class Share:
    """Who keeps which pairs of a sequence."""

    peers: Peers
    dealt: tuple[tuple[range, ...], ...]
    """Of each group, the places in it that each peer keeps (G, c); of some groups a peer may keep none."""

    @property
    def places(self) -> tuple[range, ...]:
        """What this peer keeps of each group."""
        return tuple(group[self.peers.rank] for group in self.dealt)

    def exchange(self, blocks: Callable[[Sequence[int]], tuple[int, ...]]) -> "Exchange":
        """What attention needs to know; ``blocks`` are its tokens where each group has so many pairs."""
        counts = [[len(group[peer]) for group in self.dealt] for peer in range(self.peers.size)]
        return Exchange(self.peers, tuple(blocks(of_one) for of_one in counts))


@dataclass(frozen=True)
class Exchange:
    """Keys and values of all peers, in each layer's attention."""

    peers: Peers
    blocks: tuple[tuple[int, ...], ...]
    """Each peer's tokens in each block of the attention (``regimes.py``); in some a peer may have none."""

    @property
    def ends(self) -> tuple[int, ...]:
        """Where the blocks of all peers' keys end."""
        return tuple(accumulate(sum(tokens) for tokens in zip(*self.blocks, strict=True)))

    def gather(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, N, H, d) of this peer -> (B, M, H, d): by blocks, in each peer after peer."""
        most = max(sum(tokens) for tokens in self.blocks)
        own = pad(torch.stack([key, value]), (0, 0, 0, 0, 0, most - key.shape[1]))
        everyone = Gathered.apply(own, self.peers.size, self.peers.group).unbind(0)
        by_peer = [
            theirs[:, :, : sum(tokens)].split(tokens, dim=2)
            for theirs, tokens in zip(everyone, self.blocks, strict=True)
        ]
        parts = [part for block in zip(*by_peer, strict=True) for part in block]
        key, value = torch.cat(parts, dim=2).unbind(0)
        return key, value


class Gathered(torch.autograd.Function):
    """All peers' tensors, for each of them.

    Any peer's loss may depend on any peer's tensor, so what flows back to a tensor is the sum of them all.
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
