"""Folding: pairs live in the batch dimension, and only global attention unfolds them (section 3.2).

A group holds pairs of one frame size.  Everything local to a pair (double-stream blocks, norms,
MLPs, one timestep per pair) runs on the folded form, where the block-diagonal mask M_local costs
nothing because other pairs are other batch entries.  Global attention sees the unfolded form:
all tokens of all pairs of all groups, one after the other.  Token order is decided here alone.

The video model folds its shots in the same way: a pair is then a shot, its tokens a clip.

Shapes:  B batch   P pairs (n of them in a group)   S tokens of a pair (text first, then image)   D width
"""

from collections.abc import Sequence

import torch
from einops import rearrange
from torch import Tensor


def fold(x: Tensor) -> Tensor:
    """(B, n, ...) -> (B n, ...): pairs become batch entries."""
    return x.flatten(0, 1)


def unfold(x: Tensor, pairs: int) -> Tensor:
    """(B n, ...) -> (B, n, ...)."""
    return x.unflatten(0, (-1, pairs))


def join_groups(groups: Sequence[Tensor], pairs: Sequence[int]) -> Tensor:
    """Folded groups (B n_g, S_g, D) -> one sequence (B, sum of n_g S_g, D), pair after pair."""
    return torch.cat(
        [rearrange(x, "(b n) s d -> b (n s) d", n=n) for x, n in zip(groups, pairs, strict=True)], dim=1
    )


def split_groups(x: Tensor, like: Sequence[Tensor], pairs: Sequence[int]) -> tuple[Tensor, ...]:
    """The inverse of :func:`join_groups`; ``like`` gives the folded shapes."""
    lengths = [n * group.shape[1] for group, n in zip(like, pairs, strict=True)]
    return tuple(
        rearrange(part, "b (n s) d -> (b n) s d", n=n)
        for part, n in zip(x.split(lengths, dim=1), pairs, strict=True)
    )
