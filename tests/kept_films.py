"""Datasets as ``cinema ingest`` and ``cinema caption`` leave them, made of drawn frames."""

from pathlib import Path

import numpy as np
from PIL import Image

from cinema_cli.dataset import Ingested
from cinema_cli.files import sha256_json
from cinema_cli.storyboard import Flag, Shot, Storyboard
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie


def ingested(name: str) -> Ingested:
    """The record of a movie of that name."""
    return Ingested(
        movie=f"{name}.mp4",
        path=f"/movies/{name}.mp4",
        sha256=sha256_json(name),
        bytes=10,
        frames=48,
        duration="2",
        frame_rate="24",
        frame_size=(480, 800),
        picture=(40, 0, 400, 800),
        settings={"detector": "adaptive"},
        seconds_taken=1.5,
        version="0.1.0",
    )


def drawn_film(folder: Path, shots: int, seed: int = 0, frame_size: tuple[int, int] = (32, 64)) -> Path:
    """A film of the theatre with captions and a picture for every shot."""
    movie = write_movie(seed, shots)
    written = []
    for number, shot in enumerate(movie.shots, start=1):
        path = folder / f"keyframes/{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw_frame(shot.staged, 0.0, frame_size)).save(path)
        written.append(_shot(number, caption=shot.caption))
    Storyboard(title=movie.title, frame_size=frame_size, shots=tuple(written)).save(folder)
    ingested(folder.name).save(folder)
    return folder


def plain_film(folder: Path, shots: int) -> Path:
    """A film whose pictures are one grey level each: quickly made, and to be told from each other."""
    (folder / "keyframes").mkdir(parents=True)
    written = []
    for number in range(1, shots + 1):
        frame = np.full((8, 16, 3), number % 256, np.uint8)
        Image.fromarray(frame).save(folder / f"keyframes/{number:04d}.png")
        written.append(_shot(number, caption=f"Shot {number} of {folder.name}."))
    Storyboard(frame_size=(8, 16), shots=tuple(written)).save(folder)
    ingested(folder.name).save(folder)
    return folder


def change_shots(folder: Path, changes: dict[int, dict[str, object]]) -> None:
    """Change shots of a film, counted from 1."""
    board = Storyboard.load(folder)
    shots = tuple(
        Shot(**{**dict(shot), **changes.get(number, {})}) for number, shot in enumerate(board.shots, start=1)
    )
    Storyboard(**{**dict(board), "shots": shots}).save(folder)


def flag(reason: str) -> Flag:
    """A flag of that reason."""
    return Flag(reason=reason, value=3.0, limit=16.0)  # type: ignore[arg-type]


def _shot(number: int, caption: str) -> Shot:
    return Shot(id=f"{number:04d}", duration="2", keyframe=f"keyframes/{number:04d}.png", caption=caption)
