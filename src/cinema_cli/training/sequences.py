"""Training sequences of the toy theatre: movies drawn on demand, their frames encoded once.

A training movie is a seed below ``movies``; seeds from ``HELD_OUT`` on are never trained on.  Its puppets get
new names every time: pictures do not show names, so a look can only be known from the sequence itself.

Shapes:  B sequences   P pairs   L image tokens   C channels of a token
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from cinema_cli.models.encoders import ImageCodec
from cinema_cli.theatre.captions import write_caption
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.names import draw_names
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import MovieShot
from cinema_cli.training.latents import LatentCache

HELD_OUT = 10**9
"""First seed of movies kept for previews and evaluation."""


@dataclass(frozen=True)
class Sequences:
    """A batch: B sequences of P frames with their captions."""

    latents: Tensor  # (B, P, L, C), clean
    captions: list[list[str]]  # B lists of P


class TheatreSequences:
    """Random sequences of consecutive shots from the theatre's movies."""

    def __init__(
        self, codec: ImageCodec, cache: LatentCache, movies: int, shots: int, describe: float
    ) -> None:
        """``shots`` per movie; ``describe``: chance that a caption repeats a look already told."""
        self.codec, self.cache = codec, cache
        self.movies, self.shots, self.describe = movies, shots, describe

    def batch(self, seed: int, sequences: int, pairs: int) -> Sequences:
        """``sequences`` x ``pairs``; the same for the same seed."""
        rng = random.Random(seed)
        latents, captions = [], []
        for _ in range(sequences):
            movie = rng.randrange(self.movies)
            first = rng.randrange(self.shots - pairs + 1)
            shots = renamed(write_movie(movie, self.shots).shots[first : first + pairs], rng)
            latents.append(self.frames(movie)[first : first + pairs])
            captions.append(self._captions(shots, rng))
        return Sequences(torch.stack(latents), captions)

    def frames(self, movie: int) -> Tensor:
        """Latents of a whole movie (shots, L, C)."""
        return self.cache.get(f"theatre-{self.shots}-{movie}", lambda: self._encode(movie))

    def _encode(self, movie: int) -> Tensor:
        frames = [draw_frame(shot.staged) for shot in write_movie(movie, self.shots).shots]
        return self.codec.encode(torch.from_numpy(np.stack(frames))).cpu()

    def _captions(self, shots: Sequence[MovieShot], rng: random.Random) -> list[str]:
        """Fresh wordings; a look is told when its puppet first appears in these shots, later by chance."""
        known: set[str] = set()
        captions = []
        for shot in shots:
            names = {figure.puppet.name for figure in shot.staged.figures}
            told = {name for name in sorted(names) if name not in known or rng.random() < self.describe}
            captions.append(write_caption(shot.staged, told, rng))
            known |= names
        return captions


def renamed(shots: Sequence[MovieShot], rng: random.Random) -> list[MovieShot]:
    """The same shots with other names for their puppets; what the captions said is left as it was."""
    old = list(dict.fromkeys(figure.puppet.name for shot in shots for figure in shot.staged.figures))
    new = dict(zip(old, draw_names(rng, len(old)), strict=True))
    return [
        replace(
            shot,
            staged=replace(
                shot.staged,
                figures=tuple(
                    replace(figure, puppet=replace(figure.puppet, name=new[figure.puppet.name]))
                    for figure in shot.staged.figures
                ),
            ),
        )
        for shot in shots
    ]
