"""Figures of the keyframe model, on held-out movies of eight shots drawn together.

Each *trial* draws one movie under one condition and returns what was seen:

* **told-once**: a look stands in the caption where its puppet first appears, later only the name;
* **shuffled**: the same, but the captions that tell looks come from another movie, so that a look seen right
  is a look guessed: 12.5 %, or what is called memory is something else;
* **memory**: the first half of the movie is given as true frames, the second half is drawn;
* **repeated**: every caption tells the look;
* **ceiling**: nothing is drawn; the true frames pass through the autoencoder, as good as it gets.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from card import Figure
from cinema_cli.models.sampling import sample_keyframes
from cinema_cli.models.weights import KeyframeModels
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import FRAME_SIZE, MovieShot
from looks import (
    Frames,
    Looks,
    is_described,
    is_named_only,
    look_at_places,
    look_at_puppets,
    look_at_scenery,
    look_at_two,
    psnr,
    see,
    told_by,
)

PAIRS = 8
ANOTHER = 10**6
"""The movie whose looks are told instead lies so many seeds further on."""


@dataclass(frozen=True)
class Artist:
    """Draws frames, as the planner does."""

    models: KeyframeModels
    levels: Tensor
    guidance: float
    context_level: float

    def draw(self, captions: list[str], seed: int, known: dict[int, Tensor] | None = None) -> Frames:
        """Frames (P, H, W, 3) for captions, with tokens of known frames by place."""
        codec, transformer = self.models.codec, self.models.transformer
        grid = codec.grid(FRAME_SIZE)
        noise = torch.randn(
            len(captions),
            grid[0] * grid[1],
            transformer.config.in_channels,
            generator=torch.Generator().manual_seed(seed),
        )
        tokens = sample_keyframes(
            transformer,
            self.models.text.encode(captions),
            self.models.text.encode([""]),
            noise.to(transformer.device, transformer.dtype),
            grid,
            self.levels,
            self.guidance,
            known,
            self.context_level,
        )
        return codec.decode(tokens, grid).numpy()


def told_once(artist: Artist, seed: int) -> Looks:
    """What a film shows whose captions tell a look once."""
    shots = write_movie(seed, PAIRS).shots
    frames = artist.draw([shot.caption for shot in shots], seed)
    seen = [see(shot, frame) for shot, frame in zip(shots, frames, strict=True)]
    return {
        **look_at_scenery(seen),
        **look_at_puppets(seen, "described", is_described),
        **look_at_puppets(seen, "named", is_named_only),
        **look_at_two(seen, "two"),
        **look_at_places(shots, frames),
    }


def shuffled(artist: Artist, seed: int) -> Looks:
    """The control: looks are told of another movie's puppets."""
    shots = write_movie(seed, PAIRS).shots
    frames = artist.draw(shuffled_captions(shots, write_movie(seed + ANOTHER, PAIRS).shots), seed)
    seen = [see(shot, frame) for shot, frame in zip(shots, frames, strict=True) if not shot.described]
    return look_at_puppets(seen, "shuffled", is_named_only)


def shuffled_captions(shots: Sequence[MovieShot], other: Sequence[MovieShot]) -> list[str]:
    """Captions of a movie, those that tell a look exchanged for another movie's."""
    telling = [shot.caption for shot in other if shot.described]
    places = [i for i, shot in enumerate(shots) if shot.described]
    captions = [shot.caption for shot in shots]
    for number, place in enumerate(places):
        captions[place] = telling[number % len(telling)]
    return captions


def memory(artist: Artist, seed: int) -> Looks:
    """The second half, drawn with the true first half before it: puppets that the first half told."""
    shots = write_movie(seed, PAIRS).shots
    half = PAIRS // 2
    truth = true_frames(shots[:half])
    known = dict(enumerate(artist.models.codec.encode(torch.from_numpy(truth))))
    frames = artist.draw([shot.caption for shot in shots], seed, known)
    seen = [see(shot, frame) for shot, frame in zip(shots[half:], frames[half:], strict=True)]
    told = told_by(shots[:half])
    return {
        **look_at_puppets(
            seen, "memory", lambda shot, figure: is_named_only(shot, figure) and figure.puppet.name in told
        ),
        **look_at_places(shots, np.concatenate([truth, frames[half:]]), " memory", first=half),
    }


def repeated(artist: Artist, seed: int) -> Looks:
    """What a film shows whose captions tell every look again."""
    shots = write_movie(seed, PAIRS, describe=1.0).shots
    frames = artist.draw([shot.caption for shot in shots], seed)
    seen = [see(shot, frame) for shot, frame in zip(shots, frames, strict=True)]
    return {**look_at_puppets(seen, "repeated", is_described), **look_at_two(seen, "two repeated")}


