"""What the video model is trained on: shots of a film that are made, others that only show a keyframe (3.3).

Here is what a batch looks like, and the toy theatre as its source; ``clips.py`` is the other one, a dataset.

Shapes:  B films   n shots of a group   C channels   F latent frames   h, w latent size   T text tokens
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from cinema_cli.models.encoders import ShotTextEncoder, VideoCodec
from cinema_cli.models.video import shot_starts
from cinema_cli.theatre.captions import write_caption
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import CLIP_FRAMES, CLIP_RATE, Movie, MovieShot
from cinema_cli.training.latents import LatentCache
from cinema_cli.training.motion import motion
from cinema_cli.training.sequences import HELD_OUT
from cinema_cli.training.video_config import VideoTraining


@dataclass(frozen=True)
class Clips:
    """Shots of one length, in B films alike."""

    latents: Tensor  # (B, n, C, F, h, w), clean
    text: Tensor  # (B, n, T, D_text)
    motion: Tensor  # (B, n, h, w): how much moves, from 0 to 1
    places: tuple[int, ...]  # n: their places among all shots that the model is given


@dataclass(frozen=True)
class Films:
    """B films of one frame size, cut alike."""

    made: tuple[Clips, ...]
    """The shots that are made, by length."""
    seen: Clips | None
    """The others, one latent frame each; none where there are none."""

    @property
    def groups(self) -> tuple[Clips, ...]:
        """All shots, as the model takes them."""
        return self.made if self.seen is None else (*self.made, self.seen)

    def starts(self, cut_phase: float) -> list[list[float]]:
        """Time positions of every group's shots: those that only show a keyframe take one latent frame."""
        lengths = {place: clips.latents.shape[3] for clips in self.groups for place in clips.places}
        positions = shot_starts([lengths[place] for place in sorted(lengths)], cut_phase)
        return [[positions[place] for place in clips.places] for clips in self.groups]


class ClipSource(Protocol):
    """What the video task reads."""

    @property
    def facts(self) -> dict[str, Any]:
        """What must be the same when training goes on; nothing for the theatre."""

    def batch(self, seed: int) -> Sequence[Films]:
        """Films, together those of a batch; the same for the same seed."""

    def preview(self) -> Films:
        """Always the same one (B = 1), to be looked at."""


def nearest(inside: Sequence[int], shots: int, most: int) -> list[int]:
    """The places outside a window that are nearest to it, at most so many, in the order of the film."""
    others = [place for place in range(shots) if place not in inside]
    others.sort(key=lambda place: (min(abs(place - within) for within in inside), place))
    return sorted(others[:most])


class TheatreClips:
    """Clips of the theatre's movies, drawn on demand and encoded once."""

    def __init__(
        self, codec: VideoCodec, text: ShotTextEncoder, cache: LatentCache, config: VideoTraining
    ) -> None:
        self.codec, self.text, self.cache, self.config = codec, text, cache, config
        self.facts: dict[str, Any] = {}

    def batch(self, seed: int) -> Sequence[Films]:
        """Random movies; the same for the same seed."""
        rng = random.Random(seed)
        movies = [rng.randrange(self.config.movies) for _ in range(self.config.films)]
        return [self._films(movies, rng)]

    def preview(self) -> Films:
        """Of a held-out movie."""
        return self._films([HELD_OUT], random.Random(HELD_OUT))

    def _films(self, movies: list[int], rng: random.Random) -> Films:
        """Whole movies, of which ``window`` consecutive shots are to be made, the same places in each."""
        first = rng.randrange(self.config.shots - self.config.window + 1)
        inside = range(first, first + self.config.window)
        outside = nearest(inside, self.config.shots, self.config.neighbours)
        members = sorted([*inside, *outside])
        scripts = [write_movie(movie, self.config.shots) for movie in movies]
        text = torch.stack([self._words(script, rng) for script in scripts]).float()

        def clips(places: Sequence[int], frames: int) -> Clips:
            latents = torch.stack(
                [torch.stack([self._latents(movie, place, frames) for place in places]) for movie in movies]
            )
            moved = torch.stack(
                [torch.stack([self._motion(movie, place, frames) for place in places]) for movie in movies]
            )
            ranks = tuple(members.index(place) for place in places)
            return Clips(latents, text[:, list(places)], moved, ranks)

        return Films((clips(inside, CLIP_FRAMES),), clips(outside, 1) if outside else None)

    def _words(self, script: Movie, rng: random.Random) -> Tensor:
        """(n, T, D_text) of all shots; by chance nothing is told."""
        if self.config.drop_captions and rng.random() < self.config.drop_captions:
            return self.text.alone([""]).repeat(len(script.shots), 1, 1)
        return self.text.encode(script.caption, self._captions(script.shots, rng))

    def _latents(self, movie: int, shot: int, frames: int) -> Tensor:
        """(C, F, h, w) of a shot's first frames."""
        key = f"clip-{self.config.shots}-{movie}-{shot}-{frames}"
        return self.cache.get(key, lambda: self.codec.encode(self._clip(movie, shot, frames)[None])[0].cpu())

    def _motion(self, movie: int, shot: int, frames: int) -> Tensor:
        """(h, w) of what moves in them."""
        key = f"motion-{self.config.shots}-{movie}-{shot}-{frames}"
        grid = self._latents(movie, shot, frames).shape[2:]
        return self.cache.get(key, lambda: motion(self._clip(movie, shot, frames), (grid[0], grid[1])))

    def _clip(self, movie: int, shot: int, frames: int) -> Tensor:
        """uint8 (F, H, W, 3) as drawn."""
        staged = write_movie(movie, self.config.shots).shots[shot].staged
        return torch.from_numpy(np.stack([draw_frame(staged, i / CLIP_RATE) for i in range(frames)]))

    def _captions(self, shots: tuple[MovieShot, ...], rng: random.Random) -> list[str]:
        captions = []
        for shot in shots:
            names = sorted(figure.puppet.name for figure in shot.staged.figures)
            told = {n for n in names if n in shot.described or rng.random() < self.config.describe}
            captions.append(write_caption(shot.staged, told, rng))
        return captions
