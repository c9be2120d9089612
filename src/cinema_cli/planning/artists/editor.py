"""Keyframes of a stock editor: one frame after the other, what it remembers as its reference pictures.

The pipelines are diffusers' own, called as their documentation shows.  A first frame, which remembers
nothing, is drawn from its words alone: by the same pipeline, or, for Qwen, by the text-to-image pipeline of
its family with the same weights.

Shapes:  H, W pixels
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers  # its pipelines are imported when they are named, with text encoders that take seconds
import numpy as np
import torch
from PIL import Image

from cinema_cli.errors import CinemaError, InputError
from cinema_cli.models.architecture import pipeline_of
from cinema_cli.models.contents import INDEX_NAME, read_config, read_contents
from cinema_cli.models.encoders import to_uint8
from cinema_cli.models.pictures import Frame
from cinema_cli.models.room import require_room, room_for
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


FAMILIES = {
    "FluxKontextPipeline": Editor(kontext),
    "Flux2Pipeline": Editor(flux_2, shortest=64),
    "Flux2KleinPipeline": Editor(flux_2, shortest=64),
    "QwenImageEditPlusPipeline": Editor(qwen, plain="QwenImagePipeline"),
}
"""By the pipeline that a model's index names."""
LIBRARIES = {"diffusers", "transformers"}


def beside(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures of one size side by side, as a model that takes one is shown several."""
    return Image.fromarray(np.concatenate([np.asarray(picture) for picture in pictures], axis=1))


class EditorArtist:
    """Draws one frame at a time with a stock editor."""

    def __init__(
        self, pipeline: Any, family: Editor, frame_size: tuple[int, int], config: DrawingConfig
    ) -> None:
        """Refuses a frame size that the model cannot draw."""
        patch = 2 * pipeline.vae_scale_factor
        refuse_other_sizes(frame_size, patch)
        if min(frame_size) < family.shortest:
            raise InputError(
                f"frame_size: sides of at least {family.shortest} pixels were wanted, as the model is shown "
                f"pictures, found {frame_size[0]} x {frame_size[1]}. Change it in the storyboard."
            )
        self.pipeline, self.family, self.frame_size, self.config = pipeline, family, frame_size, config
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
    ) -> "EditorArtist":
        """From a folder in the layout of its pipeline; nothing but safetensors is read.

        Raises:
            InputError: a part of it is of another library, whose code would be run.
            MissingError: it is half there, or does not fit the device.
        """
        require_room(room_for(read_contents(folder, "keyframes"), device, dtype), str(folder))
        for name, part in read_config(folder / INDEX_NAME).items():
            if isinstance(part, list) and part[0] is not None and part[0] not in LIBRARIES:
                raise InputError(
                    f"{folder / INDEX_NAME}: parts of {' or '.join(sorted(LIBRARIES))} were wanted, found "
                    f"{name} of {part[0]}. Take the original release."
                )
        name = pipeline_of(folder)
        pipeline = getattr(diffusers, name).from_pretrained(
            folder, dtype=dtype, local_files_only=True, use_safetensors=True
        )
        return cls(pipeline.to(device), FAMILIES[name], frame_size, config)

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
        def stepped(_pipeline: Any, _step: int, _time: Any, tensors: Settings) -> Settings:
            on_step()
            return tensors

        pictures = [Image.fromarray(each.frame) for each in memory]
        words = strip_tags(caption)
        pipeline = self.pipeline if pictures else self.plain
        pixels = pipeline(
            prompt=f"{self.config.instruction} {words}" if pictures else words,
            height=self.frame_size[0],
            width=self.frame_size[1],
            num_inference_steps=self.config.steps,
            generator=generator(shot.seed or 0),
            callback_on_step_end=stepped,
            output_type="pt",
            **self.family.called(self.config, pictures, self.frame_size),
        ).images[0]
        refuse_not_finite(shot, pixels)
        frame: Frame = to_uint8(pixels * 2 - 1).permute(1, 2, 0).numpy()
        if frame.shape[:2] != self.frame_size:
            raise CinemaError(
                f"Shot {shot.id}: a picture of {self.frame_size[0]} x {self.frame_size[1]} was wanted, the "
                f"model gave {frame.shape[0]} x {frame.shape[1]}. Choose another frame_size."
            )
        refuse_flat(shot, frame)
        return frame


def _plain(pipeline: Any, kind: str) -> Any:
    """A text-to-image pipeline with the components of an editor."""
    components = {name: part for name, part in pipeline.components.items() if name != "processor"}
    plain = getattr(diffusers, kind)(**components)
    plain.set_progress_bar_config(disable=True)
    return plain
