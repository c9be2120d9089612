"""Keyframes of a stock editor: one frame after the other, what it remembers as its reference pictures.

The pipelines are diffusers' own, called as their documentation shows.  A first frame, which remembers
nothing, is drawn from its words alone: by the same pipeline, or, for Qwen, by the text-to-image pipeline of
its family with the same weights.  They give latents, which are kept until they are decoded.

Shapes:  H, W pixels   C channels   h, w latent size, or size in tokens of 2 x 2 of them   L = h w tokens
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import diffusers  # its pipelines are imported when they are named, with text encoders that take seconds
import numpy as np
import torch
from einops import rearrange
from PIL import Image
from torch import Tensor

from cinema_cli.errors import CinemaError, InputError
from cinema_cli.models.architecture import EDITOR_TRANSFORMERS, pipeline_of
from cinema_cli.models.contents import INDEX_NAME, read_config
from cinema_cli.models.encoders import ImageCodec, in_tiles, to_uint8
from cinema_cli.models.enough import DECODING, LOADING, SAMPLING, memory_for
from cinema_cli.models.finite import finite
from cinema_cli.models.gguf_weights import load_gguf
from cinema_cli.models.kept_latents import KeptLatents
from cinema_cli.models.offloading import in_blocks, in_layers
from cinema_cli.models.pictures import Frame
from cinema_cli.models.thrift import TEXT, Thrift
from cinema_cli.planning.keyframes import (
    DrawingConfig,
    MemoryFrame,
    refuse_flat,
    refuse_not_finite,
    refuse_other_sizes,
)
from cinema_cli.runtime import generator
from cinema_cli.storyboard import Shot, strip_tags

Settings = dict[str, Any]
"""Arguments of a pipeline's call."""


@dataclass(frozen=True)
class Editor:
    """How a family of editors is called."""

    called: Callable[[DrawingConfig, list[Image.Image], tuple[int, int]], Settings]
    """The arguments beside those that all have, for reference pictures and a frame size."""
    unpacked: Callable[[Any, Tensor, tuple[int, int]], Tensor]
    """What its pipeline gives as latents, as the autoencoder takes it, for a size in tokens."""
    shortest: int = 1
    """Pixels that each side of a picture must have."""
    plain: str | None = None
    """The family's text-to-image pipeline, where the editor itself must have a picture."""


def kontext(config: DrawingConfig, pictures: list[Image.Image], size: tuple[int, int]) -> Settings:
    """One picture, several side by side; in the film's own size, not in the pipeline's megapixel."""
    return {
        "image": beside(pictures) if pictures else None,
        "guidance_scale": config.embedded_guidance,
        "max_area": size[0] * size[1],
        "_auto_resize": False,
        "max_sequence_length": config.text_length,
    }


def flux_2(config: DrawingConfig, pictures: list[Image.Image], size: tuple[int, int]) -> Settings:
    """A list of pictures; FLUX.2 is told its guidance, klein evaluates twice where it is not distilled."""
    return {
        "image": pictures or None,
        "guidance_scale": config.embedded_guidance,
        "max_sequence_length": config.text_length,
    }


def qwen(config: DrawingConfig, pictures: list[Image.Image], size: tuple[int, int]) -> Settings:
    """A list of pictures; true guidance away from ``negative``."""
    return {
        **({"image": pictures} if pictures else {}),
        "true_cfg_scale": config.guidance,
        "negative_prompt": config.negative if config.guidance > 1 else None,
    }


def spread(latents: Tensor, grid: tuple[int, int]) -> Tensor:
    """Tokens (1, L, 4 C) to (1, C, 2 h, 2 w)."""
    rows: Tensor = rearrange(latents, "n (h w) (c p q) -> n c (h p) (w q)", h=grid[0], w=grid[1], p=2, q=2)
    return rows


def kontext_unpacked(pipeline: Any, latents: Tensor, grid: tuple[int, int]) -> Tensor:
    """Scaled and shifted back."""
    config, rows = pipeline.vae.config, spread(latents, grid)
    return rows.div(config.scaling_factor).add(config.shift_factor)


def flux_2_unpacked(pipeline: Any, latents: Tensor, grid: tuple[int, int]) -> Tensor:
    """Tokens were normalised as a batch norm does it."""
    norm = pipeline.vae.bn
    spread_out = torch.sqrt(norm.running_var + pipeline.vae.config.batch_norm_eps)
    return spread(latents * spread_out.to(latents) + norm.running_mean.to(latents), grid)


def klein_unpacked(pipeline: Any, latents: Tensor, grid: tuple[int, int]) -> Tensor:
    """Its pipeline did it."""
    return latents


