"""Interleaved image-text pairs as the keyframe model takes them, in groups of one frame size (section 3.2).

Shapes:  B batch   n pairs of a group   T text tokens   L image tokens   C channels of an image token
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class PairGroup:
    """Pairs of one frame size, as the model takes them.

    A frame that GoldenMem shrank has fewer tokens; each stands at the centre of the area that it covers in
    the full frame.
    """

    latents: Tensor  # (B, n, L, C), noised
    text: Tensor  # (B, n, T, D_text)
    pooled: Tensor  # (B, n, D_pooled)
    timestep: Tensor  # (B, n), noise level in [0, 1] of each frame
    ranks: Sequence[int]  # n: place of each pair in the sequence, oldest first
    grid: tuple[int, int]  # height and width of the frame in tokens, L = height x width
    full_grid: tuple[int, int] | None = None  # of a frame that was not shrunk; none: this one was not
    remembered: bool = False  # memory, which in the regime "extend" does not see the new pairs

    def ids(self, device: torch.device) -> Tensor:
        """Position ids (n, S, 3): axis 0 is the pair's rank, for text and image alike; then y and x."""
        y, x = (
            (torch.arange(side) + 0.5) * (full / side) - 0.5
            for side, full in zip(self.grid, self.full_grid or self.grid, strict=True)
        )
        y, x = torch.meshgrid(y, x, indexing="ij")
        image = torch.stack([torch.zeros_like(y), y, x], dim=-1).reshape(-1, 3)
        one = torch.cat([torch.zeros(self.text.shape[2], 3), image])
        ids = one.repeat(len(self.ranks), 1, 1)
        ids[:, :, 0] = torch.tensor(self.ranks, dtype=ids.dtype)[:, None]
        return ids.to(device)
