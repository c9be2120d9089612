"""Who sees whom across pairs, without a mask (appendix F).

All regimes are one rule: the sequence is cut into blocks of tokens, and a token sees its own block and all
blocks before it.  Every block is one attention call over a slice of keys.

    joint     one block: every pair sees every pair (a storyboard drawn as a whole)
    extend    two blocks: memory sees memory, new pairs see memory and each other (a film that grows)
    causal    a block for each pair: pair i sees pairs up to i

The paper names the mask "upper-triangular" by the part that is masked out.

Shapes:  B batch   N tokens   M tokens of memory   H heads   d width of a head
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Literal

import torch
from torch import Tensor

from cinema_cli.models.pairs import PairGroup

Regime = Literal["joint", "extend", "causal"]
KeyValue = tuple[Tensor, Tensor]
Attend = Callable[[Tensor, Tensor, Tensor], Tensor]


def blocks_of(
    groups: Sequence[PairGroup], regime: Regime, counts: Sequence[int] | None = None
) -> tuple[int, ...]:
    """Tokens in each block of a sequence of groups, pair after pair; a block may have none.

    ``counts``: pairs of each group, where another process's are asked for (``context_parallel.py``).
    """
    counts = [group.latents.shape[1] for group in groups] if counts is None else counts
    tokens_of = [group.text.shape[2] + group.latents.shape[2] for group in groups]
    sizes = list(zip(counts, tokens_of, strict=True))
    if regime == "causal":
        ranks = [rank for group in groups for rank in group.ranks]
        assert ranks == sorted(ranks), f"causal pairs come in the order of ranks, found {ranks}"
        return tuple(tokens for pairs, tokens in sizes for _ in range(pairs))
    if regime == "extend":
        known = [group.remembered for group in groups]
        assert known == sorted(known, reverse=True), "remembered groups come before new ones"
        memory, new = (
            sum(n * tokens for (n, tokens), was in zip(sizes, known, strict=True) if was == wanted)
            for wanted in (True, False)
        )
        return memory, new
    return (sum(pairs * tokens for pairs, tokens in sizes),)


def prefix_attention(
    attend: Attend,
    query: Tensor,  # (B, N, H, d)
    seen: KeyValue,  # (B, N, H, d) each, of all peers where there are some
    blocks: tuple[int, ...],
    memory: KeyValue | None = None,  # (B, M, H, d) each, seen by every block
    ends: tuple[int, ...] | None = None,  # where the blocks of ``seen`` end, if it has more than ``query``
) -> Tensor:
    """Attention in which a block sees itself, the blocks before it, and memory; (B, N, H, d)."""
    key, value = seen
    known = 0
    if memory is not None:
        known = memory[0].shape[1]
        key, value = torch.cat([memory[0], key], dim=1), torch.cat([memory[1], value], dim=1)
    parts = [
        attend(part, key[:, : known + end], value[:, : known + end])
        for part, end in zip(query.split(blocks, dim=1), ends or accumulate(blocks), strict=True)
        if part.shape[1]
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
