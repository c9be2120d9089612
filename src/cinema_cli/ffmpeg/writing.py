"""Frames to H.264: one film, with exact keyframes and chapters at its cuts."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ffmpeg
import numpy as np

from cinema_cli.errors import InputError
from cinema_cli.ffmpeg.binary import compile_command
from cinema_cli.ffmpeg.opening import LANCZOS
from cinema_cli.ffmpeg.reading import Frame
from cinema_cli.files import atomic_path
from cinema_cli.process import Child


@dataclass(frozen=True)
class Part:
    """A part of a film between two cuts: its chapter title, its frames, and how many there must be."""

    title: str
    frames: Iterable[Frame]
    count: int


def encode(
    frames: Iterable[Frame],
    path: Path,
    rate: Fraction,
    *,
    size_out: tuple[int, int] | None = None,
    crf: int = 16,
    gop: int | None = None,
    cuts: Sequence[int] = (),
    chapters: Sequence[tuple[str, int, int]] = (),
    metadata: Mapping[str, str] | None = None,
) -> int:
    """Write H.264 (yuv420p, BT.709, index first) and return the number of frames written.

    Args:
        frames: RGB frames of one size.
        path: The mp4 file; an older one is replaced only when the new one is whole.
        rate: Frames a second.
        size_out: (height, width) to enlarge or shrink to, both even; the frames' size when absent.
        crf: x264's constant rate factor; 16 is close to the eye's limit.
        gop: The longest distance between two keyframes, in frames.
        cuts: Numbers of frames that must be keyframes.
        chapters: (title, first frame, frame after the last one).
        metadata: Global tags such as ``title``.
    """
    iterator = iter(frames)
    first = next(iterator, None)
    if first is None:
        raise InputError(f"{path}: wanted frames to write, found none.")
    height, width = size_out or first.shape[:2]
    if height % 2 or width % 2:
        raise InputError(f"{path}: wanted an even height and width for H.264, found {height}x{width}.")
    written = 0
    with ExitStack() as stack:
        notes = Path(stack.enter_context(TemporaryDirectory())) / "chapters.txt"
        notes.write_text(_ffmetadata(metadata or {}, chapters, rate), encoding="utf-8")
        target = stack.enter_context(atomic_path(path))
        command = compile_command(_encoder(first, target, notes, rate, (height, width), crf, gop, cuts))
        child = stack.enter_context(Child(command, f"write {path}", feeds=True))
        frame: Frame | None = first
        while frame is not None:
            if frame.shape != first.shape or frame.dtype != np.uint8:
                wanted, found = (*first.shape, "uint8"), (*frame.shape, frame.dtype)
                raise InputError(f"{path}: wanted every frame as {wanted}, found {found} at frame {written}.")
            child.feed(frame)
            written += 1
            frame = next(iterator, None)
        child.finish()
    return written


def join(
    parts: Sequence[Part],
    out: Path,
    rate: Fraction,
    *,
    size_out: tuple[int, int] | None = None,
    crf: int = 16,
    metadata: Mapping[str, str] | None = None,
) -> int:
    """Write parts one after the other with a keyframe and a chapter at each cut; return the frames.

    The film holds exactly the sum of the counts: a part with too few or too many frames is an error.
    """
    ends = [sum(part.count for part in parts[: index + 1]) for index in range(len(parts))]
    starts = [0, *ends[:-1]]
    chapters = [(part.title, start, end) for part, start, end in zip(parts, starts, ends, strict=True)]
    frames = (frame for part in parts for frame in _counted(part))
    with closing(frames):
        return encode(
            frames, out, rate, size_out=size_out, crf=crf, cuts=starts, chapters=chapters, metadata=metadata
        )


def _counted(part: Part) -> Iterator[Frame]:
    count = 0
    for frame in part.frames:
        count += 1
        if count > part.count:
            raise InputError(f"{part.title}: wanted {part.count} frames, found more.")
        yield frame
    if count < part.count:
        raise InputError(f"{part.title}: wanted {part.count} frames, found {count}.")


def _encoder(
    frame: Frame,
    target: Path,
    notes: Path,
    rate: Fraction,
    size: tuple[int, int],
    crf: int,
    gop: int | None,
    cuts: Sequence[int],
) -> Any:
    height, width = frame.shape[:2]
    pipe = ffmpeg.input(
        "pipe:0", format="rawvideo", pixel_format="rgb24", video_size=(width, height), framerate=rate
    )
    video = (
        pipe.filter("scale", size[1], size[0], flags=LANCZOS, out_color_matrix="bt709", out_range="tv")
        .filter("format", "yuv420p")
        .filter("setparams", range="tv", color_primaries="bt709", color_trc="bt709", colorspace="bt709")
        .filter("setsar", "1")
    )
    # Rounded down to the microsecond: the first frame at or after that time is the frame meant.
    times = ",".join(f"{math.floor(cut / rate * 10**6) / 10**6:.6f}" for cut in cuts)
    options: dict[str, Any] = {"g": gop} if gop is not None else {}
    if times:
        options |= {"force_key_frames": times, "forced-idr": 1}
    return ffmpeg.output(
        video,
        ffmpeg.input(str(notes), format="ffmetadata")["v?"],
        f"file:{target.absolute()}",
        format="mp4",
        vcodec="libx264",
        crf=crf,
        fps_mode="passthrough",
        map_metadata=1,
        map_chapters=1,
        movflags="+faststart",
        **options,
    )


def _ffmetadata(metadata: Mapping[str, str], chapters: Sequence[tuple[str, int, int]], rate: Fraction) -> str:
    lines = [";FFMETADATA1", *(f"{_escape(name)}={_escape(text)}" for name, text in metadata.items())]
    unit = 1 / rate
    for title, start, end in chapters:
        lines += ["[CHAPTER]", f"TIMEBASE={unit.numerator}/{unit.denominator}"]
        lines += [f"START={start}", f"END={end}", f"title={_escape(title)}"]
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    return re.sub(r"([=;#\\\n])", r"\\\1", text)
