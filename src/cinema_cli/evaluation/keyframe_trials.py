"""Trials of the keyframe model, on movies of the theatre of eight shots that it was never trained on.

Each *trial* draws one movie under one condition and returns what was seen:

* **told-once**: a look stands in the caption where its puppet first appears, later only the name;
* **shuffled**: the same, but the captions that tell looks come from another movie, so that a look seen right
  is a look guessed: 12.5 %, or what is called memory is something else;
* **memory**: the first half of the movie is given as true frames, the second half is drawn beside it;
* **golden**: the same, the true frames shrunk by GoldenMem;
* **extended**: nothing is given; frame after frame is drawn beside the model's own earlier ones, shrunk;
* **repeated**: every caption tells the look;
* **unseen**: twelve noisy pictures of a puppet are given, four new ones drawn (appendix I);
* **ceiling**: nothing is drawn; the true frames pass through the autoencoder, as good as it gets.
"""

from collections.abc import Callable, Sequence

import torch

from cinema_cli.evaluation.artist import Artist, true_frames
from cinema_cli.evaluation.figures import KEYFRAME_FIGURES, Figure
from cinema_cli.evaluation.looks import (
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
from cinema_cli.evaluation.unseen_trials import BANDS, unseen
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import FRAME_SIZE, MovieShot

PAIRS = 8
ANOTHER = 10**6
"""The movie whose looks are told instead lies so many seeds further on."""


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
    return _beside_truth(artist, seed, "memory", golden=False)


def golden(artist: Artist, seed: int) -> Looks:
    """The same with the first half as small as GoldenMem keeps it."""
    return _beside_truth(artist, seed, "golden", golden=True)


def _beside_truth(artist: Artist, seed: int, name: str, golden: bool) -> Looks:
    shots = write_movie(seed, PAIRS).shots
    half = PAIRS // 2
    truth = true_frames(shots[:half])
    frames = artist.draw([shot.caption for shot in shots], seed, truth, golden)
    seen = [see(shot, frame) for shot, frame in zip(shots[half:], frames[half:], strict=True)]
    told = told_by(shots[:half])
    return {
        **look_at_puppets(
            seen, name, lambda shot, figure: is_named_only(shot, figure) and figure.puppet.name in told
        ),
        **look_at_places(shots, frames, f" {name}", first=half),
    }


def extended(artist: Artist, seed: int) -> Looks:
    """A film drawn frame by frame, each beside what was drawn before (appendix F)."""
    shots = write_movie(seed, PAIRS).shots
    frames = None
    for count in range(1, PAIRS + 1):
        frames = artist.draw([shot.caption for shot in shots[:count]], seed, frames, golden=True)
    assert frames is not None
    seen = [see(shot, frame) for shot, frame in zip(shots, frames, strict=True)]
    return {
        **look_at_scenery(seen, " extended"),
        **look_at_puppets(seen, "extended described", is_described),
        **look_at_puppets(seen, "extended", is_named_only),
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


TRIALS: dict[str, Callable[[Artist, int], Looks]] = {
    "told-once": told_once,
    "shuffled": shuffled,
    "memory": memory,
    "golden": golden,
    "extended": extended,
    "repeated": repeated,
    "unseen": unseen,
    "ceiling": ceiling,
}

FIGURES = (
    *KEYFRAME_FIGURES,
    Figure("coat shuffled", "control: the same coat, looks told of another movie", "12.5 % in the interval"),
    Figure("hat shuffled", "control: the same hat, looks told of another movie", "12.5 % in the interval"),
    Figure("coat memory", "coat of a puppet named only, 4 true frames given, 4 drawn", ">= 90 %"),
    Figure("hat memory", "hat of a puppet named only, 4 true frames given, 4 drawn", ">= 90 %"),
    Figure(
        "coat golden", "coat of a puppet named only, 4 true frames given as GoldenMem keeps them", ">= 90 %"
    ),
    Figure(
        "hat golden", "hat of a puppet named only, 4 true frames given as GoldenMem keeps them", ">= 90 %"
    ),
    Figure("set extended", "frame by frame beside GoldenMem: set as captioned", ">= 95 %"),
    Figure("time extended", "frame by frame: time of day as captioned", ">= 95 %"),
    Figure("size extended", "frame by frame: shot size as captioned", ">= 95 %"),
    Figure("coat extended described", "frame by frame: coat of a puppet described", ">= 95 %"),
    Figure("hat extended described", "frame by frame: hat of a puppet described", ">= 95 %"),
    Figure("coat extended", "frame by frame: coat of a puppet named only", ">= 90 %"),
    Figure("hat extended", "frame by frame: hat of a puppet named only", ">= 90 %"),
    Figure("coat repeated", "coat, the look in every caption", ">= 95 %"),
    Figure("hat repeated", "hat, the look in every caption", ">= 95 %"),
    Figure("two repeated", "two puppets in a frame not mixed, the look in every caption", ">= 90 %"),
    Figure("place 0 memory", "place as it was, 4 true frames given, next shot", ">= 90 %"),
    Figure("place 1-3 memory", "place as it was, 4 true frames given, 1 to 3 between", ">= 90 %"),
    Figure("place 4-7 memory", "place as it was, 4 true frames given, 4 to 6 between", ">= 90 %"),
    *(
        Figure(f"{look} unseen {band}", f"unseen puppet beside 12 pictures at noise {band}: {look}")
        for band in BANDS
        for look in ("coat", "hat")
    ),
    Figure("coat dressed", "unseen puppet in other clothes, told: coat as told", ">= 95 %"),
    Figure("hat dressed", "unseen puppet in other clothes, told: hat as told", ">= 95 %"),
    Figure("psnr image", "image autoencoder, drawn frames", "", "dB"),
    Figure("set ceiling", "set read through the image autoencoder (ceiling)"),
    Figure("time ceiling", "time of day read through the image autoencoder (ceiling)"),
    Figure("size ceiling", "shot size read through the image autoencoder (ceiling)"),
    Figure("coat ceiling", "coat read through the image autoencoder (ceiling)"),
    Figure("hat ceiling", "hat read through the image autoencoder (ceiling)"),
    Figure("two ceiling", "two puppets read through the image autoencoder (ceiling)"),
    Figure("place ceiling", "place as it was, both frames through the image autoencoder (ceiling)"),
)
