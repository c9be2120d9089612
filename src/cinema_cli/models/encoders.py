"""Encoders: captions to text tokens, frames to image tokens and clips to latents, and back.

The text encoders are those of FLUX.1: T5 gives one vector per token, CLIP one pooled vector.  Padding is
encoded and attended to, as stock FLUX does: the model is trained with it; or, on request, T5 sees the caption
alone and zeros follow, as in Wan's pipeline.  Image latents are packed 2 x 2 into tokens.

Shapes:  n captions or frames   T text tokens   L image tokens   C channels of a token   H, W pixels
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from diffusers import AutoencoderKL, AutoencoderKLWan
from einops import rearrange
from torch import Tensor, nn
from transformers import (
    AutoModelForTextEncoding,
    AutoTokenizer,
    CLIPTextModel,
    PreTrainedTokenizerFast,
    T5EncoderModel,
)

from cinema_cli.models.finite import finite
from cinema_cli.models.offloading import bring

TILE = 512
"""Pixels along a side of a tile of a decoded picture, at most."""
TextPadding = Literal["encoded", "zeros"]
"""What stands behind a caption shorter than T: what T5 makes of padding, as FLUX knows it, or zeros."""


def read_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """A tokenizer from its files, older ones as well: FLUX.1's for CLIP has no ``tokenizer.json``."""
    return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


@dataclass(frozen=True)
class Words:
    """Encoded captions."""

    text: Tensor  # (n, T, D_text)
    pooled: Tensor  # (n, D_pooled)


class TextEncoder:
    """T5 tokens and CLIP's pooled vector, as ``FluxPipeline`` computes them."""

    def __init__(
        self,
        clip: nn.Module,
        clip_tokenizer: PreTrainedTokenizerFast,
        t5: nn.Module,
        t5_tokenizer: PreTrainedTokenizerFast,
        length: int,
        padding: TextPadding = "encoded",
    ) -> None:
        """``length``: text tokens that a caption is padded or cut to (T); ``padding``: with what."""
        self.clip, self.clip_tokenizer = clip, clip_tokenizer
        self.t5, self.t5_tokenizer = t5, t5_tokenizer
        self.length, self.padding = length, padding

    @classmethod
    def load(cls, folder: Path, length: int, padding: TextPadding = "encoded") -> "TextEncoder":
        """From a folder in ``FluxPipeline`` layout."""
        return cls(
            CLIPTextModel.from_pretrained(folder / "text_encoder"),
            read_tokenizer(folder / "tokenizer"),
            T5EncoderModel.from_pretrained(folder / "text_encoder_2"),
            read_tokenizer(folder / "tokenizer_2"),
            length,
            padding,
        )

    def encode(self, captions: list[str]) -> Words:
        """(n, T, D_text) and (n, D_pooled).

        Raises:
            CinemaError: they are not finite.
        """
        clip_ids, _ = self._read(self.clip_tokenizer, captions, self.clip_tokenizer.model_max_length)
        pooled = finite(self.clip(clip_ids.to(bring(self.clip))).pooler_output, "CLIP's words")
        device = bring(self.t5)
        t5_ids, own = (part.to(device) for part in self._read(self.t5_tokenizer, captions, self.length))
        if self.padding == "encoded":
            return Words(finite(self.t5(t5_ids)[0], "T5's words"), pooled)
        text = finite(self.t5(t5_ids, attention_mask=own)[0], "T5's words")
        return Words(text * own[..., None], pooled)

    def cut(self, captions: list[str]) -> list[int]:
        """Indices of captions that are longer than T tokens and would lose their end."""
        lengths = [len(ids) for ids in self.t5_tokenizer(captions)["input_ids"]]
        return [i for i, length in enumerate(lengths) if length > self.length]

    @staticmethod
    def _read(tokenizer: PreTrainedTokenizerFast, captions: list[str], length: int) -> tuple[Tensor, Tensor]:
        """(n, length) tokens, and 1 where they are the caption's own."""
        read = tokenizer(
            captions, padding="max_length", max_length=length, truncation=True, return_tensors="pt"
        )
        return read["input_ids"], read["attention_mask"]


