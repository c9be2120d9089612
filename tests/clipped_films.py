"""Datasets with clips as ``cinema ingest --clips`` leaves them: real mp4 files of drawn frames."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from cinema_cli.config import build, load_preset, with_overrides
from cinema_cli.ffmpeg import encode
from cinema_cli.storyboard import Storyboard
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.training.video_config import VideoTraining
from kept_films import change_shots, drawn_film

CLIP_SIZE = (32, 64)

TINY = [
    "transformer.in_channels=4",
    "transformer.out_channels=4",
    "transformer.num_attention_heads=2",
    "transformer.attention_head_dim=12",
    "transformer.num_layers=1",
    "transformer.ffn_dim=16",
    "transformer.text_dim=16",
    "transformer.freq_dim=16",
    "movies=1",
    "window=2",
    "films=1",
    "area=2048",
    "frames=[5, 9]",
    "preview_steps=1",
    "compile=false",
    "loop.steps=2",
    "loop.save_every=2",
    "loop.preview_every=2",
]


def tiny_video(*changes: str) -> VideoTraining:
    """The toy preset, tiny."""
    data = with_overrides(load_preset("toy")["train_video"], [*TINY, *changes])
    return build(VideoTraining, data, "test")


def clipped_film(folder: Path, lengths: Sequence[int], seed: int = 0, rate: int = 8) -> Path:
    """A film of the theatre with a clip of so many frames for every shot."""
    drawn_film(folder, len(lengths), seed, CLIP_SIZE)
    board = Storyboard(**{**dict(Storyboard.load(folder)), "caption": "A day in a small town."})
    board.save(folder)
    for number, (frames, shot) in enumerate(
        zip(lengths, write_movie(seed, len(lengths)).shots, strict=True), 1
    ):
        drawn = [draw_frame(shot.staged, i / rate, CLIP_SIZE) for i in range(frames)]
        encode(drawn, folder / f"clips/{number:04d}.mp4", Fraction(rate))
    change_shots(folder, {n: {"clip": f"clips/{n:04d}.mp4"} for n in range(1, len(lengths) + 1)})
    return folder


def counted_clip(path: Path, frames: int, rate: Fraction, size: tuple[int, int] = (32, 64)) -> Path:
    """A clip whose frames tell their number: each is one level of grey, ten above the one before."""
    grey = [np.full((*size, 3), 10 + 10 * number, np.uint8) for number in range(frames)]
    encode(grey, path, rate)
    return path
