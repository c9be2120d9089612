"""Small ingested films to caption: keyframes of one colour each, a shot every two seconds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from chat_server import COLOURS
from cinema_cli.dataset import Ingested
from cinema_cli.storyboard import Shot, Source, Storyboard

SHA256 = "a" * 64


def make_film(folder: Path, colours: Sequence[str], movie: Path | None = None, **changes: Any) -> Storyboard:
    """A film of these colours; frames of one colour differ in one pixel."""
    movie = movie or folder.parent / f"{folder.name}.mp4"
    shots = []
    for number, colour in enumerate(colours, start=1):
        name = f"keyframes/{number:04d}.png"
        (folder / "keyframes").mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", (80, 40), COLOURS[colour])
        picture.putpixel((0, 0), (number % 256, number // 256, 0))
        picture.save(folder / name)
        start = 2 * (number - 1)
        source = Source(movie=movie.name, start=str(start), mid=str(start + 1), end=str(start + 2))
        shots.append(Shot(id=f"{number:04d}", duration="2", keyframe=name, source=source))
    board = Storyboard(frame_size=(40, 80), shots=tuple(shots), **changes)
    board.save(folder)
    Ingested(
        movie=movie.name,
        path=str(movie),
        sha256=SHA256,
        bytes=10,
        frames=48 * len(shots),
        duration=str(2 * len(shots)),
        frame_rate="24",
        frame_size=(48, 80),
        picture=(4, 0, 40, 80),
        settings={},
        seconds_taken=1.0,
        version="0.1.0",
    ).save(folder)
    return board


def words(folder: Path) -> list[tuple[str, str | None]]:
    """Caption and rejection of every shot."""
    return [(shot.caption, shot.rejected) for shot in Storyboard.load(folder).shots]