def qwen_unpacked(pipeline: Any, latents: Tensor, grid: tuple[int, int]) -> Tensor:
    """Pictures are clips of one frame; every channel has a mean and a spread."""
    config, clip = pipeline.vae.config, spread(latents, grid)[:, :, None]
    mean, std = (
        torch.tensor(each).view(1, -1, 1, 1, 1) for each in (config.latents_mean, config.latents_std)
    )
    return clip * std.to(clip) + mean.to(clip)


FAMILIES = {
    "FluxKontextPipeline": Editor(kontext, kontext_unpacked),
    "Flux2Pipeline": Editor(flux_2, flux_2_unpacked, shortest=64),
    "Flux2KleinPipeline": Editor(flux_2, klein_unpacked, shortest=64),
    "QwenImageEditPlusPipeline": Editor(qwen, qwen_unpacked, plain="QwenImagePipeline"),
}
"""By the pipeline that a model's index names."""
LIBRARIES = {"diffusers", "transformers"}


def beside(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures of one size side by side, as a model that takes one is shown several."""
    return Image.fromarray(np.concatenate([np.asarray(picture) for picture in pictures], axis=1))


class EditorArtist:
    """Draws one frame at a time with a stock editor."""

    def __init__(
        self,
        pipeline: Any,
        family: Editor,
        frame_size: tuple[int, int],
        config: DrawingConfig,
        device: torch.device,
        tile: bool = False,
        kept: KeptLatents | None = None,
    ) -> None:
        """Refuses a frame size that the model cannot draw.

        Args:
            pipeline: of diffusers, laid out.
            family: how it is called.
            frame_size: (H, W).
            config: how frames are drawn.
            device: where it computes.
            tile: decode in tiles.
            kept: where latents wait for decoding.
        """
        patch = 2 * pipeline.vae_scale_factor
        refuse_other_sizes(frame_size, patch)
        if min(frame_size) < family.shortest:
            raise InputError(
                f"frame_size: sides of at least {family.shortest} pixels were wanted, as the model is shown "
                f"pictures, found {frame_size[0]} x {frame_size[1]}. Change it in the storyboard."
            )
        self.pipeline, self.family, self.frame_size, self.config = pipeline, family, frame_size, config
        self.device, self.tile, self.kept = device, tile, kept
        self.grid = frame_size[0] // patch, frame_size[1] // patch
        pipeline.set_progress_bar_config(disable=True)
        self.plain = pipeline if family.plain is None else _plain(pipeline, family.plain)

    @classmethod
    def load(
        cls,
        folder: Path,
        frame_size: tuple[int, int],
        config: DrawingConfig,
        device: torch.device,
        dtype: torch.dtype,
        thrift: Thrift | None = None,
        kept: KeptLatents | None = None,
        gguf: Path | None = None,
    ) -> "EditorArtist":
        """From a folder in the layout of its pipeline; nothing but safetensors, or GGUF, is read.

        Args:
            folder: of the model.
            frame_size: (H, W).
            config: how frames are drawn.
            device: where it computes.
            dtype: in which numbers.
            thrift: how memory is saved; absent: all of it lies on the device.
            kept: where latents wait for decoding.
            gguf: a file that takes the place of the folder's transformer.

        Raises:
            InputError: a part of it is of another library, whose code would be run.
            MissingError: it is half there, or there is not memory enough.
        """
        for name, part in read_config(folder / INDEX_NAME).items():
            if isinstance(part, list) and part[0] is not None and part[0] not in LIBRARIES:
                raise InputError(
                    f"{folder / INDEX_NAME}: parts of {' or '.join(sorted(LIBRARIES))} were wanted, found "
                    f"{name} of {part[0]}. Take the original release."
                )
        name, thrift, given = pipeline_of(folder), thrift or Thrift(), {}
        with memory_for(f"loading {folder}", LOADING):
            if gguf is not None:
                kind = getattr(diffusers, EDITOR_TRANSFORMERS[name])
                given["transformer"] = load_gguf(kind, gguf, folder, dtype)
            pipeline = getattr(diffusers, name).from_pretrained(
                folder, dtype=dtype, local_files_only=True, use_safetensors=True, **given
            )
            lay_out(pipeline, thrift, device)
        return cls(pipeline, FAMILIES[name], frame_size, config, device, thrift.tile, kept)

    def cut(self, captions: Sequence[str]) -> list[int]:
        """Which captions are longer than the model reads, what it is told before them left out."""
        tokenizer = getattr(self.pipeline, "tokenizer_2", None) or self.pipeline.tokenizer
        tokenizer = getattr(tokenizer, "tokenizer", tokenizer)  # FLUX.2's is a processor that has one
        lengths = [len(tokenizer(strip_tags(caption))["input_ids"]) for caption in captions]
        return [i for i, length in enumerate(lengths) if length > self.config.text_length]

    def draw(
        self,
        shots: Sequence[Shot],
        captions: Sequence[str],
        memory: Sequence[MemoryFrame] = (),
        order: Sequence[str] | None = None,
        on_step: Callable[[], None] = lambda: None,
    ) -> dict[str, Frame]:
        """See ``Artist.draw``; the frames stand in no order but that of the film, and are not shrunk."""
        return {
            shot.id: self._one(shot, caption, memory, on_step)
            for shot, caption in zip(shots, captions, strict=True)
        }

    def _one(
        self, shot: Shot, caption: str, memory: Sequence[MemoryFrame], on_step: Callable[[], None]
    ) -> Frame:
        def sample() -> list[Tensor]:
            with memory_for(f"drawing shot {shot.id}", SAMPLING):
                return [self._sampled(shot, caption, memory, on_step)]

        if self.kept is None:
            (latents,) = sample()
        else:
            (latents,) = self.kept.sampled(self._inputs(shot, caption, memory), [shot.id], sample)
        with memory_for(f"decoding shot {shot.id}", DECODING):
            frame = self._decoded(shot, latents)
        refuse_flat(shot, frame)
        return frame

    def _inputs(self, shot: Shot, caption: str, memory: Sequence[MemoryFrame]) -> Settings:
        """Everything that latents depend on, but the weights."""
        drawing = {name: getattr(self.config, name) for name in DrawingConfig.model_fields}
        return {
            "pipeline": type(self.pipeline).__name__,
            "frame_size": self.frame_size,
            "drawing": DrawingConfig(**drawing).model_dump(mode="json"),
            "shot": (shot.id, shot.seed, caption),
            "memory": [(each.shot.id, sha256(each.frame.tobytes()).hexdigest()) for each in memory],
        }

    def _sampled(
        self, shot: Shot, caption: str, memory: Sequence[MemoryFrame], on_step: Callable[[], None]
    ) -> Tensor:
        """Latents of a frame as the pipeline gives them: (1, L, 4 C), klein's (1, C, h, w)."""

        def stepped(_pipeline: Any, _step: int, _time: Any, tensors: Settings) -> Settings:
            on_step()
            return tensors

        pictures = [Image.fromarray(each.frame) for each in memory]
        words = strip_tags(caption)
        pipeline = self.pipeline if pictures else self.plain
        latents: Tensor = pipeline(
            prompt=f"{self.config.instruction} {words}" if pictures else words,
            height=self.frame_size[0],
            width=self.frame_size[1],
            num_inference_steps=self.config.steps,
            generator=generator(shot.seed or 0),
            callback_on_step_end=stepped,
            output_type="latent",
            **self.family.called(self.config, pictures, self.frame_size),
        ).images
        tokens = latents.shape[1] if latents.ndim == 3 else latents[0, 0].numel() // 4
        if tokens != self.grid[0] * self.grid[1]:
            raise CinemaError(
                f"Shot {shot.id}: a picture of {self.frame_size[0]} x {self.frame_size[1]}, so "
                f"{self.grid[0] * self.grid[1]} tokens, was wanted, the model gave {tokens}. Choose another "
                "frame_size."
            )
        return latents

    @torch.no_grad()
    def _decoded(self, shot: Shot, latents: Tensor) -> Frame:
        """(H, W, 3)."""
        refuse_not_finite(shot, latents)
        vae = self.pipeline.vae
        ready = self.family.unpacked(self.pipeline, latents, self.grid).to(self.device, vae.dtype)
        with in_tiles(vae, self.tile):
            pixels = vae.decode(ready, return_dict=False)[0]
        self.pipeline.maybe_free_model_hooks()
        pixels = finite(pixels, "the autoencoder's pixels")
        frame: Frame = to_uint8(pixels[0, :, 0] if pixels.ndim == 5 else pixels[0]).permute(1, 2, 0).numpy()
        return frame


def lay_out(pipeline: Any, thrift: Thrift, device: torch.device) -> None:
    """Put the parts of a pipeline where they are to lie, with diffusers' own means."""
    if thrift.tile and hasattr(pipeline.vae, "tile_sample_min_size"):
        ImageCodec(pipeline.vae).decode_in_tiles()  # in tiles that save something; used for decoding alone
    if thrift.offload == "model":
        pipeline.enable_model_cpu_offload(device=device)
        return
    if thrift.offload == "group":
        in_blocks(pipeline.transformer, device)
        for name in TEXT:
            if getattr(pipeline, name, None) is not None:
                in_layers(getattr(pipeline, name), device)
        pipeline.vae.to(device)
        return
    pipeline.to(device)


def _plain(pipeline: Any, kind: str) -> Any:
    """A text-to-image pipeline with the components of an editor."""
    components = {name: part for name, part in pipeline.components.items() if name != "processor"}
    plain = getattr(diffusers, kind)(**components)
    plain.set_progress_bar_config(disable=True)
    return plain
