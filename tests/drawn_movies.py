"""Small movies whose cuts, borders and middles are known, drawn for the tests of footage."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from cinema_cli.ffmpeg import Frame, encode, find_ffmpeg
from cinema_cli.process import Child

RATE = Fraction(24)
SIZE = (120, 240)


def run_ffmpeg(*arguments: str) -> None:
    """Make a file by ffmpeg's own means, to be read by ours."""
    command = [find_ffmpeg(), "-hide_banner", "-loglevel", "error", "-y", *arguments]
    with Child(command, "make a test movie", feeds=True) as child:
        child.finish()


def scene(seed: int, size: tuple[int, int] = SIZE) -> Frame:
    """A sharp picture of coloured boxes, another one for each seed."""
    rng = np.random.default_rng(seed)
    height, width = size
    picture = np.empty((height, width, 3), dtype=np.uint8)
    picture[:] = rng.integers(60, 200, 3)
    for _ in range(14):
        top, left = int(rng.integers(0, height * 3 // 4)), int(rng.integers(0, width * 3 // 4))
        box = (slice(top, top + height // 4), slice(left, left + width // 4))
        picture[box] = rng.integers(30, 255, 3)
    return picture


def shot(seed: int, frames: int, size: tuple[int, int] = SIZE) -> Iterator[Frame]:
    """A scene, and a small white box that counts the frames by where it stands."""
    still = scene(seed, size)
    for number in range(frames):
        frame = still.copy()
        left = 2 * number % (size[1] - 12)
        frame[size[0] - 12 :, left : left + 12] = 255
        yield frame


def movie(lengths: Sequence[int], first: int = 0, size: tuple[int, int] = SIZE) -> Iterator[Frame]:
    """Shots one after the other, cut hard."""
    for number, length in enumerate(lengths):
        yield from shot(first + number, length, size)


def dissolve(one: int, other: int, frames: int) -> Iterator[Frame]:
    """From one scene to another."""
    a, b = scene(one).astype(float), scene(other).astype(float)
    for number in range(1, frames + 1):
        share = number / (frames + 1)
        yield np.rint((1 - share) * a + share * b).astype(np.uint8)


def write(path: Path, lengths: Sequence[int], first: int = 0, size: tuple[int, int] = SIZE) -> Path:
    """A movie as an mp4 file."""
    encode(movie(lengths, first, size), path, RATE)
    return path
