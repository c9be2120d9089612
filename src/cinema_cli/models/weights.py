"""Weights: where they come from, which they are, and models put together from a folder.

Folders are in diffusers' layout: ``keyframes/`` as ``FluxPipeline`` saves it, ``video/`` as ``WanPipeline``.
The embedded ones lie in the package (``cinema_cli/toy``).
"""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import torch
from torch import nn

from cinema_cli.errors import MissingError
from cinema_cli.files import sha256_file, sha256_json
from cinema_cli.models.encoders import ImageCodec, ShotTextEncoder, TextEncoder, TextPadding, VideoCodec
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.video import InterleavedWan

TOY = "toy"
"""The name that stands for the embedded weights."""


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


def model_folder(model: str, part: str) -> Path:
    """The folder of ``part`` ("keyframes" or "video") of a model: the embedded one, or a path.

    Raises:
        MissingError: there is no such folder.
    """
    root = Path(str(resources.files("cinema_cli"))) / "toy" if model == TOY else Path(model)
    folder = root / part
    if not (folder / "model_index.json").is_file():
        raise MissingError(
            f"Weights for {part} were wanted in {folder}, but there is no model_index.json. "
            "Run `cinema doctor`, or train them as examples/toy-weights/README.md says."
        )
    return folder


def weights_sha256(folder: Path) -> str:
    """One hash for all weights and configs of a folder."""
    files = sorted(p for p in folder.rglob("*") if p.suffix in (".safetensors", ".json"))
    return sha256_json({p.relative_to(folder).as_posix(): sha256_file(p) for p in files})


def load_keyframe_models(
    folder: Path,
    text_length: int,
    device: torch.device,
    dtype: torch.dtype,
    text_padding: TextPadding = "encoded",
) -> KeyframeModels:
    """Models that draw, in inference mode, from a folder in ``FluxPipeline`` layout."""
    codec, text = ImageCodec.load(folder), TextEncoder.load(folder, text_length, text_padding)
    transformer = InterleavedFlux.from_pretrained(folder / "transformer", dtype=dtype)
    for module in (codec.vae, text.clip, text.t5):
        module.to(dtype)
    for module in (transformer, codec.vae, text.clip, text.t5):
        _ready(module, device)
    return KeyframeModels(transformer, codec, text)


def load_video_models(
    folder: Path, text_length: int, device: torch.device, dtype: torch.dtype
) -> VideoModels:
    """Models that make clips, in inference mode, from a folder in ``WanPipeline`` layout."""
    codec, text = VideoCodec.load(folder), ShotTextEncoder.load(folder, text_length)
    # Given here, not with .to(): Wan keeps its norms and time embedding in fp32 whatever is asked.
    transformer = InterleavedWan.from_pretrained(folder / "transformer", dtype=dtype)
    for module in (codec.vae, text.t5):
        module.to(dtype)
    for module in (transformer, codec.vae, text.t5):
        _ready(module, device)
    return VideoModels(transformer, codec, text)


def _ready(module: nn.Module, device: torch.device) -> None:
    module.to(device).eval().requires_grad_(False)
