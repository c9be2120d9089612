"""Appendix I: a puppet that nobody ever saw, twelve noisy pictures of it, four new ones (Fig. 9, 16 to 19).

The captions of the twelve only name the puppet, so its look can come from the pictures alone.

* **same dressing**: the four captions only name it as well; its coat and hat are to be those of the pictures;
* **different dressing**: the four captions tell another coat and hat, which are to be obeyed.

Same dressing is tried at the middle of each of the four noise bands of Fig. 9.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from cinema_cli.evaluation.artist import Artist, true_frames
from cinema_cli.evaluation.looks import Frames, Looks, look_at_puppets, see
from cinema_cli.theatre.captions import canonical_caption
from cinema_cli.theatre.screenplay import draw_size, random_cast, stage_shot
from cinema_cli.theatre.world import COLOURS, FRAME_SIZE, SETS, TIMES, Colour, MovieShot, Place, StagedShot
from cinema_cli.training.preview import save_strip

CONTEXT = 12
"""Pictures that are given."""
NEW = 4
"""Pictures that are drawn."""
BANDS = {"1-250": 0.125, "251-500": 0.375, "501-750": 0.625, "751-1000": 0.875}
"""Timesteps of noise on the context, of 1000, and the level that stands for them."""
SMALL = "1-250"


def unseen(artist: Artist, seed: int) -> Looks:
    """Coat and hat of the new pictures, in every band and with other clothes."""
    shots = photographs(seed)
    looks: Looks = {}
    for band in BANDS:
        looks |= _seen(shots[CONTEXT:], draw_new(artist, shots, seed, band), f"unseen {band}")
    dressed = [*shots[:CONTEXT], *(redressed(shot) for shot in shots[CONTEXT:])]
    return looks | _seen(dressed[CONTEXT:], draw_new(artist, dressed, seed, SMALL), "dressed")


def unseen_sheet(artist: Artist, seed: int, path: Path) -> Path:
    """A picture of one test: three rows of what is given, a row for each band, one in other clothes."""
    shots = photographs(seed)
    dressed = [*shots[:CONTEXT], *(redressed(shot) for shot in shots[CONTEXT:])]
    rows = list(true_frames(shots[:CONTEXT]).reshape(CONTEXT // NEW, NEW, *FRAME_SIZE, 3))
    rows += [draw_new(artist, shots, seed, band) for band in BANDS]
    rows.append(draw_new(artist, dressed, seed, SMALL))
    save_strip(path, [torch.from_numpy(np.ascontiguousarray(row)) for row in rows])
    return path


def draw_new(artist: Artist, shots: Sequence[MovieShot], seed: int, band: str) -> Frames:
    """The new pictures (4, H, W, 3), beside the true ones at a noise of that band."""
    noisy = replace(artist, config=artist.config.model_copy(update={"context_level": BANDS[band]}))
    truth = true_frames(shots[:CONTEXT])
    return noisy.draw([shot.caption for shot in shots], seed, truth)[CONTEXT:]


def photographs(seed: int) -> list[MovieShot]:
    """Sixteen shots of one puppet at several places, each caption only naming it."""
    rng = random.Random(f"unseen {seed}")
    cast = random_cast(rng, 1)
    places = [Place(name, rng.randrange(2**31)) for name in rng.sample(SETS, 4)]
    shots: list[MovieShot] = []
    while len(shots) < CONTEXT + NEW:
        staged = stage_shot(
            rng, rng.choice(places), rng.choice(TIMES), draw_size(rng, len(shots) % 3), list(cast)
        )
        if staged.figures:
            shots.append(MovieShot(staged, canonical_caption(staged, frozenset()), ()))
    return shots


def redressed(shot: MovieShot) -> MovieShot:
    """The same shot with another coat and hat, which its caption tells."""
    figures = tuple(
        replace(f, puppet=replace(f.puppet, coat=another(f.puppet.coat), hat=another(f.puppet.hat)))
        for f in shot.staged.figures
    )
    staged = StagedShot(shot.staged.place, shot.staged.time, shot.staged.size, figures)
    names = tuple(figure.puppet.name for figure in figures)
    return MovieShot(staged, canonical_caption(staged, frozenset(names)), names)


def another(colour: Colour) -> Colour:
    """A colour that differs, always the same one."""
    return COLOURS[(COLOURS.index(colour) + 3) % len(COLOURS)]


def _seen(shots: Sequence[MovieShot], frames: Frames, ending: str) -> Looks:
    seen = [see(shot, np.asarray(frame)) for shot, frame in zip(shots, frames, strict=True)]
    return look_at_puppets(seen, ending, lambda shot, figure: True)
