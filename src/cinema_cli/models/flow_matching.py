"""Flow matching: the one place that knows which end of time is noise.

x_t = (1 - t) x_0 + t e with t in [0, 1]; t = 1 is noise and t = 0 is data.  The network predicts the
velocity v = e - x_0.  Training and sampling both call this file, so they cannot disagree.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor


def noised(data: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """x_t for ``t`` that has the leading dimensions of ``data``: one level per frame, for instance."""
    t = _like(t, data)
    return (1 - t) * data + t * noise


def velocity(data: Tensor, noise: Tensor) -> Tensor:
    """The target of the network, v = e - x_0."""
    return noise - data


def shifted(t: Tensor, shift: float) -> Tensor:
    """Move levels towards noise: shift t / (1 + (shift - 1) t), the rule of SD3 and FLUX (1: none)."""
    return shift * t / (1 + (shift - 1) * t)


def random_levels(shape: tuple[int, ...], shift: float, generator: torch.Generator) -> Tensor:
    """Noise levels for training: logit-normal, then shifted.  One independent level per entry."""
    return shifted(torch.sigmoid(torch.randn(shape, generator=generator)), shift)


def schedule(steps: int, shift: float) -> Tensor:
    """``steps`` + 1 levels from 1 (noise) down to 0 (data)."""
    return shifted(torch.linspace(1, 0, steps + 1), shift)


def sample_euler(
    predict: Callable[[Tensor, Tensor], Tensor],
    noise: Tensor,
    levels: Tensor,
    on_step: Callable[[], None] = lambda: None,
) -> Tensor:
    """Follow the flow from ``noise`` to data with Euler steps.

    Args:
        predict: (x_t, t) -> velocity, with t a scalar tensor.
        noise: x_1, any shape.
        levels: the schedule, from 1 to 0.
        on_step: called after every step (progress).
    """
    x = noise
    for t, following in pairwise(levels):
        x = x + (following - t).to(x) * predict(x, t)
        on_step()
    return x


def _like(t: Tensor, x: Tensor) -> Tensor:
    """Append dimensions of size one until ``t`` broadcasts against ``x``."""
    return t.to(x).reshape(t.shape + (1,) * (x.ndim - t.ndim))
