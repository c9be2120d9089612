"""Weights: which they are, and models put together from a folder.

Folders are in diffusers' layout: ``keyframes/`` as ``FluxPipeline`` saves it, ``video/`` as ``WanPipeline``.
Where they lie, and whether they are whole, ``resolve.py`` tells.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file
from torch import nn

from cinema_cli import runtime
from cinema_cli.files import sha256_file, sha256_json
from cinema_cli.models.adapters import adapter_file
from cinema_cli.models.contents import Part, read_contents
from cinema_cli.models.encoders import (
    ImageCodec,
    ShotTextEncoder,
    TextEncoder,
    TextPadding,
    VideoCodec,
    read_tokenizer,
)
from cinema_cli.models.enough import LOADING, memory_for
from cinema_cli.models.gguf_weights import load_gguf
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.offloading import CPU, Turns, in_blocks, in_layers
from cinema_cli.models.quantise import Quantise, quantise_blocks
from cinema_cli.models.resolve import TOY, model_folder
from cinema_cli.models.room import require_room, room_for
from cinema_cli.models.thrift import TURNS, Thrift
from cinema_cli.models.video import InterleavedWan
from cinema_cli.models.word_books import ShotWordBook, WordBook

__all__ = ["TOY", "model_folder"]

BLOB = re.compile(r"[0-9a-f]{64}")
"""How the hub's cache names a large file: by the SHA-256 of its bytes."""
T5_KINDS = ("t5", "umt5")
"""Text encoders that are large, as transformers calls them."""

Encoder = TypeVar("Encoder", TextEncoder, ShotTextEncoder)
Transformer = TypeVar("Transformer", InterleavedFlux, InterleavedWan)


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


def weights_sha256(
    folder: Path, adapter: str | None = None, quantise: Quantise = "none", gguf: Path | None = None
) -> str:
    """One hash for all weights and configs of a folder, what is put beside them, and how they are kept.

    Args:
        folder: of the model.
        adapter: beside it.
        quantise: how it is kept.
        gguf: a file that takes the place of the folder's transformer.
    """
    files = sorted(p for p in folder.rglob("*") if p.suffix in (".safetensors", ".json"))
    if gguf is not None:
        weights = folder / "transformer"
        files = [p for p in files if p.parent != weights or p.name == "config.json"]
    hashes = {p.relative_to(folder).as_posix(): _sha256(p) for p in files}
    if gguf is not None:
        hashes["transformer"] = _sha256(gguf)
    if adapter is not None:
        hashes["adapter"] = sha256_file(adapter_file(adapter))
    if quantise != "none":
        hashes["quantise"] = quantise
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
    thrift: Thrift | None = None,
    ahead: Callable[[TextEncoder], object] | None = None,
    gguf: Path | None = None,
) -> KeyframeModels:
    """Models that draw, in inference mode, from a folder in ``FluxPipeline`` layout, perhaps with an adapter.

    Args:
        folder: where they lie.
        text_length: text tokens of a caption (T).
        device: where they compute.
        dtype: in which numbers.
        text_padding: what stands behind a shorter caption.
        adapter: put beside the transformer.
        thrift: how memory is saved; absent: all of it lies on the device, and must fit.
        ahead: asks the text encoders for all words of a run, where they are to be gone afterwards.
        gguf: a file that takes the place of the folder's transformer.

    Raises:
        InputError: the weights or the adapter cannot be used.
        MissingError: they are half there, or do not fit the device.
    """
    if thrift is None:
        _require_room(folder, "keyframes", device, dtype, gguf)
    lay = Layout(thrift or Thrift(), device, dtype)

    def text_encoder() -> TextEncoder:
        text = TextEncoder.load(folder, text_length, text_padding)
        lay.put(text.t5, quantised=True)
        lay.put(text.clip)
        return text

    def word_book() -> TextEncoder:
        tokenizer = read_tokenizer(folder / "tokenizer_2")
        return WordBook(text_encoder, tokenizer, text_length, text_padding, device)

    with memory_for(f"loading {folder}", LOADING):
        text = lay.words(text_encoder, word_book, ahead)
        transformer = read_transformer(InterleavedFlux, folder, dtype, gguf)
        lay.put(transformer, quantised=gguf is None, adapter=adapter)
        codec = ImageCodec.load(folder)
        lay.put_codec(codec)
    return KeyframeModels(transformer, codec, text)


