"""Clips of stock Wan2.2-TI2V-5B: image to video, shot by shot, each from its keyframe.

What ``WanImageToVideoPipeline`` computes with ``expand_timesteps``, by our own model of one shot, which
equals the stock one: the first latent frame is the keyframe at timestep 0, the scheduler and its shift are
those of the release, and guidance leads from ``negative`` to the words.  That pipeline ignores a last image;
here a last frame is one more latent frame at timestep 0, which nobody trained.

Shapes:  C channels   F latent frames   h, w latent size   T text tokens
"""

from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import Any

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler
from torch import Tensor

from cinema_cli.errors import InputError
from cinema_cli.models.contents import read_config
from cinema_cli.models.kept_latents import KeptLatents
from cinema_cli.models.offloading import bring
from cinema_cli.models.pictures import Frame
from cinema_cli.models.video import InterleavedWan
from cinema_cli.models.weights import VideoModels
from cinema_cli.rendering.video import ClipConfig, ClipMaker, ClipWindow, told_caption
from cinema_cli.storyboard import Shot, Storyboard, strip_tags

SCHEDULERS = {each.__name__: each for each in (UniPCMultistepScheduler, FlowMatchEulerDiscreteScheduler)}
"""The one of the release, and the one that some of its derivatives take."""


def load_scheduler(folder: Path) -> Any:
    """The scheduler of a folder in ``WanPipeline`` layout.

    Raises:
        InputError: it is another kind.
    """
    name = str(read_config(folder / "scheduler" / "scheduler_config.json").get("_class_name"))
    if name not in SCHEDULERS:
        raise InputError(f"{folder / 'scheduler'}: {' or '.join(SCHEDULERS)} was wanted, found {name}.")
    return SCHEDULERS[name].from_pretrained(folder / "scheduler", local_files_only=True)


def next_in_scene(board: Storyboard, shot: Shot) -> Shot | None:
    """The shot that follows without a change of scene."""
    places = {each.id: place for place, each in enumerate(board.shots)}
    after = board.shots[places[shot.id] + 1 :][:1]
    return after[0] if after and shot.scene and after[0].scene == shot.scene else None


def plan_shots(board: Storyboard, stale: Set[str], ends: bool) -> list[ClipWindow]:
    """A window for every stale clip, which sees the next keyframe where it is to end in it."""
    windows = []
    for shot in board.shots:
        if shot.id in stale:
            after = next_in_scene(board, shot) if ends else None
            windows.append(ClipWindow((shot.id,), () if after is None else (after.id,)))
    return windows


class StockWan(ClipMaker):
    """Makes one clip at a time as the stock pipeline does."""

    def __init__(
        self,
        models: VideoModels,
        scheduler: Any,
        frame_size: tuple[int, int],
        config: ClipConfig,
        kept: KeptLatents | None = None,
    ) -> None:
        """Refuses a frame size that the model cannot make; ``kept`` as for ``ClipMaker``."""
        super().__init__(models, frame_size, config, kept)
        self.scheduler = scheduler

    def _sampled(
        self,
        board: Storyboard,
        window: ClipWindow,
        keyframes: Mapping[str, Frame],
        seeds: Mapping[str, int],
        on_step: Callable[[], None],
    ) -> list[Tensor]:
        """Latents of the one clip of a window; the shot that the window only sees is where it ends."""
        model, config = self.models.transformer, self.config
        (id,) = window.made
        shot, end = board.shot(id), keyframes[window.seen[0]] if window.seen else None
        first = self._latent(keyframes[id]).float().to(model.device)
        last = None if end is None else self._latent(end).float().to(model.device)
        words = self.models.text.alone([strip_tags(told_caption(board, shot, config)), config.negative])
        latents = sample_clip(
            model,
            self.scheduler,
            words.to(model.device, model.dtype),
            first,
            self._noise(shot, first, seeds)[None].to(model.device),
            last,
            config.steps,
            config.guidance,
            on_step,
        )
        return [latents[0]]


@torch.no_grad()
def sample_clip(
    model: InterleavedWan,
    scheduler: Any,
    words: Tensor,
    first: Tensor,
    noise: Tensor,
    last: Tensor | None = None,
    steps: int = 50,
    guidance: float = 1.0,
    on_step: Callable[[], None] = lambda: None,
) -> Tensor:
    """One clip from its keyframe, as ``WanImageToVideoPipeline`` samples it.

    Args:
        model: Wan; it answers the stock call.
        scheduler: of the release; the latents stay in float32.
        words: encoded caption and negative (2, T, D_text).
        first: latent of the keyframe (1, C, 1, h, w).
        noise: (1, C, F, h, w).
        last: latent of a last frame; none for a free end.
        steps: sampling steps.
        guidance: scale of true guidance; 1 for none.
        on_step: called after every step.

    Returns:
        Latents (1, C, F, h, w).
    """
    bring(model)
    frames, (_, patch_h, patch_w) = noise.shape[2], model.config.patch_size
    tokens = (noise.shape[3] // patch_h) * (noise.shape[4] // patch_w)
    known, free = first.expand_as(noise).clone(), torch.ones(frames, device=noise.device)
    free[0] = 0
    if last is not None and frames > 1:
        known[:, :, -1:], free[-1] = last, 0
    mask, latents = free[:, None, None], noise
    scheduler.set_timesteps(steps, device=noise.device)
    for t in scheduler.timesteps:
        seen = (mask * latents + (1 - mask) * known).to(model.dtype)
        times = (free * t).repeat_interleave(tokens)[None]
        velocity = _velocity(model, seen, times, words, guidance)
        latents = scheduler.step(velocity, t, latents, return_dict=False)[0]
        on_step()
    return mask * latents + (1 - mask) * known


def _velocity(
    model: InterleavedWan, latents: Tensor, times: Tensor, words: Tensor, guidance: float
) -> Tensor:
    def told(which: int) -> Tensor:
        out: Tensor = model(
            hidden_states=latents,
            timestep=times,
            encoder_hidden_states=words[which : which + 1],
            return_dict=False,
        )[0]
        return out

    with_words = told(0)
    if guidance == 1:
        return with_words
    without = told(1)
    return without + guidance * (with_words - without)
