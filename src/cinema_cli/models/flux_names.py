"""Names of FLUX's tensors in its original release, and what diffusers calls them.

diffusers has such a table, but cuts joined layers at the width of FLUX.1, 3072, whatever the model; here the
model's own width is taken, so that small models are read as well.  A test holds both tables to be one.

Shapes:  D width
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

_ENDS = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    "final_layer.linear": "proj_out",
    "final_layer.adaLN_modulation.1": "norm_out.linear",
}
_DOUBLE = {
    "img_mod.lin": ("norm1.linear",),
    "txt_mod.lin": ("norm1_context.linear",),
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "img_attn.norm.query_norm": ("attn.norm_q",),
    "img_attn.norm.key_norm": ("attn.norm_k",),
    "txt_attn.norm.query_norm": ("attn.norm_added_q",),
    "txt_attn.norm.key_norm": ("attn.norm_added_k",),
    "img_attn.proj": ("attn.to_out.0",),
    "txt_attn.proj": ("attn.to_add_out",),
    "img_mlp.0": ("ff.net.0.proj",),
    "img_mlp.2": ("ff.net.2",),
    "txt_mlp.0": ("ff_context.net.0.proj",),
    "txt_mlp.2": ("ff_context.net.2",),
}
_SINGLE = {
    "modulation.lin": ("norm.linear",),
    "linear1": ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"),
    "linear2": ("proj_out",),
    "norm.query_norm": ("attn.norm_q",),
    "norm.key_norm": ("attn.norm_k",),
}
"""By layer of a block; several names: one layer for each, D outputs wide, the last one what is left."""
_BLOCK = re.compile(r"(double|single)_blocks\.(\d+)\.(.+)")
SWAPPED = "norm_out.linear"
"""Shift and scale stand in another order there."""


def as_diffusers(tensors: Mapping[str, Tensor], width: int) -> dict[str, Tensor]:
    """A transformer's tensors by diffusers' names; what has none keeps its own.

    Args:
        tensors: by their original names.
        width: D.
    """
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        layer, _, kind = name.rpartition(".")
        kind = "weight" if kind == "scale" else kind
        targets = _targets(layer)
        if not targets:
            found[name] = tensor
            continue
        sizes = [width] * (len(targets) - 1)
        parts = tensor.split([*sizes, tensor.shape[0] - sum(sizes)])
        for target, part in zip(targets, parts, strict=True):
            found[f"{target}.{kind}"] = _swapped(part) if target == SWAPPED else part
    return found


def _targets(layer: str) -> tuple[str, ...]:
    """What diffusers calls a layer; none where it is not known."""
    inside = _BLOCK.fullmatch(layer)
    if inside is None:
        return (_ENDS[layer],) if layer in _ENDS else ()
    kind, number, rest = inside.groups()
    names = (_DOUBLE if kind == "double" else _SINGLE).get(rest, ())
    prefix = "transformer_blocks" if kind == "double" else "single_transformer_blocks"
    return tuple(f"{prefix}.{number}.{name}" for name in names)


def _swapped(tensor: Tensor) -> Tensor:
    shift, scale = tensor.chunk(2)
    return torch.cat([scale, shift])
