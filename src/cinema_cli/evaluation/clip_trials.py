"""Trials of the video model, on the first four shots of movies that it was never trained on.

* **clips**: each shot's true first frame is given as its keyframe, the rest is sampled; no frame is pasted;
* **ceiling**: nothing is sampled; the true clips pass through the autoencoder, and those that do not show how
  well verbs are read at all.

Shapes:  clips uint8 (F, H, W, 3)
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cinema_cli.evaluation.figures import CLIP_FIGURES, Figure
from cinema_cli.evaluation.looks import Frames, Looks, add, psnr
from cinema_cli.evaluation.verbs import look_at_motion, look_through, true_clip
from cinema_cli.models.sampling import sample_clips
from cinema_cli.models.weights import VideoModels
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import ACTIONS, Movie

SHOTS = 4
"""Shots made together, as many as in training."""


@dataclass(frozen=True)
class Animator:
    """Makes clips, as the renderer does."""

    models: VideoModels
    levels: Tensor
    cut_phase: float
    describe: float
    """1 where every caption repeats the looks, 0 where they are told once."""
    guidance: float = 1.0
    negative: str = ""
    """True guidance away from these words; 1 for none."""

    def movie(self, seed: int) -> Movie:
        """The movie that is measured; only its first shots are."""
        return write_movie(seed, 2 * SHOTS, self.describe)

    def make(self, movie: Movie, truth: Sequence[Frames], seed: int) -> list[Frames]:
        """A clip for each of the first shots, from the first frame of its true clip."""
        codec, transformer = self.models.codec, self.models.transformer
        keyframes = torch.cat([codec.encode(torch.from_numpy(clip[None, :1])) for clip in truth])
        keyframes = keyframes.to(transformer.device, transformer.dtype)
        _, channels, _, height, width = keyframes.shape
        random = torch.Generator().manual_seed(seed)
        noise = [
            torch.randn(channels, codec.latent_frames(len(clip)), height, width, generator=random)
            for clip in truth
        ]
        words = self.models.text.encode(movie.caption, [shot.caption for shot in movie.shots[:SHOTS]])
        latents = sample_clips(
            transformer,
            words.to(keyframes),
            keyframes,
            [clip.to(keyframes) for clip in noise],
            self.levels,
            self.cut_phase,
            guidance=self.guidance,
            negative=self.models.text.alone([self.negative]) if self.guidance != 1 else None,
        )
        return [codec.decode(clip[None])[0].numpy() for clip in latents]


@torch.no_grad()
def clips(animator: Animator, seed: int) -> Looks:
    """What sampled clips show."""
    movie = animator.movie(seed)
    truth = [true_clip(shot.staged) for shot in movie.shots[:SHOTS]]
    looks: Looks = defaultdict(list)
    for shot, true, made in zip(movie.shots, truth, animator.make(movie, truth, seed), strict=False):
        add(looks, {"psnr first": psnr(made[:1], true[:1])})
        add(looks, look_through(shot, made))
        add(looks, look_at_motion(shot, made))
    return dict(looks)


def ceiling(animator: Animator, seed: int) -> Looks:
    """True clips, and the same through the autoencoder."""
    codec, movie = animator.models.codec, animator.movie(seed)
    looks: Looks = defaultdict(list)
    for shot in movie.shots[:SHOTS]:
        true = true_clip(shot.staged)
        shown = codec.decode(codec.encode(torch.from_numpy(true)[None]))[0].numpy()
        add(looks, {"psnr video": [float(np.mean(psnr(shown, true)))]})
        add(looks, look_through(shot, shown, " ceiling"))
        add(looks, look_at_motion(shot, shown, " ceiling"))
        add(looks, look_at_motion(shot, true, " reader"))
    return dict(looks)


TRIALS: dict[str, Callable[[Animator, int], Looks]] = {"clips": clips, "ceiling": ceiling}

FIGURES = (
    *CLIP_FIGURES,
    *(Figure(action, f"clip: {action}") for action in ACTIONS),
    Figure("psnr video", "video autoencoder, drawn clips", "", "dB"),
    Figure("coat clip ceiling", "coat in every frame through the video autoencoder (ceiling)"),
    Figure("hat clip ceiling", "hat in every frame through the video autoencoder (ceiling)"),
    Figure("motion ceiling", "verb read through the video autoencoder (ceiling)"),
    Figure("motion reader", "verb read on drawn clips (the reader itself)"),
)
