"""Frames of a movie, one decode at a time."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cinema_cli.ffmpeg.binary import compile_command
from cinema_cli.ffmpeg.opening import LANCZOS, RAW, cut_out, open_movie
from cinema_cli.ffmpeg.probing import probe
from cinema_cli.process import Child

Frame = NDArray[np.uint8]
"""(H, W, 3), RGB."""
Grey = NDArray[np.uint8]
"""(H, W), 0 black and 255 white."""


def decode(
    path: Path,
    size: tuple[int, int] | None = None,
    *,
    crop: tuple[int, int, int, int] | None = None,
    keyframes_only: bool = False,
) -> Iterator[Frame]:
    """Every frame of a movie once, in the order of showing: frame i belongs to ``probe(path).ticks[i]``.

    Args:
        path: A local movie file.
        size: (height, width) to scale to inside ffmpeg; the movie's own size when absent.
        crop: (top, left, height, width), cut out before scaling.
        keyframes_only: Only the frames that stand for themselves: a cheap look at the whole movie.
    """
    if size is None and crop is None:
        info = probe(path)
        size = (info.height, info.width)
    elif size is None and crop is not None:
        size = crop[2:]
    assert size is not None
    video = open_movie(path, **({"skip_frame": "nokey"} if keyframes_only else {}))
    if crop is not None:
        video = cut_out(video, crop)
    # A movie may change its size half way; the scaler keeps every frame of the pipe the same.
    video = video.filter("scale", size[1], size[0], flags=LANCZOS).filter("format", "rgb24")
    command = compile_command(video.output("pipe:1", **RAW))
    with Child(command, f"read {path}") as child:
        while True:
            frame: Frame = np.empty((*size, 3), dtype=np.uint8)
            if not child.fill(frame):
                break
            yield frame
        child.finish()


def key_pictures(path: Path, size: tuple[int, int], at: Fraction | None) -> Iterator[Grey]:
    """Frames that stand for themselves, in grey: the one shown at a time, or all of them.

    Args:
        path: A local movie file.
        size: (height, width) of the movie as shown.
        at: Seconds at which such a frame is shown; nothing else is decoded then.
    """
    options: dict[str, Any] = {"skip_frame": "nokey"}
    if at is not None:
        # A little later, and "not accurate": the frame at or before that moment.
        options |= {"ss": f"{float(at) + 0.002:.6f}", "noaccurate_seek": None}
    video = open_movie(path, **options).filter("scale", size[1], size[0], out_range="pc")
    once = {} if at is None else {"frames:v": 1}
    output = video.filter("format", "gray").output("pipe:1", **RAW, **once)
    with Child(compile_command(output), f"read {path}") as child:
        while True:
            frame: Grey = np.empty(size, dtype=np.uint8)
            if not child.fill(frame):
                break
            yield frame
        child.finish()
