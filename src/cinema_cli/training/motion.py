"""What moves in a clip, and what it counts in the loss (``motion_weight``).

Measured on pixels: what swings as often as a latent frame has frames, like an arm that waves, is the same in
every latent frame, and only the pixels show that it moves (docs/log.md).

Shapes:  B films   n shots of a group   F frames   H, W pixels   h, w latent size
"""

import torch
from einops import rearrange
from torch import Tensor


def motion(clip: Tensor, grid: tuple[int, int]) -> Tensor:
    """How much a clip, uint8 (F, H, W, 3), changes from frame to frame in every cell of a grid: (h, w).

    The mean of what the colour that changes most changes by, 0 to 1; nothing moves in a single frame.
    """
    if len(clip) == 1:
        return torch.zeros(grid)
    frames = clip.float() / 255
    changed = (frames[1:] - frames[:-1]).abs().amax(dim=3).mean(dim=0)
    return rearrange(changed, "(h y) (w x) -> h w y x", h=grid[0], w=grid[1]).mean(dim=(2, 3))


def motion_weights(moved: Tensor, most: float) -> Tensor:
    """How much each place of a shot counts, by how much moves in it: (B, n, h, w) -> (B, n, 1, 1, h, w).

    1 where nothing moves and nearly ``most`` where far more does than usual in the shot, then divided by the
    mean: 1 on average over a shot.
    """
    usual = moved.mean(dim=(-2, -1), keepdim=True).clamp(min=1e-6)
    weights = 1 + (most - 1) * moved / (moved + usual)
    return (weights / weights.mean(dim=(-2, -1), keepdim=True))[:, :, None, None]
