"""Films of the theatre as folders: drawn as they should be, or wrong on purpose."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinema_cli.contact_sheet import FILM_NAME
from cinema_cli.evaluation.stories import storyboard_of
from cinema_cli.evaluation.verbs import true_clip
from cinema_cli.ffmpeg import Part, encode, join
from cinema_cli.models.pictures import write_picture
from cinema_cli.storyboard import Storyboard
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import CLIP_FRAMES, CLIP_RATE

RATE = Fraction(CLIP_RATE)


def true_film(
    folder: Path,
    seed: int,
    shots: int,
    *,
    clips: bool = False,
    instead: Mapping[int, NDArray[np.uint8]] | None = None,
) -> Storyboard:
    """A film drawn by the theatre itself, its clips and its film file on request.

    ``instead``: keyframes that take the place of the true ones, by number of the shot from 1.
    """
    movie = write_movie(seed, shots)
    board = storyboard_of(movie)
    for number, shot in enumerate(movie.shots, start=1):
        id = f"{number:04d}"
        (folder / "keyframes").mkdir(parents=True, exist_ok=True)
        frame = (instead or {}).get(number, draw_frame(shot.staged))
        write_picture(folder / "keyframes" / f"{id}.png", frame)
        board = board.with_shot(id, keyframe=f"keyframes/{id}.png")
        if clips:
            (folder / "clips").mkdir(exist_ok=True)
            encode(true_clip(shot.staged), folder / "clips" / f"{id}.mp4", RATE, crf=8)
            board = board.with_shot(id, clip=f"clips/{id}.mp4")
    if clips:
        parts = [Part(str(i), true_clip(shot.staged), CLIP_FRAMES) for i, shot in enumerate(movie.shots)]
        join(parts, folder / FILM_NAME, RATE, crf=8)
    board.save(folder)
    return board
