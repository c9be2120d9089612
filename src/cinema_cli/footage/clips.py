"""The moving picture of every shot (paper, section 4: own aspect, an area of about 480 x 480).

A second decode, frame by frame as they come, so that a clip has exactly the frames of its shot.  There
is no sound.  A clip plays at one rate: where a movie's varies, at its average.
"""

from collections.abc import Iterator
from fractions import Fraction
from math import isqrt
from pathlib import Path

from cinema_cli.config import build
from cinema_cli.errors import InputError
from cinema_cli.ffmpeg import Frame, Glance, Lens, Watch, encode, probe
from cinema_cli.fields import seconds
from cinema_cli.footage.borders import Box
from cinema_cli.storyboard import Shot, Storyboard

AREA = 480 * 480
"""Pixels of a clip's frame (section 4)."""
CRF = 18


def write_clips(movie: Path, folder: Path, storyboard: Storyboard, picture: Box, threads: int) -> Storyboard:
    """Write ``clips/0001.mp4`` ... into a film's folder; the storyboard that names them.

    A clip that lies there already is kept.
    """
    info = probe(movie)
    size = clip_size(picture, info.pixel_aspect)
    lens = Lens(crop=picture, small=size, large=(2, 2), every=info.frames, fine=True, threads=threads)
    frames = _Ahead(iter(Watch(movie, info, lens)))
    shots = []
    for shot in storyboard.shots:
        path = folder / "clips" / f"{shot.id}.mp4"
        own = frames.until(_end(shot) if shot is not storyboard.shots[-1] else None)
        if path.is_file():
            for _ in own:
                pass
        else:
            encode(own, path, info.rate, crf=CRF, metadata={"title": shot.id})
        shots.append(build(Shot, {**dict(shot), "clip": f"clips/{shot.id}.mp4"}, f"shot {shot.id}"))
    return build(Storyboard, {**dict(storyboard), "shots": tuple(shots)}, str(folder))


def clip_size(picture: Box, pixel_aspect: Fraction) -> tuple[int, int]:
    """Height and width of a clip, both even: the picture's own aspect."""
    aspect = picture[3] * pixel_aspect / picture[2]
    height = max(16, round(isqrt(int(AREA / aspect)) / 2) * 2)
    return height, max(16, round(height * aspect / 2) * 2)


def _end(shot: Shot) -> Fraction:
    if shot.source is None:
        raise InputError(f"shot {shot.id}: wanted the times of an ingested shot, found none.")
    return seconds(shot.source.end)


class _Ahead:
    """Frames with one held in hand, so that a shot can end before its neighbour's first frame."""

    def __init__(self, frames: Iterator[Glance]) -> None:
        self._frames = frames
        self._next = next(frames, None)
        first = self._next.time if self._next else Fraction(0)
        self._shift = max(Fraction(0), -first)  # as the storyboard counts (movie.py)

    def until(self, end: Fraction | None) -> Iterator[Frame]:
        """The frames before that time, or all that are left: (H, W, 3), RGB."""
        while self._next is not None and (end is None or self._next.time + self._shift < end):
            yield self._next.small[:, :, ::-1]
            self._next = next(self._frames, None)