def ceiling(artist: Artist, seed: int) -> Looks:
    """The true frames through the autoencoder."""
    shots = write_movie(seed, PAIRS).shots
    truth, codec = true_frames(shots), artist.models.codec
    frames = codec.decode(codec.encode(torch.from_numpy(truth)), codec.grid(FRAME_SIZE)).numpy()
    seen = [see(shot, frame) for shot, frame in zip(shots, frames, strict=True)]
    return {
        "psnr image": psnr(frames, truth),
        **look_at_scenery(seen, " ceiling"),
        **look_at_puppets(seen, "ceiling", lambda shot, figure: True),
        **look_at_two(seen, "two ceiling"),
        "place ceiling": [look for looks in look_at_places(shots, frames).values() for look in looks],
    }


def true_frames(shots: Sequence[MovieShot]) -> Frames:
    """The first frames of shots as the theatre draws them."""
    return np.stack([draw_frame(shot.staged) for shot in shots])


TRIALS: dict[str, Callable[[Artist, int], Looks]] = {
    "told-once": told_once,
    "shuffled": shuffled,
    "memory": memory,
    "repeated": repeated,
    "ceiling": ceiling,
}

FIGURES = (
    Figure("set", "set as captioned", ">= 95 %"),
    Figure("time", "time of day as captioned", ">= 95 %"),
    Figure("size", "shot size as captioned", ">= 95 %"),
    Figure("coat described", "coat of a puppet described in its own caption", ">= 95 %"),
    Figure("hat described", "hat of a puppet described in its own caption", ">= 95 %"),
    Figure("coat named", "identity in context: coat of a puppet named only, 8 pairs", ">= 90 %"),
    Figure("hat named", "identity in context: hat of a puppet named only, 8 pairs", ">= 90 %"),
    Figure("coat shuffled", "control: the same coat, looks told of another movie", "12.5 % in the interval"),
    Figure("hat shuffled", "control: the same hat, looks told of another movie", "12.5 % in the interval"),
    Figure("coat memory", "coat of a puppet named only, 4 true frames given, 4 drawn", ">= 90 %"),
    Figure("hat memory", "hat of a puppet named only, 4 true frames given, 4 drawn", ">= 90 %"),
    Figure("coat repeated", "coat, the look in every caption", ">= 95 %"),
    Figure("hat repeated", "hat, the look in every caption", ">= 95 %"),
    Figure("two", "two puppets in a frame not mixed, looks told once", ">= 90 %"),
    Figure("two repeated", "two puppets in a frame not mixed, the look in every caption", ">= 90 %"),
    Figure("place 0", "place returns as it was, next shot", ">= 90 %"),
    Figure("place 1-3", "place returns as it was, 1 to 3 other shots between", ">= 90 %"),
    Figure("place 4-7", "place returns as it was, 4 to 6 other shots between", ">= 90 %"),
    Figure("place 8+", "place returns as it was, 8 or more other shots between", ">= 90 %"),
    Figure("place 0 memory", "the same with 4 true frames given, next shot", ">= 90 %"),
    Figure("place 1-3 memory", "the same with 4 true frames given, 1 to 3 between", ">= 90 %"),
    Figure("place 4-7 memory", "the same with 4 true frames given, 4 to 6 between", ">= 90 %"),
    Figure("16", "identity in context at 16 pairs", ">= 93 % of that at 8"),
    Figure("32", "identity in context at 32 pairs", ">= 93 % of that at 8"),
    Figure("48", "identity in context at 48 pairs", ">= 93 % of that at 8"),
    Figure("goldenmem", "identity in context with GoldenMem at 16, 32, 48 pairs", ">= 93 % of that at 8"),
    Figure("psnr image", "image autoencoder, drawn frames", "", "dB"),
    Figure("set ceiling", "set read through the image autoencoder (ceiling)"),
    Figure("time ceiling", "time of day read through the image autoencoder (ceiling)"),
    Figure("size ceiling", "shot size read through the image autoencoder (ceiling)"),
    Figure("coat ceiling", "coat read through the image autoencoder (ceiling)"),
    Figure("hat ceiling", "hat read through the image autoencoder (ceiling)"),
    Figure("two ceiling", "two puppets read through the image autoencoder (ceiling)"),
    Figure("place ceiling", "place as it was, both frames through the image autoencoder (ceiling)"),
)
