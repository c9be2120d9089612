"""GGUF files of tiny transformers, written by the gguf package under the names of the original releases."""

from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Kind
from torch import Tensor

from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.video import InterleavedWan

Weights = dict[str, Tensor]


def wide_flux(guidance: bool = True) -> InterleavedFlux:
    """A tiny FLUX with rows of whole blocks of 32, as most types of GGUF want them."""
    return InterleavedFlux(
        in_channels=16,
        num_layers=2,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=16,
        pooled_projection_dim=12,
        axes_dims_rope=(4, 6, 6),
        guidance_embeds=guidance,
    )


def wide_wan() -> InterleavedWan:
    """A tiny Wan of that kind."""
    return InterleavedWan(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=4,
        out_channels=4,
        text_dim=16,
        freq_dim=32,
        ffn_dim=64,
        num_layers=2,
    )


def original_flux(model: InterleavedFlux) -> Weights:
    """Its tensors as FLUX.1's own release names and joins them."""
    weights, found = model.state_dict(), {}

    def put(name: str, *layers: str, kinds: tuple[str, ...] = ("weight", "bias")) -> None:
        for kind in kinds:
            parts = [weights[f"{layer}.{kind}"] for layer in layers]
            found[f"{name}.{kind}"] = torch.cat(parts)

    def norms(name: str, attention: str, query: str, key: str) -> None:
        found[f"{name}.query_norm.scale"] = weights[f"{attention}.{query}.weight"]
        found[f"{name}.key_norm.scale"] = weights[f"{attention}.{key}.weight"]

    put("img_in", "x_embedder")
    put("txt_in", "context_embedder")
    inputs = {"time_in": "timestep_embedder", "vector_in": "text_embedder"}
    if model.config.guidance_embeds:
        inputs["guidance_in"] = "guidance_embedder"
    for name, own in inputs.items():
        put(f"{name}.in_layer", f"time_text_embed.{own}.linear_1")
        put(f"{name}.out_layer", f"time_text_embed.{own}.linear_2")
    for i in range(model.config.num_layers):
        theirs, ours = f"double_blocks.{i}", f"transformer_blocks.{i}"
        for side, add, norm in (("img", "", "norm1"), ("txt", "add_", "norm1_context")):
            put(f"{theirs}.{side}_mod.lin", f"{ours}.{norm}.linear")
            layers = [f"add_{x}_proj" for x in "qkv"] if add else [f"to_{x}" for x in "qkv"]
            put(f"{theirs}.{side}_attn.qkv", *(f"{ours}.attn.{layer}" for layer in layers))
            norms(
                f"{theirs}.{side}_attn.norm",
                f"{ours}.attn",
                *(("norm_added_q", "norm_added_k") if add else ("norm_q", "norm_k")),
            )
            put(f"{theirs}.{side}_attn.proj", f"{ours}.attn.{'to_add_out' if add else 'to_out.0'}")
            feed = f"{ours}.{'ff_context' if add else 'ff'}"
            put(f"{theirs}.{side}_mlp.0", f"{feed}.net.0.proj")
            put(f"{theirs}.{side}_mlp.2", f"{feed}.net.2")
    for i in range(model.config.num_single_layers):
        theirs, ours = f"single_blocks.{i}", f"single_transformer_blocks.{i}"
        put(f"{theirs}.modulation.lin", f"{ours}.norm.linear")
        put(f"{theirs}.linear1", *(f"{ours}.attn.to_{x}" for x in "qkv"), f"{ours}.proj_mlp")
        put(f"{theirs}.linear2", f"{ours}.proj_out")
        norms(f"{theirs}.norm", f"{ours}.attn", "norm_q", "norm_k")
    put("final_layer.linear", "proj_out")
    for kind in ("weight", "bias"):
        scale, shift = weights[f"norm_out.linear.{kind}"].chunk(2)
        found[f"final_layer.adaLN_modulation.1.{kind}"] = torch.cat([shift, scale])
    return found


WAN = (
    ("condition_embedder.time_embedder.linear_1", "time_embedding.0"),
    ("condition_embedder.time_embedder.linear_2", "time_embedding.2"),
    ("condition_embedder.text_embedder.linear_1", "text_embedding.0"),
    ("condition_embedder.text_embedder.linear_2", "text_embedding.2"),
    ("condition_embedder.time_proj", "time_projection.1"),
    ("proj_out", "head.head"),
    ("attn1.", "self_attn."),
    ("attn2.", "cross_attn."),
    ("to_q", "q"),
    ("to_k", "k"),
    ("to_v", "v"),
    ("to_out.0", "o"),
    ("ffn.net.0.proj", "ffn.0"),
    ("ffn.net.2", "ffn.2"),
    (".norm2.", ".norm3."),
)


def original_wan(model: InterleavedWan) -> Weights:
    """Its tensors as Wan's own release names them."""
    found = {}
    for name, tensor in model.state_dict().items():
        if name == "scale_shift_table":
            found["head.modulation"] = tensor
            continue
        name = name.replace("scale_shift_table", "modulation")
        for ours, theirs in WAN:
            name = name.replace(ours, theirs)
        found[name] = tensor
    return found


def write_gguf(
    path: Path,
    weights: Weights,
    kind: Kind,
    architecture: str = "flux",
    change: Callable[..., None] | None = None,
) -> Weights:
    """Write tensors; what the file then stands for.

    Args:
        path: The file.
        weights: By their original names.
        kind: Of matrices whose rows divide into its blocks; others are F16, and vectors F32.
        architecture: As the maker calls it.
        change: Called with the writer before it writes.
    """
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_quantization_version(2)
    stands: Weights = {}
    for name, tensor in weights.items():
        numbers = tensor.detach().float().numpy()
        own = _kind(numbers, kind)
        data = gguf.quants.quantize(numbers, own)
        writer.add_tensor(name, data, raw_dtype=own)
        stands[name] = torch.from_numpy(gguf.quants.dequantize(data, own).reshape(numbers.shape).copy())
    if change is not None:
        change(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return stands


def _kind(numbers: np.ndarray, kind: Kind) -> Kind:
    if numbers.ndim != 2:
        return Kind.F32
    block, _ = gguf.GGML_QUANT_SIZES[kind]
    return Kind.F16 if numbers.shape[1] % block else kind
