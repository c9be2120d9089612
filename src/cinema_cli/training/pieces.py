"""Weights on disk: the stock layout of diffusers and transformers, in pieces that one machine can hold.

Whatever is sharded is gathered piece by piece and written by the main rank alone, whole.  So a checkpoint is
the same however many ranks wrote it, any number of ranks reads it, and stock libraries load its folders.
A single piece has the plain name; several have an index beside them, as both libraries write and read it.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from cinema_cli.errors import InputError
from cinema_cli.training.sharding import fill, whole

PIECE_BYTES = 5 << 30
"""Bytes of a piece (diffusers: 10 GB, transformers: 5 GB by default)."""


def write_pieces(
    folder: Path | None, stem: str, tensors: Mapping[str, Tensor], piece_bytes: int = PIECE_BYTES
) -> None:
    """Gather tensors and write them to ``folder``; without one this rank only helps to gather.

    Args:
        folder: where to; exists.
        stem: name of the files, without their number and ending.
        tensors: by name; every rank has the same names in the same order.
        piece_bytes: size of a piece, unless one tensor alone is larger.
    """
    plan = _plan(tensors, piece_bytes)
    names = [f"{stem}.safetensors"]
    if len(plan) > 1:
        names = [f"{stem}-{i:05d}-of-{len(plan):05d}.safetensors" for i in range(1, len(plan) + 1)]
    for file, keys in zip(names, plan, strict=True):
        piece = {}
        for key in keys:
            gathered = whole(tensors[key].detach())
            if folder is not None:
                # Cloned, because tied weights share memory and safetensors stores no ties.
                piece[key] = gathered.to("cpu", copy=True).contiguous()
        if folder is not None:
            write_tensors(piece, folder / file)
    if folder is not None and len(plan) > 1:
        index = {
            "metadata": {"total_size": sum(map(_bytes, tensors.values()))},
            "weight_map": {key: file for file, keys in zip(names, plan, strict=True) for key in keys},
        }
        (folder / f"{stem}.safetensors.index.json").write_text(json.dumps(index, indent=1))


def write_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    """Write a safetensors file.

    Raises:
        OSError: the disk refused it; the library tells that in the text of an error of its own.
    """
    try:
        save_file(tensors, path, {"format": "pt"})
    except SafetensorError as error:
        number = re.search(r"\(os error (\d+)\)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error


def save_module(module: Any, folder: Path | None, weights: Mapping[str, Tensor] | None = None) -> None:
    """Save a module of diffusers or transformers in its own layout, with other weights if given.

    Without a folder this rank only helps to gather.
    """
    diffusers = hasattr(module, "save_config")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (module.save_config if diffusers else module.config.save_pretrained)(folder)
    stem = getattr(module, "weights_stem", "diffusion_pytorch_model" if diffusers else "model")
    write_pieces(folder, stem, weights or module.state_dict())


def module_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a module's folder."""
    return {k: v for path in sorted(folder.glob("*.safetensors")) for k, v in load_file(path).items()}


def load_tensors(targets: Mapping[str, Tensor], folder: Path) -> None:
    """Read a module's folder into tensors that are there, each rank its own slices.

    Raises:
        InputError: a tensor is missing, unknown or of another shape.
    """
    missing = set(targets)
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "pt") as file:
            fill(targets, file, str(path))
            missing -= set(file.keys())
    if missing:
        raise InputError(
            f"{folder}: {len(missing)} tensors are missing, such as {min(missing)}. Take the config that "
            "it was trained with, or another --run folder."
        )


def _plan(tensors: Mapping[str, Tensor], piece_bytes: int) -> list[list[str]]:
    """Names of the tensors of each piece."""
    plan: list[list[str]] = [[]]
    size = 0
    for name, tensor in tensors.items():
        if plan[-1] and size + _bytes(tensor) > piece_bytes:
            plan.append([])
            size = 0
        plan[-1].append(name)
        size += _bytes(tensor)
    return plan


def _bytes(tensor: Tensor) -> int:
    """Of the whole tensor, sharded or not."""
    return tensor.numel() * tensor.element_size()
