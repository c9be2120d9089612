"""Whether a GGUF file holds the transformer that a model's folder describes, before it is read.

Compared are the sizes that tell one model of a family from another, by the names of the original releases,
which GGUF files keep.  Whether every single tensor is there is seen when it is loaded (``gguf_weights.py``).
"""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cinema_cli.errors import InputError, MissingError
from cinema_cli.models.contents import read_config
from cinema_cli.models.gguf_header import GgufFile, read_gguf_header

FIRST = {"FluxTransformer2DModel": "img_in.weight", "WanTransformer3DModel": "patch_embedding.weight"}
"""What embeds a picture, which every model of a family has, by diffusers' name of the family."""
PREFIX = "model.diffusion_model."
"""In front of every name where a file was made from a whole checkpoint; diffusers takes it off as well."""

Fault = tuple[str, Any, Any]
"""What, as it was wanted and as it was found."""


def check_gguf(path: Path, folder: Path) -> GgufFile:
    """Compare a GGUF file with the transformer of a model's folder.

    Raises:
        InputError: it is another model, or of a family that is not read from GGUF here.
        MissingError: it is not there, or cut, or the ``gguf`` package is not installed.
    """
    _require_gguf()
    found, config = read_gguf_header(path), read_config(folder / "transformer" / "config.json")
    family = str(config.get("_class_name"))
    if family not in FIRST:
        raise InputError(
            f"{path}: a model whose transformer is {' or '.join(FIRST)} was wanted beside a GGUF file, found "
            f"{family} in {folder}. Leave --transformer out."
        )
    shapes = {name.removeprefix(PREFIX): fact.shape for name, fact in found.tensors.items()}
    if FIRST[family] not in shapes:
        raise InputError(
            f"{path}: {FIRST[family]} was wanted, as the original {family} calls it, found a file of "
            f"architecture {found.architecture} with {next(iter(shapes))}. Take one that was made from the "
            "original release, such as city96's."
        )
    for what, wanted, has in (_flux if family == "FluxTransformer2DModel" else _wan)(config, shapes):
        if wanted != has:
            raise InputError(
                f"{path}: {what}: {wanted} was wanted, as in {folder}, found {has}. Take the GGUF file of "
                "that very model."
            )
    return found


def _flux(config: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> list[Fault]:
    width = int(config.get("num_attention_heads", 24)) * int(config.get("attention_head_dim", 128))
    inputs = {
        "img_in.weight": config.get("in_channels", 64),
        "txt_in.weight": config.get("joint_attention_dim", 4096),
        "vector_in.in_layer.weight": config.get("pooled_projection_dim", 768),
    }
    return [
        *((name, (width, size), shapes.get(name)) for name, size in inputs.items()),
        ("double_blocks", config.get("num_layers", 19), _blocks(shapes, "double_blocks")),
        ("single_blocks", config.get("num_single_layers", 38), _blocks(shapes, "single_blocks")),
        ("guidance", bool(config.get("guidance_embeds")), "guidance_in.in_layer.weight" in shapes),
    ]


def _wan(config: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> list[Fault]:
    width = int(config.get("num_attention_heads", 40)) * int(config.get("attention_head_dim", 128))
    patch = (width, config.get("in_channels", 16), *config.get("patch_size", (1, 2, 2)))
    return [
        ("patch_embedding.weight", patch, shapes.get("patch_embedding.weight")),
        (
            "text_embedding.0.weight",
            (width, config.get("text_dim", 4096)),
            shapes.get("text_embedding.0.weight"),
        ),
        ("blocks.0.ffn.0.weight", (config.get("ffn_dim", 13824), width), shapes.get("blocks.0.ffn.0.weight")),
        ("blocks", config.get("num_layers", 40), _blocks(shapes, "blocks")),
    ]


def _blocks(shapes: Mapping[str, tuple[int, ...]], name: str) -> int:
    """How many blocks of a name there are."""
    found = (re.match(rf"{name}\.(\d+)\.", each) for each in shapes)
    return len({match[1] for match in found if match})


def _require_gguf() -> None:
    """Raise MissingError where the package that reads GGUF is not installed."""
    if find_spec("gguf") is None:
        raise MissingError(
            "The gguf package was wanted to read a GGUF file, found none. Install it: "
            "pip install 'cinema-cli[gguf]'"
        )
