"""Small ingested films to caption: keyframes of one colour each, a shot every two seconds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from chat_server import COLOURS, ChatServer
from cinema_cli.captioning.caption import CaptionConfig, CaptionResult, caption_films
from cinema_cli.chat.openai import OpenAIConfig
from cinema_cli.chat.patience import Patience
from cinema_cli.dataset import Ingested
from cinema_cli.progress import Progress
from cinema_cli.storyboard import CastMember, Shot, Source, Storyboard

SHA256 = "a" * 64
"""Of every movie here."""

RED, GREEN, BLUE = ((f"A {c} frame with <Mira> and Nobody.", None) for c in ("red", "green", "blue"))
BLACK = ("", "too-dark")
"""Caption and rejection after the server looked at a frame of that colour."""
MIRA = (CastMember(name="Mira"),)


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


def edit(film: Path, shot: str, **changes: Any) -> None:
    """Change a shot as a person does, in the file."""
    Storyboard.load(film).with_shot(shot, **changes).save(film)


def caption_config(server: ChatServer, **changes: Any) -> CaptionConfig:
    """How films are captioned by that server, one call at a time."""
    data = {
        "annotator": "openai",
        "chat": OpenAIConfig(base_url=server.base_url, model="m", timeout=10),
        "patience": Patience(tries=3, first_wait=0.01, longest_wait=5),
        "workers": 1,
        **changes,
    }
    return CaptionConfig.model_validate(data)


def run(dataset: Path, settings: CaptionConfig) -> CaptionResult:
    """Caption films in this process, in silence."""
    with Progress(quiet=True) as progress:
        return caption_films(dataset, settings, progress)