def load_video_models(
    folder: Path,
    text_length: int,
    device: torch.device,
    dtype: torch.dtype,
    adapter: str | None = None,
    thrift: Thrift | None = None,
    ahead: Callable[[ShotTextEncoder], object] | None = None,
    gguf: Path | None = None,
) -> VideoModels:
    """Models that make clips, in inference mode, from a folder in ``WanPipeline`` layout, as above."""
    if thrift is None:
        _require_room(folder, "video", device, dtype, gguf)
    lay = Layout(thrift or Thrift(), device, dtype)

    def text_encoder() -> ShotTextEncoder:
        text = ShotTextEncoder.load(folder, text_length)
        lay.put(text.t5, quantised=True)
        return text

    def word_book() -> ShotTextEncoder:
        return ShotWordBook(text_encoder, read_tokenizer(folder / "tokenizer"), text_length, device)

    with memory_for(f"loading {folder}", LOADING):
        text = lay.words(text_encoder, word_book, ahead)
        transformer = read_transformer(InterleavedWan, folder, dtype, gguf)
        lay.put(transformer, quantised=gguf is None, adapter=adapter)
        codec = VideoCodec.load(folder)
        lay.put_codec(codec)
    return VideoModels(transformer, codec, text)


def read_transformer(
    kind: type[Transformer], folder: Path, dtype: torch.dtype, gguf: Path | None
) -> Transformer:
    """A transformer on the CPU, from its folder or from a GGUF file."""
    if gguf is not None:
        return load_gguf(kind, gguf, folder, dtype)
    # Given here, not with .to(): Wan keeps its norms and time embedding in fp32 whatever is asked.
    model: Transformer = kind.from_pretrained(folder / "transformer", dtype=dtype)
    return model


class Layout:
    """Puts components where they are to lie, in inference mode, as they are to be kept."""

    def __init__(self, thrift: Thrift, device: torch.device, dtype: torch.dtype) -> None:
        """``device``: where they compute; ``dtype``: in which numbers."""
        self.thrift, self.device, self.dtype = thrift, device, dtype
        self.turns = Turns(device) if thrift.offload in TURNS else None

    def words(
        self,
        encoder: Callable[[], Encoder],
        book: Callable[[], Encoder],
        ahead: Callable[[Encoder], object] | None,
    ) -> Encoder:
        """What reads words: the encoders, or a book of what they made, asked ahead and gone."""
        if self.thrift.offload != "sequential":
            return encoder()
        made = book()
        if ahead is not None:
            ahead(made)
        return made

    def put_codec(self, codec: ImageCodec | VideoCodec) -> None:
        """Have an autoencoder ready."""
        over_time = isinstance(codec, VideoCodec)
        self.put(codec.vae, runtime.clip_type(self.device, self.dtype) if over_time else None)
        if self.thrift.tile:
            codec.decode_in_tiles()

    def put(
        self,
        module: Any,
        dtype: torch.dtype | None = None,
        quantised: bool = False,
        adapter: str | None = None,
    ) -> None:
        """Have a component ready.

        Args:
            module: of torch, as it was read, on the CPU.
            dtype: in which numbers; absent: as all.
            quantised: whether it is one of those that are kept in few bits where that is asked.
            adapter: put beside it.
        """
        if not isinstance(module, (InterleavedFlux, InterleavedWan)):  # these were read in their number type
            module.to(dtype or self.dtype)
        place = CPU if self.turns else self.device
        if quantised:
            quantise_blocks(module, self.thrift.quantise, place)
        if adapter is not None:  # told no alpha, it counts as trained (alpha = r)
            module.load_lora_adapter(load_file(adapter_file(adapter)), prefix="transformer")
        module.to(place).eval().requires_grad_(False)
        if self.turns is not None:
            self.turns.add(module, self._grouped(module))

    def _grouped(self, module: Any) -> list[nn.Module] | None:
        """What of a component comes on its turn, where its layers come one by one; none: all of it."""
        if self.thrift.offload != "group":
            return None
        if isinstance(module, (InterleavedFlux, InterleavedWan)):
            return in_blocks(module, self.device)
        is_t5 = getattr(module.config, "model_type", "") in T5_KINDS
        return in_layers(module, self.device) if is_t5 else None


def _require_room(
    folder: Path, part: Part, device: torch.device, dtype: torch.dtype, gguf: Path | None
) -> None:
    require_room(room_for(read_contents(folder, part, gguf), device, dtype), str(folder))