class ImageCodec:
    """Frames to packed, normalised latents and back, with FLUX's autoencoder."""

    def __init__(self, vae: AutoencoderKL) -> None:
        """``vae``: its config holds the shift and scale of the latents."""
        self.vae, self.tiles = vae, False
        self.patch = 2 ** len(vae.config.block_out_channels)
        """Pixels along a side of a token: the autoencoder's reduction times the 2 x 2 packing."""

    @classmethod
    def load(cls, folder: Path) -> "ImageCodec":
        """From a folder in ``FluxPipeline`` layout."""
        return cls(AutoencoderKL.from_pretrained(folder / "vae").eval())

    def decode_in_tiles(self) -> None:
        """Decode large frames in tiles, whose seams are blended: near to the whole frame, not equal to it."""
        self.tiles = True
        side = min(self.vae.tile_sample_min_size, TILE)  # FLUX's own of 1024 pixels would save nothing
        self.vae.tile_latent_min_size = side * self.vae.tile_latent_min_size // self.vae.tile_sample_min_size
        self.vae.tile_sample_min_size = side

    def grid(self, frame_size: tuple[int, int]) -> tuple[int, int]:
        """Height and width in tokens of a frame of ``frame_size`` pixels."""
        return frame_size[0] // self.patch, frame_size[1] // self.patch

    def pixels(self, grid: tuple[int, int]) -> tuple[int, int]:
        """Height and width in pixels of a frame of ``grid`` tokens."""
        return grid[0] * self.patch, grid[1] * self.patch

    @torch.no_grad()
    def encode(self, frames: Tensor) -> Tensor:
        """uint8 (n, H, W, 3) -> tokens (n, L, C)."""
        pixels = frames.to(bring(self.vae)).permute(0, 3, 1, 2).to(self.vae.dtype) / 127.5 - 1
        latents = finite(self.vae.encode(pixels).latent_dist.mean, "the autoencoder's latents")
        latents = (latents - self.vae.config.shift_factor) * self.vae.config.scaling_factor
        return rearrange(latents, "n c (h p) (w q) -> n (h w) (c p q)", p=2, q=2)

    @torch.no_grad()
    def decode(self, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        """Tokens (n, L, C) -> uint8 (n, H, W, 3)."""
        latents = rearrange(tokens, "n (h w) (c p q) -> n c (h p) (w q)", h=grid[0], p=2, q=2)
        latents = latents / self.vae.config.scaling_factor + self.vae.config.shift_factor
        with in_tiles(self.vae, self.tiles):
            pixels = self.vae.decode(latents.to(bring(self.vae), self.vae.dtype)).sample
        return to_uint8(finite(pixels, "the autoencoder's pixels")).permute(0, 2, 3, 1)


@contextmanager
def in_tiles(vae: AutoencoderKL | AutoencoderKLWan, wanted: bool) -> Iterator[None]:
    """Have an autoencoder work in tiles for a block: diffusers' switch would change what is encoded too."""
    vae.use_tiling = wanted
    try:
        yield
    finally:
        vae.use_tiling = False


def to_uint8(pixels: Tensor) -> Tensor:
    """[-1, 1] -> 0 to 255, rounded."""
    return ((pixels.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu()


class ShotTextEncoder:
    """Words for the video model: c_tiled, the global caption and the shot's own (section 3.3)."""

    def __init__(self, t5: nn.Module, tokenizer: PreTrainedTokenizerFast, length: int) -> None:
        """``length``: text tokens of a shot (T), both captions together."""
        self.t5, self.tokenizer, self.length = t5, tokenizer, length

    @classmethod
    def load(cls, folder: Path, length: int) -> "ShotTextEncoder":
        """From a folder in ``WanPipeline`` layout.

        The encoder is T5 or, as Wan has it, UMT5: loaded as a T5 that would lose its layers' tables of
        distances, without an error.
        """
        return cls(
            AutoModelForTextEncoding.from_pretrained(folder / "text_encoder"),
            read_tokenizer(folder / "tokenizer"),
            length,
        )

    @torch.no_grad()
    def encode(self, global_caption: str, captions: list[str]) -> Tensor:
        """(n, T, D_text): encoded apart and unpadded, joined, zero-padded as Wan's pipeline pads.

        A shot's own caption comes whole; the global one loses its end where both do not fit.
        """
        shared = self._one(global_caption)
        rows = []
        for caption in captions:
            own = self._one(caption)[: self.length]
            both = torch.cat([shared[: self.length - own.shape[0]], own])
            rows.append(torch.nn.functional.pad(both, (0, 0, 0, self.length - both.shape[0])))
        return torch.stack(rows)

    @torch.no_grad()
    def alone(self, captions: list[str]) -> Tensor:
        """(n, T, D_text): each caption by itself, cut or zero-padded to T, as in Wan's pipeline."""
        rows = [self._one(caption, self.length) for caption in captions]
        return torch.stack(
            [torch.nn.functional.pad(row, (0, 0, 0, self.length - row.shape[0])) for row in rows]
        )

    def _one(self, caption: str, most: int | None = None) -> Tensor:
        read = self.tokenizer(caption, return_tensors="pt", truncation=most is not None, max_length=most)
        encoded = self.t5(read["input_ids"].to(bring(self.t5)))[0][0]
        return finite(encoded, "T5's words")


class VideoCodec:
    """Clips to normalised latents and back, with Wan's autoencoder."""

    def __init__(self, vae: AutoencoderKLWan) -> None:
        """``vae``: its config holds the latents' mean and spread per channel."""
        self.vae, self.tiles = vae, False
        self.mean = torch.tensor(vae.config.latents_mean).view(1, -1, 1, 1, 1)
        self.std = torch.tensor(vae.config.latents_std).view(1, -1, 1, 1, 1)

    @classmethod
    def load(cls, folder: Path) -> "VideoCodec":
        """From a folder in ``WanPipeline`` layout."""
        return cls(AutoencoderKLWan.from_pretrained(folder / "vae").eval())

    def decode_in_tiles(self) -> None:
        """Decode large frames in tiles of diffusers' own size, whose seams are blended."""
        self.tiles = True

    def latent_frames(self, frames: int) -> int:
        """Latent frames of a clip; ``frames`` is 4n + 1, as the autoencoder takes them."""
        assert frames % self.vae.config.scale_factor_temporal == 1, frames
        return 1 + frames // self.vae.config.scale_factor_temporal

    @torch.no_grad()
    def encode(self, clips: Tensor) -> Tensor:
        """uint8 (n, frames, H, W, 3) -> latents (n, C, F, h, w)."""
        pixels = clips.to(bring(self.vae)).permute(0, 4, 1, 2, 3).to(self.vae.dtype) / 127.5 - 1
        # In the autoencoder's own numbers: bf16 convolutions over time crash on CPUs with AMX (docs/log.md).
        with torch.autocast(self.vae.device.type, enabled=False):
            latents = finite(self.vae.encode(pixels).latent_dist.mean, "the autoencoder's latents")
        return (latents - self.mean.to(latents)) / self.std.to(latents)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Latents (n, C, F, h, w) -> uint8 (n, frames, H, W, 3)."""
        latents = latents * self.std.to(latents) + self.mean.to(latents)
        with in_tiles(self.vae, self.tiles):
            pixels = self.vae.decode(latents.to(bring(self.vae), self.vae.dtype)).sample
        return to_uint8(finite(pixels, "the autoencoder's pixels")).permute(0, 2, 3, 4, 1)
