"""Which part of a movie is picture, and which part of that is kept (paper, section 3.1).

Black bars are looked for in frames that stand for themselves, a few dozen over the whole movie, and
judged together: a dark frame seems to have wide borders, a distributor's logo none.  On each side the
picture begins where it does in at least a tenth of the frames that show anything.  One box serves the
whole movie, so a movie that changes its shape keeps its bars where it is narrow.

Pixels are counted as shown, turned where the file says so; ``pixel_aspect`` comes in where shapes count.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from cinema_cli.config import Config
from cinema_cli.ffmpeg import Grey, MediaInfo, key_pictures

Box = tuple[int, int, int, int]
"""Top, left, height, width, in pixels."""

LOOKS = 32
"""Frames that are looked at in a long movie, each by itself."""
ALL = 240
"""Up to so many frames that stand for themselves are all looked at, if they are few of the movie's."""
BLACK = 10
"""Most mean brightness of a line of border, of 255; that of ffmpeg's cropdetect."""
SHARE = 0.1
"""Of the frames in which a line must be picture."""
LEAST = Fraction(1, 4)
"""A picture smaller than that share of a side is not believed: the movie is simply dark."""


class PictureConfig(Config):
    """How the picture is cut out and how large it is kept."""

    borders: bool = True
    """Look for black borders and take them off."""
    shape: Literal["crop", "fit"] = "crop"
    """crop cuts the middle out in one aspect (3.1); fit keeps the movie's own (section 4)."""
    aspect: Annotated[float, Field(gt=0.1, le=8)] = 2.0
    """Width through height of what crop keeps."""
    short_side: Annotated[int, Field(ge=16, le=4096, multiple_of=2)] = 400
    """Of a keyframe, in pixels."""


def find_picture(path: Path, info: MediaInfo) -> Box | None:
    """The part of a movie that is no black border; None where it is too dark to tell."""
    lines = [_edges(frame) for frame in _looks(path, info)]
    seen = np.array([edges for edges in lines if edges is not None])
    if not len(seen):
        return None
    # First and last line of picture, each with a tenth of the frames beyond it.
    rank = int(SHARE * len(seen))
    top, left = (int(line) for line in np.sort(seen[:, :2], axis=0)[rank])
    bottom, right = (int(line) for line in np.sort(seen[:, 2:], axis=0)[len(seen) - 1 - rank])
    # Colours have half the lines: inwards to an even one, so that no black line stays.
    top, left = top + top % 2, left + left % 2
    height, width = (bottom - top) // 2 * 2, (right - left) // 2 * 2
    if height < LEAST * info.height or width < LEAST * info.width:
        return None
    return top, left, height, width


def whole(info: MediaInfo) -> Box:
    """The movie's whole frame."""
    return 0, 0, info.height, info.width


def cut_to_shape(picture: Box, pixel_aspect: Fraction, config: PictureConfig) -> Box:
    """The middle of a picture in the wanted aspect."""
    top, left, height, width = picture
    if config.shape == "fit":
        return picture
    wanted = Fraction(str(config.aspect)) / pixel_aspect  # in pixels of the file
    if width > wanted * height:
        new = max(2, round(wanted * height / 2) * 2)
        return top, left + (width - new) // 2, height, new
    new = max(2, round(width / wanted / 2) * 2)
    return top + (height - new) // 2, left, new, width


def kept_size(box: Box, pixel_aspect: Fraction, config: PictureConfig) -> tuple[int, int]:
    """Height and width of a keyframe, both even."""
    aspect = Fraction(str(config.aspect)) if config.shape == "crop" else box[3] * pixel_aspect / box[2]
    long_side = round(config.short_side * max(aspect, 1 / aspect) / 2) * 2
    return (config.short_side, long_side) if aspect >= 1 else (long_side, config.short_side)


def _looks(path: Path, info: MediaInfo) -> Iterator[Grey]:
    size = info.height, info.width
    few = len(info.keys) <= ALL and 8 * len(info.keys) <= info.frames
    if few or len(info.keys) <= LOOKS:
        yield from key_pictures(path, size, None)
        return
    # The very ends of a movie are black or a logo.
    for place in np.linspace(0.02, 0.98, LOOKS):
        yield from key_pictures(path, size, info.keys[int(place * len(info.keys))] * info.time_base)


def _edges(frame: Grey) -> tuple[int, int, int, int] | None:
    """First row and column that are picture, and the ones after the last; None for a black frame."""
    rows = np.flatnonzero(frame.mean(axis=1) > BLACK)
    columns = np.flatnonzero(frame.mean(axis=0) > BLACK)
    if not len(rows) or not len(columns):
        return None
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
