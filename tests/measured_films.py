"""Films as ``cinema plan`` and ``cinema render`` leave them, drawn by the theatre: what is to be measured."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from cinema_cli.evaluation.films import Film
from cinema_cli.ffmpeg import Frame, encode
from cinema_cli.rendering.film import assemble
from cinema_cli.storyboard import Shot, Storyboard
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import CLIP_RATE, MovieShot

SIZE = (128, 256)
FRAMES = 8
"""Of every clip: a second."""


def shots_of_places(count: int, seed: int = 5) -> list[MovieShot]:
    """Shots of the theatre, each in another place than the one before."""
    chosen: list[MovieShot] = []
    for shot in write_movie(seed, 60).shots:
        if len(chosen) < count and (not chosen or shot.staged.place != chosen[-1].staged.place):
            chosen.append(shot)
    return chosen


def made_film(folder: Path, shots: int = 3, clips: bool = True, title: str = "Made") -> Film:
    """A film with a keyframe, and with clips and a film file where they are wanted."""
    drawn = shots_of_places(shots)
    written = []
    for number, shot in enumerate(drawn, start=1):
        id = f"{number:04d}"
        put_keyframe(folder, id, draw_frame(shot.staged))
        if clips:
            put_clip(folder, id, [draw_frame(shot.staged, frame / CLIP_RATE) for frame in range(FRAMES)])
        written.append(
            Shot(
                id=id,
                scene=f"{shot.staged.place.set} {shot.staged.place.layout}",
                caption=shot.caption,
                duration="1",
                keyframe=f"keyframes/{id}.png",
                clip=f"clips/{id}.mp4" if clips else None,
            )
        )
    board = Storyboard(title=title, frame_size=SIZE, shots=tuple(written))
    board.save(folder)
    if clips:
        assemble(board, folder, folder / "film.mp4")
    return Film.open(folder)


def put_keyframe(folder: Path, id: str, frame: Frame) -> None:
    """Give a shot this picture."""
    path = folder / f"keyframes/{id}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(frame).save(path)


def put_clip(folder: Path, id: str, frames: Sequence[Frame], rate: int = CLIP_RATE) -> None:
    """Give a shot these frames."""
    encode(frames, folder / f"clips/{id}.mp4", Fraction(rate), crf=4)


def plain(level: int, size: tuple[int, int] = SIZE) -> Frame:
    """A picture of one grey."""
    return np.full((*size, 3), level, np.uint8)
