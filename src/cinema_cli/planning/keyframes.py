"""Drawing keyframes: a window of new ones, jointly or beside remembered ones (appendix F, 3.2).

Shapes:  P new frames   n remembered frames of a size   L image tokens   C channels of a token
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from cinema_cli.config import Config
from cinema_cli.context.goldenmem import Grid, shrink
from cinema_cli.errors import CinemaError, InputError
from cinema_cli.fields import Line
from cinema_cli.models.captions import with_looks
from cinema_cli.models.encoders import TextPadding
from cinema_cli.models.enough import DECODING, SAMPLING, memory_for
from cinema_cli.models.flow_matching import noised, schedule
from cinema_cli.models.kept_latents import KeptLatents
from cinema_cli.models.pairs import PairGroup
from cinema_cli.models.pictures import Frame, is_flat
from cinema_cli.models.sampling import sample_keyframes
from cinema_cli.models.weights import KeyframeModels
from cinema_cli.runtime import generator
from cinema_cli.storyboard import Shot, Storyboard


class DrawingConfig(Config):
    """How keyframes are drawn."""

    steps: Annotated[int, Field(ge=1, le=1000)] = 24
    """Sampling steps."""
    guidance: Annotated[float, Field(ge=0)] = 1.0
    """Scale of true guidance between captions and none; 1 for none, which costs half as much."""
    guidance_above: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Noise level down to which there is true guidance; below it only captions are followed, which costs
    less and leaves fewer artefacts (Kynkaanniemi et al., arXiv 2404.07724)."""
    shift: Annotated[float, Field(gt=0)] = 1.5
    """Shift of the noise levels, the one of training."""
    text_length: Annotated[int, Field(ge=1, le=512)] = 96
    """Text tokens of a caption (T), as many as in training."""
    text_padding: TextPadding = "encoded"
    """What stands behind a shorter caption, as in training."""
    context_level: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Noise level of remembered frames (Fig. 9: small, not zero)."""
    embedded_guidance: Annotated[float, Field(ge=1)] = 3.5
    """The guidance that a guidance-distilled model is told, such as FLUX.1-dev; others are told none."""
    references: Annotated[int, Field(ge=1, le=16)] | None = None
    """Most remembered frames that an editor is shown; absent: as many as its documentation speaks of."""
    instruction: Annotated[Line, Field(max_length=500)] = (
        "Show another shot of the same film, with the same people in the same clothes, not the same picture."
    )
    """What an editor is told before the caption where it is shown remembered frames."""
    negative: str = " "
    """What guidance of an editor leads away from, where it evaluates without words as well."""
    repeat_looks: bool = True
    """Tell the model the look of everybody in every caption.  The storyboard's captions tell it once; a model
    that remembers a name alone too rarely is given the look each time, so that films stay consistent."""


@dataclass(frozen=True)
class MemoryFrame:
    """A frame that is remembered: of which shot, with which words, at which size in tokens."""

    shot: Shot
    caption: str
    frame: Frame
    grid: Grid


def told_caption(board: Storyboard, shot: Shot, config: DrawingConfig) -> str:
    """The words that the model is given for a shot."""
    return with_looks(shot.caption, board.cast) if config.repeat_looks else shot.caption


def refuse_other_sizes(frame_size: tuple[int, int], patch: int) -> None:
    """Raise InputError where a frame is no whole number of tokens, each ``patch`` pixels high and wide."""
    if frame_size[0] % patch or frame_size[1] % patch:
        raise InputError(
            f"frame_size: sides that divide by {patch} were wanted, as the model draws, "
            f"found {frame_size[0]} x {frame_size[1]}. Change it in the storyboard."
        )


class KeyframeArtist:
    """Draws the frames of a window."""

    def __init__(
        self,
        models: KeyframeModels,
        frame_size: tuple[int, int],
        config: DrawingConfig,
        kept: KeptLatents | None = None,
    ) -> None:
        """Refuses a frame size that the model cannot draw; ``kept``: where latents wait for decoding."""
        refuse_other_sizes(frame_size, models.codec.patch)
        self.models, self.config, self.kept = models, config, kept
        self.grid = models.codec.grid(frame_size)

    def cut(self, captions: Sequence[str]) -> list[int]:
        """Which captions are longer than the model reads."""
        return self.models.text.cut(list(captions))

    def draw(
        self,
        shots: Sequence[Shot],
        captions: Sequence[str],
        memory: Sequence[MemoryFrame] = (),
        order: Sequence[str] | None = None,
        on_step: Callable[[], None] = lambda: None,
    ) -> dict[str, Frame]:
        """Draw new frames together, beside remembered ones.

        Args:
            shots: the P shots in the order of the film; each has a seed, that of its noise.
            captions: the words of each.
            memory: what they remember.
            order: ids of new and remembered shots in the order of the film; needed where there is memory.
            on_step: called after every sampling step.

        Raises:
            CinemaError: a frame holds no picture.
            MissingError: there is not memory enough; what is sampled is kept.
        """
        ids = [shot.id for shot in shots]

        def sample() -> list[Tensor]:
            with memory_for(f"drawing shot {', '.join(ids)}", SAMPLING):
                return list(self._sampled(shots, captions, memory, order, on_step))

        if self.kept is None:
            tokens = sample()
        else:
            tokens = self.kept.sampled(self._inputs(shots, captions, memory, order), ids, sample)
        with memory_for(f"decoding shot {', '.join(ids)}", DECODING):
            return {shot.id: self._picture(shot, part) for shot, part in zip(shots, tokens, strict=True)}

    def _inputs(
        self,
        shots: Sequence[Shot],
        captions: Sequence[str],
        memory: Sequence[MemoryFrame],
        order: Sequence[str] | None,
    ) -> dict[str, Any]:
        """Everything that tokens depend on, but the weights."""
        return {
            "grid": self.grid,
            "drawing": DrawingConfig(
                **{name: getattr(self.config, name) for name in DrawingConfig.model_fields}
            ).model_dump(mode="json"),
            "shots": [(shot.id, shot.seed, words) for shot, words in zip(shots, captions, strict=True)],
            "memory": [
                (each.shot.id, each.shot.seed, each.caption, each.grid, _hashed(each.frame))
                for each in memory
            ],
            "order": order,
        }

    def _sampled(
        self,
        shots: Sequence[Shot],
        captions: Sequence[str],
        memory: Sequence[MemoryFrame],
        order: Sequence[str] | None,
        on_step: Callable[[], None],
    ) -> Tensor:
        """Tokens (P, L, C) of new frames."""
        models, config = self.models, self.config
        words = models.text.encode(list(captions))
        noise = torch.stack([self._noise(shot, self.grid) for shot in shots])
        ranks = {id: rank for rank, id in enumerate(order or [shot.id for shot in shots])}
        return sample_keyframes(
            models.transformer,
            words,
            models.text.encode([""]) if config.guidance != 1 else words,
            noise.to(models.transformer.device, models.transformer.dtype),
            self.grid,
            schedule(config.steps, config.shift),
            config.guidance,
            self._groups(memory, ranks),
            [ranks[shot.id] for shot in shots],
            on_step,
            self._embedded(),
            config.guidance_above,
        )

    def _embedded(self) -> Tensor | None:
        """(1,) for a guidance-distilled model."""
        model = self.models.transformer
        if not model.config.guidance_embeds:
            return None
        return torch.full((1,), self.config.embedded_guidance, device=model.device, dtype=model.dtype)

    def _groups(self, memory: Sequence[MemoryFrame], ranks: Mapping[str, int]) -> list[PairGroup]:
        """Memory as the model takes it, by size, each frame at the noise level of context."""
        model = self.models.transformer
        sizes = list(dict.fromkeys(each.grid for each in memory))
        groups = []
        for grid in sizes:
            frames = [each for each in memory if each.grid == grid]
            words = self.models.text.encode([each.caption for each in frames])
            groups.append(
                PairGroup(
                    torch.stack([self._remembered(each) for each in frames])[None],
                    words.text[None],
                    words.pooled[None],
                    torch.full(
                        (1, len(frames)), self.config.context_level, device=model.device, dtype=model.dtype
                    ),
                    [ranks[each.shot.id] for each in frames],
                    grid,
                    self.grid,
                    remembered=True,
                )
            )
        return groups

    def _remembered(self, each: MemoryFrame) -> Tensor:
        """Tokens (L, C) of a frame at its size, with the noise of its own seed."""
        model, codec = self.models.transformer, self.models.codec
        small = shrink(torch.from_numpy(each.frame)[None], codec.pixels(each.grid))
        clean = codec.encode(small)
        noise = self._noise(each.shot, each.grid)[None].to(clean)
        tokens = noised(clean, noise, torch.full((1,), self.config.context_level))[0]
        return tokens.to(model.device, model.dtype)

    def _noise(self, shot: Shot, grid: Grid) -> Tensor:
        size = (grid[0] * grid[1], self.models.transformer.config.in_channels)
        return torch.randn(size, generator=generator(shot.seed or 0))

    def _picture(self, shot: Shot, tokens: Tensor) -> Frame:
        """What a frame's tokens show.

        Raises:
            CinemaError: they are not finite, or show nothing but one colour.
        """
        refuse_not_finite(shot, tokens)
        frame: Frame = self.models.codec.decode(tokens[None], self.grid)[0].numpy()
        refuse_flat(shot, frame)
        return frame


def _hashed(frame: Frame) -> str:
    return sha256(frame.tobytes()).hexdigest()


def refuse_not_finite(shot: Shot, numbers: Tensor) -> None:
    """Raise CinemaError where a model gave no numbers for a shot."""
    if not numbers.isfinite().all():
        raise CinemaError(
            f"Shot {shot.id}: a picture was wanted, but the model gave numbers that are not finite. "
            "Check its weights (cinema doctor), or lower guidance."
        )


def refuse_flat(shot: Shot, frame: Frame) -> None:
    """Raise CinemaError where a frame shows nothing but one colour."""
    if is_flat(frame):
        raise CinemaError(
            f"Shot {shot.id}: a picture was wanted, found nothing but the colour "
            f"{np.array2string(frame[0, 0])}. Try another seed, or more steps."
        )
