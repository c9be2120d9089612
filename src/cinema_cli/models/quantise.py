"""Frozen weights in few bits: to draw with, or to train adapters beside (QLoRA: Dettmers et al., 2023).

``int8`` keeps a weight as a whole number from -127 to 127, with a scale for each output.  ``nf4`` keeps it as
one of sixteen levels, the quantiles of a normal distribution, with a scale for each 64 neighbours (QLoRA,
section 3; its scales are rounded once more, ours are bf16).  Only linear layers inside the blocks are
quantised, as they are nearly all of a model; norms, embeddings and the last layer stay as they are.

Written here in plain torch: torchao's int8 layer keeps every restored weight until the backward, unless its
block is checkpointed, and its tensors have no bytes that a cache could be named after; torchao and
bitsandbytes are imported by diffusers in every command where they are installed.

Shapes:  O outputs   I inputs   n weights in a block of 64
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from cinema_cli.errors import InputError

Quantise = Literal["none", "int8", "nf4"]
"""What a frozen weight is kept as."""

BLOCK = 64
"""Weights of nf4 that share a scale (QLoRA)."""
BYTES = {"int8": 1.0, "nf4": 0.5 + 2 / BLOCK}
"""Of a quantised weight; int8 has four more for each output."""
# fmt: off
NF4 = (
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453,
    -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
    0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
)
# fmt: on
"""The sixteen levels (QLoRA, appendix E)."""


class QuantisedLinear(nn.Linear):
    """A linear layer whose weight is quantised and never trained; a gradient passes to its input.

    ``weight`` holds the codes: int8 (O, I), or for nf4 two in a byte, int8 (O I / 2,).  The name and the type
    are those by which T5 and peft know a quantised layer.
    """

    weight: Tensor
    scale: Tensor

    def __init__(self, linear: nn.Linear, kind: Quantise, device: torch.device) -> None:
        """Quantise a layer's weight on a device, and stay there."""
        nn.Module.__init__(self)
        self.in_features, self.out_features, self.kind = linear.in_features, linear.out_features, kind
        codes, scale = (_int8 if kind == "int8" else _nf4)(linear.weight.detach().to(device).float())
        self.register_buffer("weight", codes)
        self.register_buffer("scale", scale)
        self.register_parameter("bias", linear.bias)
        if linear.bias is not None:
            self.bias.data = linear.bias.data.to(device)

    def forward(self, x: Tensor) -> Tensor:
        """(..., I) to (..., O), in the caller's precision or in autocast's."""
        where = x.device.type
        dtype = torch.get_autocast_dtype(where) if torch.is_autocast_enabled(where) else x.dtype
        return _Multiply.apply(x.to(dtype), self.weight, self.scale, self.bias)

    def restored(self, dtype: torch.dtype) -> Tensor:
        """The weight (O, I) that the codes stand for."""
        return _restored(self.weight, self.scale, self.in_features, dtype)

    def extra_repr(self) -> str:
        """As ``nn.Linear`` prints itself, and how it is kept."""
        return f"{super().extra_repr()}, kind={self.kind}"


class _Multiply(torch.autograd.Function):
    """Keeps the codes for the backward, not the weight that it restores from them twice."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, codes: Tensor, scale: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(codes, scale)
        ctx.inputs = x.shape[-1]
        weight = _restored(codes, scale, ctx.inputs, x.dtype)
        return functional.linear(x, weight, None if bias is None else bias.to(x.dtype))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        codes, scale = ctx.saved_tensors
        return gradient @ _restored(codes, scale, ctx.inputs, gradient.dtype), None, None, None


def quantise_blocks(model: nn.Module, kind: Quantise, device: torch.device) -> None:
    """Quantise, in place, the linear layers of a model's blocks, one after the other.

    Args:
        model: of diffusers or transformers; its blocks are the classes named in ``_no_split_modules``.
        kind: "none" changes nothing.
        device: Where that is done and the layers stay, so that the whole model need never lie there.

    Raises:
        InputError: a weight cannot be shared out into blocks.
    """
    if kind == "none":
        return
    names = set(getattr(model, "_no_split_modules", None) or ())
    found = [
        (parent, name, child)
        for block in model.modules()
        if type(block).__name__ in names
        for parent in block.modules()
        for name, child in parent.named_children()
        if type(child) is nn.Linear
    ]
    assert found, f"{type(model).__name__} has no linear layers in blocks"
    for parent, name, linear in found:
        if kind == "nf4" and linear.weight.numel() % BLOCK:
            raise InputError(
                f"quantise=nf4: a multiple of {BLOCK} weights was wanted in {name}, found "
                f"{linear.weight.numel()} ({tuple(linear.weight.shape)}). Take quantise=int8."
            )
        setattr(parent, name, QuantisedLinear(linear, kind, device))


def quantised_as(model: nn.Module) -> Quantise:
    """What the linear layers of a model's blocks are kept as."""
    return next((m.kind for m in model.modules() if isinstance(m, QuantisedLinear)), "none")


def quantised_weights(model: nn.Module) -> int:
    """How many weights a model keeps in few bits: they are no parameters any more."""
    return sum(m.in_features * m.out_features for m in model.modules() if isinstance(m, QuantisedLinear))


def _int8(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Codes (O, I) and scales (O, 1) of a weight (O, I)."""
    scale = weight.abs().amax(dim=1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny) / 127
    return (weight / scale).round_().to(torch.int8), scale


def _nf4(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Codes (O I / 2,), the first of two in the high half, and scales (blocks, 1) of a weight (O, I)."""
    levels = torch.tensor(NF4, device=weight.device)
    blocks = weight.reshape(-1, BLOCK)  # blocks n
    scale = blocks.abs().amax(dim=1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny).bfloat16()
    codes = torch.bucketize(blocks / scale, (levels[1:] + levels[:-1]) / 2, out_int32=True).to(torch.uint8)
    first, second = codes.reshape(-1, 2).unbind(1)
    return (first << 4 | second).view(torch.int8), scale


def _restored(codes: Tensor, scale: Tensor, inputs: int, dtype: torch.dtype) -> Tensor:
    """The weight (O, I) of codes and scales, of either kind: those of int8 have two dimensions."""
    if codes.ndim == 2:
        return (codes * scale).to(dtype)
    levels = torch.tensor(NF4, device=codes.device)
    pairs = torch.stack([levels.repeat_interleave(16), levels.repeat(16)], dim=1)  # a byte's two levels
    numbers = pairs[codes.view(torch.uint8).int()].view(-1, BLOCK)
    return numbers.mul_(scale).to(dtype).view(-1, inputs)
