"""Weights: which they are, and models put together from a folder.

Folders are in diffusers' layout: ``keyframes/`` as ``FluxPipeline`` saves it, ``video/`` as ``WanPipeline``.
Where they lie, and whether they are whole, ``resolve.py`` tells.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from cinema_cli.files import sha256_file, sha256_json
from cinema_cli.models.adapters import adapter_file
from cinema_cli.models.contents import Part, read_contents
from cinema_cli.models.encoders import ImageCodec, ShotTextEncoder, TextEncoder, TextPadding, VideoCodec
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.resolve import TOY, model_folder
from cinema_cli.models.room import require_room, room_for
from cinema_cli.models.video import InterleavedWan

__all__ = ["TOY", "model_folder"]

BLOB = re.compile(r"[0-9a-f]{64}")
"""How the hub's cache names a large file: by the SHA-256 of its bytes."""


@dataclass(frozen=True)
class KeyframeModels:
    """Everything that draws keyframes."""

    transformer: InterleavedFlux
    codec: ImageCodec
    text: TextEncoder


@dataclass(frozen=True)
class VideoModels:
    """Everything that makes clips."""

    transformer: InterleavedWan
    codec: VideoCodec
    text: ShotTextEncoder


def weights_sha256(folder: Path, adapter: str | None = None) -> str:
    """One hash for all weights and configs of a folder, and for an adapter beside them."""
    files = sorted(p for p in folder.rglob("*") if p.suffix in (".safetensors", ".json"))
    hashes = {p.relative_to(folder).as_posix(): _sha256(p) for p in files}
    if adapter is not None:
        hashes["adapter"] = sha256_file(adapter_file(adapter))
    return sha256_json(hashes)


def _sha256(file: Path) -> str:
    """Of a file; in the hub's cache a link leads to its name, so that 34 GB need not be read for it."""
    target = file.resolve() if file.is_symlink() else file
    return target.name if BLOB.fullmatch(target.name) else sha256_file(file)


def load_keyframe_models(
    folder: Path,
    text_length: int,
    device: torch.device,
    dtype: torch.dtype,
    text_padding: TextPadding = "encoded",
    adapter: str | None = None,
) -> KeyframeModels:
    """Models that draw, in inference mode, from a folder in ``FluxPipeline`` layout, perhaps with an adapter.

    Raises:
        InputError: the weights or the adapter cannot be used.
        MissingError: they are half there, or do not fit the device.
    """
    _require_room(folder, "keyframes", device, dtype)
    codec, text = ImageCodec.load(folder), TextEncoder.load(folder, text_length, text_padding)
    transformer = InterleavedFlux.from_pretrained(folder / "transformer", dtype=dtype)
    _put_beside(transformer, adapter)
    for module in (codec.vae, text.clip, text.t5):
        module.to(dtype)
    for module in (transformer, codec.vae, text.clip, text.t5):
        _ready(module, device)
    return KeyframeModels(transformer, codec, text)


def load_video_models(
    folder: Path, text_length: int, device: torch.device, dtype: torch.dtype, adapter: str | None = None
) -> VideoModels:
    """Models that make clips, in inference mode, from a folder in ``WanPipeline`` layout, as above."""
    _require_room(folder, "video", device, dtype)
    codec, text = VideoCodec.load(folder), ShotTextEncoder.load(folder, text_length)
    # Given here, not with .to(): Wan keeps its norms and time embedding in fp32 whatever is asked.
    transformer = InterleavedWan.from_pretrained(folder / "transformer", dtype=dtype)
    _put_beside(transformer, adapter)
    for module in (codec.vae, text.t5):
        module.to(dtype)
    for module in (transformer, codec.vae, text.t5):
        _ready(module, device)
    return VideoModels(transformer, codec, text)


def _require_room(folder: Path, part: Part, device: torch.device, dtype: torch.dtype) -> None:
    require_room(room_for(read_contents(folder, part), device, dtype), str(folder))


def _put_beside(transformer: InterleavedFlux | InterleavedWan, adapter: str | None) -> None:
    """Let an adapter add to a transformer's layers; told no alpha, it counts as trained (alpha = r)."""
    if adapter is not None:
        transformer.load_lora_adapter(load_file(adapter_file(adapter)), prefix="transformer")


def _ready(module: nn.Module, device: torch.device) -> None:
    module.to(device).eval().requires_grad_(False)
