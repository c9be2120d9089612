"""From keyframes to clips: shots of a window sampled together, beside the keyframes of others (section 3.3).

The model is conditioned on every keyframe that it sees: a shot's first latent frame is its keyframe, clean
throughout.  Shots of a window get the rest of their frames; neighbours outside the window stand beside them
with their keyframe alone, one clean latent frame.  A film with more neighbours than ``neighbours`` leaves the
farthest out.

Shapes:  K shots   C channels   F latent frames   h, w latent size   H, W pixels
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor

from cinema_cli.config import Config
from cinema_cli.errors import CinemaError, InputError
from cinema_cli.fields import seconds
from cinema_cli.models.captions import with_looks
from cinema_cli.models.enough import DECODING, SAMPLING, memory_for
from cinema_cli.models.flow_matching import schedule
from cinema_cli.models.kept_latents import KeptLatents
from cinema_cli.models.pictures import Frame, is_flat
from cinema_cli.models.sampling import sample_clips
from cinema_cli.models.weights import VideoModels
from cinema_cli.runtime import generator
from cinema_cli.storyboard import Shot, Storyboard
from cinema_cli.theatre.world import CLIP_RATE

AnimatorName = Literal["interleaved", "stock-wan"]

Clip = NDArray[np.uint8]
"""(frames, H, W, 3), RGB."""


class ClipConfig(Config):
    """How clips are made."""

    steps: Annotated[int, Field(ge=1, le=1000)] = 16
    """Sampling steps."""
    shift: Annotated[float, Field(gt=0)] = 1.5
    """Shift of the noise levels, the one of training."""
    text_length: Annotated[int, Field(ge=1, le=512)] = 160
    """Text tokens of a shot (T), global caption and its own, as many as in training."""
    cut_phase: Annotated[float, Field(ge=0)] = 0.5
    """Phase offset of positions at every cut, in latent frames; the one of training."""
    window: Annotated[int, Field(ge=1)] = 4
    """Shots sampled together: as many as the model was trained on."""
    neighbours: Annotated[int, Field(ge=0)] = 8
    """Other shots whose keyframes the model sees, the nearest."""
    repeat_looks: bool = True
    """Tell the model the look of everybody in every caption, as for keyframes."""
    clip_rate: Annotated[int, Field(ge=1, le=240)] = CLIP_RATE
    """Frames a second that the model makes."""
    longest: Annotated[int, Field(ge=1)] = 10
    """Seconds: a longer shot is refused, for attention grows with the square of its frames."""
    animator: AnimatorName | None = None
    """``interleaved``, the paper's, or ``stock-wan``, shot by shot; absent: the latter for a model as it was
    released, which its index tells."""
    guidance: Annotated[float, Field(ge=1)] = 1.0
    """Scale of true guidance between the words and ``negative``, a second evaluation; 1 for none."""
    negative: str = ""
    """What guidance leads away from."""
    ends: bool = False
    """Of ``stock-wan``: a shot whose scene goes on ends in the keyframe of the next; untrained."""


@dataclass(frozen=True)
class ClipWindow:
    """Shots sampled together, and those that only show their keyframe; ids in the order of the film."""

    made: tuple[str, ...]
    seen: tuple[str, ...]


def clip_frames(shot: Shot, config: ClipConfig) -> int:
    """How many frames the clip of a shot has.

    Raises:
        InputError: its duration is no whole number of frames, or too long.
    """
    length = seconds(shot.duration)
    if length > config.longest:
        raise InputError(
            f"Shot {shot.id}: at most {config.longest} s were wanted, found {shot.duration}. "
            "Cut it into several shots in the storyboard."
        )
    frames = length * config.clip_rate
    if frames.denominator != 1:
        raise InputError(
            f"Shot {shot.id}: a whole number of frames at {config.clip_rate} a second was wanted, "
            f"found {frames} of them in {shot.duration} s. Change its duration in the storyboard, "
            f"to {Fraction(max(1, round(frames)), config.clip_rate)} for example."
        )
    return int(frames)


def refuse_other_sizes(frame_size: tuple[int, int], unit: int) -> None:
    """Raise InputError where a frame is no whole number of tokens, each ``unit`` pixels high and wide."""
    if frame_size[0] % unit or frame_size[1] % unit:
        raise InputError(
            f"frame_size: sides that divide by {unit} were wanted, as the video model makes them, "
            f"found {frame_size[0]} x {frame_size[1]}. Plan the film in such a size."
        )


def padded_frames(frames: int, step: int) -> int:
    """The next 4n + 1, as the autoencoder takes them; what is too much is cut off after decoding."""
    return 1 + -(-(frames - 1) // step) * step


def plan_clips(board: Storyboard, stale: Set[str], config: ClipConfig) -> list[ClipWindow]:
    """Windows that make all stale clips, in the order of the film."""
    ids = [shot.id for shot in board.shots]
    pending = [id for id in ids if id in stale]
    windows = []
    for start in range(0, len(pending), config.window):
        made = pending[start : start + config.window]
        places = [ids.index(id) for id in made]
        others = [place for place in range(len(ids)) if place not in places]
        others.sort(key=lambda place: (min(abs(place - p) for p in places), place))
        seen = sorted(others[: config.neighbours])
        windows.append(ClipWindow(tuple(made), tuple(ids[place] for place in seen)))
    return windows


class ClipMaker:
    """Makes the clips of a window."""

    def __init__(
        self,
        models: VideoModels,
        frame_size: tuple[int, int],
        config: ClipConfig,
        kept: KeptLatents | None = None,
    ) -> None:
        """Refuses a frame size that the model cannot make; ``kept``: where latents wait for decoding."""
        unit = models.codec.vae.config.scale_factor_spatial * models.transformer.config.patch_size[1]
        refuse_other_sizes(frame_size, unit)
        self.models, self.config, self.kept = models, config, kept

    def make(
        self,
        board: Storyboard,
        window: ClipWindow,
        keyframes: Mapping[str, Frame],
        seeds: Mapping[str, int],
        on_step: Callable[[], None] = lambda: None,
    ) -> dict[str, Clip]:
        """The clips of a window by id, each with exactly the frames of its shot.

        Args:
            board: the film.
            window: the shots to make, and the others whose keyframes are seen.
            keyframes: by id, for every shot of the window.
            seeds: by id, of the noise of each clip that is made.
            on_step: called after every sampling step.

        Raises:
            CinemaError: a clip holds no picture.
            MissingError: there is not memory enough; what is sampled is kept.
        """
        told = ", ".join(window.made)

        def sample() -> list[Tensor]:
            with memory_for(f"sampling shot {told}", SAMPLING):
                return self._sampled(board, window, keyframes, seeds, on_step)

        if self.kept is None:
            latents = sample()
        else:
            latents = self.kept.sampled(self._inputs(board, window, keyframes, seeds), window.made, sample)
        with memory_for(f"decoding shot {told}", DECODING):
            return {
                id: self._decoded(board.shot(id), clip) for id, clip in zip(window.made, latents, strict=True)
            }

    def _inputs(
        self,
        board: Storyboard,
        window: ClipWindow,
        keyframes: Mapping[str, Frame],
        seeds: Mapping[str, int],
    ) -> dict[str, Any]:
        """Everything that latents depend on, but the weights."""
        members = {*window.made, *window.seen}
        return {
            "maker": type(self).__name__,
            "config": {name: getattr(self.config, name) for name in ClipConfig.model_fields},
            "film": board.caption,
            "made": window.made,
            "shots": [
                (
                    shot.id,
                    told_caption(board, shot, self.config),
                    shot.duration,
                    seeds.get(shot.id),
                    sha256(keyframes[shot.id].tobytes()).hexdigest(),
                )
                for shot in board.shots
                if shot.id in members
            ],
        }

    def _sampled(
        self,
        board: Storyboard,
        window: ClipWindow,
        keyframes: Mapping[str, Frame],
        seeds: Mapping[str, int],
        on_step: Callable[[], None],
    ) -> list[Tensor]:
        """Latents (C, F, h, w) of the clips that are made."""
        config, members = self.config, {*window.made, *window.seen}
        shots = [shot for shot in board.shots if shot.id in members]
        model = self.models.transformer
        # (K, C, 1, h, w)
        first = torch.cat([self._latent(keyframes[shot.id]) for shot in shots]).to(model.device, model.dtype)
        latents = sample_clips(
            model,
            self._words(board, shots).to(model.device, model.dtype),
            first,
            [self._noise(shot, first, seeds).to(model.device, model.dtype) for shot in shots],
            schedule(config.steps, config.shift),
            config.cut_phase,
            on_step,
            config.guidance,
            self.models.text.alone([config.negative]) if config.guidance != 1 else None,
        )
        by_id = {shot.id: clip for shot, clip in zip(shots, latents, strict=True)}
        return [by_id[id] for id in window.made]

    def _latent(self, frame: Frame) -> Tensor:
        """(1, C, 1, h, w): a keyframe is a clip of one frame."""
        return self.models.codec.encode(torch.from_numpy(frame)[None, None])

    def _words(self, board: Storyboard, shots: Sequence[Shot]) -> Tensor:
        """(K, T, D_text)."""
        return self.models.text.encode(
            board.caption, [told_caption(board, shot, self.config) for shot in shots]
        )

    def _noise(self, shot: Shot, first: Tensor, seeds: Mapping[str, int]) -> Tensor:
        """(C, F, h, w); a shot that is only seen has one latent frame, and no noise in it."""
        channels, height, width = first.shape[1], *first.shape[3:]
        if shot.id not in seeds:
            return torch.zeros(channels, 1, height, width)
        step = self.models.codec.vae.config.scale_factor_temporal
        frames = padded_frames(clip_frames(shot, self.config), step)
        size = (channels, self.models.codec.latent_frames(frames), height, width)
        return torch.randn(size, generator=generator(seeds[shot.id]))

    def _decoded(self, shot: Shot, latents: Tensor) -> Clip:
        if not latents.isfinite().all():
            raise CinemaError(
                f"Shot {shot.id}: a clip was wanted, but the model gave numbers that are not finite. "
                "Check its weights: cinema doctor"
            )
        clip: Clip = self.models.codec.decode(latents[None])[0].numpy()[: clip_frames(shot, self.config)]
        for number, frame in enumerate(clip):
            if is_flat(frame):
                raise CinemaError(
                    f"Shot {shot.id}: a clip was wanted, found nothing but one colour in frame {number}. "
                    "Try more steps, or another keyframe: cinema plan with --redo."
                )
        return clip


def told_caption(board: Storyboard, shot: Shot, config: ClipConfig) -> str:
    """The words that the model is given for a shot, beside the global caption."""
    return with_looks(shot.caption, board.cast) if config.repeat_looks else shot.caption
