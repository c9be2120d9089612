"""Convolutions that keep their weight as a matrix (out, in x taps): Muon moves matrices.

The numbers are those of the stock modules.  A causal convolution in time is computed in two dimensions, its
taps side by side as channels: in bf16 the other way crashes on some CPUs (docs/log.md).

Shapes:  B batch   C channels   T frames   H, W height and width
"""

import torch
import torch.nn.functional as F
from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d
from torch import Tensor, nn


class MatrixConv2d(nn.Conv2d):
    """A convolution in space."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W), as the stock module."""
        weight = self.weight.unflatten(1, (-1, *self.kernel_size))
        return F.conv2d(x, weight, self.bias, self.stride, self.padding)


class MatrixCausalConv3d(WanCausalConv3d):
    """A causal convolution in time and space."""

    def forward(self, x: Tensor, cache_x: Tensor | None = None) -> Tensor:
        """(B, C, T, H, W) and the frames before, as the stock module."""
        left, _, top, _, before, _ = self._padding
        taps, step = self.kernel_size[0], self.stride[0]
        weight = self.weight.unflatten(1, (-1, *self.kernel_size))
        if cache_x is not None and before:
            x, before = torch.cat([cache_x, x], dim=2), before - cache_x.shape[2]
        if x.shape[2] == 1 and before == taps - 1:  # all but the last tap would see nothing
            y = F.conv2d(x[:, :, 0], weight[:, :, -1], self.bias, self.stride[1:], (top, left))
            return y[:, :, None]
        x = F.pad(x, (0, 0, 0, 0, before, 0))
        frames = (x.shape[2] - taps) // step + 1
        beside = [x[:, :, tap : tap + step * (frames - 1) + 1 : step] for tap in range(taps)]
        folded = torch.cat(beside, dim=1).transpose(1, 2).flatten(0, 1)
        y = F.conv2d(folded, weight.transpose(1, 2).flatten(1, 2), self.bias, self.stride[1:], (top, left))
        return y.unflatten(0, (-1, frames)).transpose(1, 2)


KINDS = {nn.Conv2d: MatrixConv2d, WanCausalConv3d: MatrixCausalConv3d}


def as_matrices(model: nn.Module) -> None:
    """Let all convolutions of a model keep matrices."""
    for module in model.modules():
        if type(module) in KINDS:
            module.__class__ = KINDS[type(module)]
            module.weight = nn.Parameter(module.weight.detach().flatten(1))


def as_convolutions(model: nn.Module) -> None:
    """Undo it: a stock model again, to be saved."""
    stock = {ours: kind for kind, ours in KINDS.items()}
    for module in model.modules():
        if type(module) in stock:
            module.__class__ = stock[type(module)]
            module.weight = nn.Parameter(module.weight.detach().unflatten(1, (-1, *module.kernel_size)))
