"""A stranger's movie as the input of a graph, hardened.

A child that reads one may open only four containers from plain files (a playlist or a concat
script renamed ``.mp4`` is refused), decodes only bounded pictures and runs under limits.
ffmpeg-python builds the argument lists; ``process.py`` runs them.
"""

import os
from pathlib import Path
from typing import Any

import ffmpeg

from cinema_cli.errors import InputError

FORMATS = "mov,matroska,avi,mpegts"
MAX_PIXELS = 2**26
LANCZOS = "lanczos+accurate_rnd+full_chroma_int+full_chroma_inp"

PICTURES_ONLY: dict[str, Any] = {"an": None, "sn": None, "dn": None}
RAW: dict[str, Any] = {
    "format": "rawvideo",
    "fps_mode": "passthrough",
    "enc_time_base": "demux",
    # Else a picture waits in ffmpeg for later ones (one for every thread of its "encoder", and in a buffer),
    # while we wait for it, and ffmpeg for us to read the other pipe.
    "threads": 1,
    "flush_packets": 1,
    **PICTURES_ONLY,
}
"""Every frame once, none twice and none left out, whatever its time; each whole as soon as it is made."""


def open_movie(path: Path, **options: Any) -> Any:
    """The first video stream (cover pictures aside) of a stranger's file, hardened."""
    if not path.is_file():
        raise InputError(f"{path}: wanted a movie file, found {_kind(path)}.")
    source = ffmpeg.input(
        f"file:{path.absolute()}",
        **{
            "format_whitelist": FORMATS,
            "protocol_whitelist": "file,pipe",
            "max_pixels": MAX_PIXELS,
            "threads": min(8, os.cpu_count() or 1),
            **options,
        },
    )
    return source["V:0"]


def cut_out(video: Any, crop: tuple[int, int, int, int]) -> Any:
    """The part (top, left, height, width) of a video."""
    top, left, height, width = crop
    return video.filter("crop", width, height, left, top, exact=1)


def _kind(path: Path) -> str:
    if path.is_dir():
        return "a folder"
    return "something that is no file" if path.exists() else "nothing"
