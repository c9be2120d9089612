"""The only caller of ffmpeg: look at media, read frames, write a film.

Movies come from strangers, so a child that reads one may open only four containers from plain
files (a playlist or a concat script renamed ``.mp4`` is refused), decodes only bounded pictures and
runs under limits.  ffmpeg-python builds the argument lists; ``process.py`` runs them.

Shapes:  a frame is uint8 (H, W, 3), RGB; sizes are (height, width) in pixels.
"""

import math
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ffmpeg
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from cinema_cli.errors import InputError, MissingError
from cinema_cli.files import atomic_path
from cinema_cli.process import Child

Frame = NDArray[np.uint8]

OLDEST = (6, 1)
"""The first ffmpeg that knows every option used here (``-enc_time_base demux``)."""

FORMATS = "mov,matroska,avi,mpegts"
MAX_PIXELS = 2**26
MAX_FRAMES = 2**22
"""About two days at 24 frames a second: the most timestamps that are kept of one movie."""

_NTSC = tuple(Fraction(1000 * rate, 1001) for rate in (24, 30, 48, 60, 120))
_LANCZOS = "lanczos+accurate_rnd+full_chroma_int+full_chroma_inp"


@dataclass(frozen=True)
class MediaInfo:
    """What a movie holds, read from its packets without decoding one picture."""

    width: int
    height: int
    """As shown: a turned picture is counted as ffmpeg turns it."""
    pixel_aspect: Fraction
    rate: Fraction
    """Frames a second: exact when the rate is constant, else the average that the container states."""
    time_base: Fraction
    ticks: tuple[int, ...]
    """Presentation time of every frame in units of ``time_base``, in the order of showing."""
    end_tick: int
    has_audio: bool

    @property
    def frames(self) -> int:
        """How many frames the container holds."""
        return len(self.ticks)

    @property
    def duration(self) -> Fraction:
        """Seconds from the first frame to the end of the last one."""
        return (self.end_tick - self.ticks[0]) * self.time_base

    def time(self, frame: int) -> Fraction:
        """Seconds at which a frame is shown; ``frames`` itself gives the end."""
        return (self.end_tick if frame == self.frames else self.ticks[frame]) * self.time_base


@dataclass(frozen=True)
class Part:
    """A part of a film between two cuts: its chapter title, its frames, and how many there must be."""

    title: str
    frames: Iterable[Frame]
    count: int


@cache
def find_ffmpeg() -> str:
    """The system's ffmpeg when it is new enough and can write H.264, else the one of imageio-ffmpeg."""
    if not hasattr(ffmpeg, "input"):
        raise MissingError(
            f"Wanted the package ffmpeg-python, found another one named ffmpeg ({ffmpeg.__file__}). "
            "Uninstall that one, then: pip install --force-reinstall ffmpeg-python"
        )
    system = shutil.which("ffmpeg")
    if system is not None and _is_capable(_version_text(system)):
        return system
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        found = f"only an older one, {system}" if system else "none"
        raise MissingError(
            f"Wanted ffmpeg {OLDEST[0]}.{OLDEST[1]} or newer with libx264, found {found}. "
            "Install ffmpeg, or: pip install --force-reinstall imageio-ffmpeg"
        ) from error


def ffmpeg_version() -> str:
    """The version of the ffmpeg in use, as it states it."""
    return _version_text(find_ffmpeg()).split()[2]


def probe(path: Path) -> MediaInfo:
    """Read size, rate and the time of every frame from a movie's packets; no picture is decoded."""
    source = _read(path)
    command = _compile(
        source.output("pipe:1", format="framecrc", vcodec="copy", an=None, sn=None, dn=None), level="info"
    )
    fields: dict[str, str] = {}
    packets: list[tuple[int, int]] = []
    with Child(command, f"read {path}") as child:
        for raw in child.lines():
            if raw.startswith("#"):
                name, _, value = raw[1:].partition(":")
                fields[name.split()[0]] = value.strip()
                continue
            _, decoded, shown, length = (int(value) for value in raw.split(",")[:4])
            packets.append((decoded if shown == -(2**63) else shown, length))
            if len(packets) > MAX_FRAMES:
                raise InputError(f"{path}: wanted at most {MAX_FRAMES} frames. Cut the movie into parts.")
        child.finish()
        log = child.log()
    if not packets or "dimensions" not in fields:
        raise InputError(f"{path}: wanted a movie with pictures, found none in it.")
    return _media_info(fields, sorted(packets), log.partition("Output #0")[0])


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
    video = _read(path, **({"skip_frame": "nokey"} if keyframes_only else {}))
    if crop is not None:
        top, left, height, width = crop
        video = video.filter("crop", width, height, left, top, exact=1)
    # A movie may change its size half way; the scaler keeps every frame of the pipe the same.
    video = video.filter("scale", size[1], size[0], flags=_LANCZOS).filter("format", "rgb24")
    output = video.output(
        "pipe:1", format="rawvideo", fps_mode="passthrough", enc_time_base="demux", an=None, sn=None, dn=None
    )
    command = _compile(output)
    with Child(command, f"read {path}") as child:
        while True:
            frame: Frame = np.empty((*size, 3), dtype=np.uint8)
            if not child.fill(frame):
                break
            yield frame
        child.finish()


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
        command = _compile(_encoder(first, target, notes, rate, (height, width), crf, gop, cuts))
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


# -- argument lists ---------------------------------------------------------------------------


def _read(path: Path, **options: Any) -> Any:
    """The first video stream (cover pictures aside) of a stranger's file, hardened."""
    if not path.is_file():
        raise InputError(f"{path}: wanted a movie file, found {'a folder' if path.is_dir() else 'nothing'}.")
    source = ffmpeg.input(
        f"file:{path.absolute()}",
        format_whitelist=FORMATS,
        protocol_whitelist="file,pipe",
        max_pixels=MAX_PIXELS,
        threads=min(8, os.cpu_count() or 1),
        **options,
    )
    return source["V:0"]


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
        pipe.filter("scale", size[1], size[0], flags=_LANCZOS, out_color_matrix="bt709", out_range="tv")
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


def _compile(output: Any, level: str = "error") -> list[str]:
    flags = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", level)
    return list(ffmpeg.compile(output.global_args(*flags), cmd=find_ffmpeg(), overwrite_output=True))


def _ffmetadata(metadata: Mapping[str, str], chapters: Sequence[tuple[str, int, int]], rate: Fraction) -> str:
    lines = [";FFMETADATA1", *(f"{_escape(name)}={_escape(text)}" for name, text in metadata.items())]
    unit = 1 / rate
    for title, start, end in chapters:
        lines += ["[CHAPTER]", f"TIMEBASE={unit.numerator}/{unit.denominator}"]
        lines += [f"START={start}", f"END={end}", f"title={_escape(title)}"]
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    return re.sub(r"([=;#\\\n])", r"\\\1", text)


# -- what ffmpeg says ---------------------------------------------------------------------------


@cache
def _version_text(binary: str) -> str:
    try:
        done = subprocess.run([binary, "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingError(f"Wanted ffmpeg at {binary}, but it does not run: {error}") from error
    return done.stdout


def _is_capable(version: str) -> bool:
    if "--enable-libx264" not in version:
        return False
    release = re.match(r"ffmpeg version n?(\d+)\.(\d+)", version)
    # A build from the development branch ("N-12345-g...") carries no release number.
    return (
        (int(release[1]), int(release[2])) >= OLDEST if release else version.startswith("ffmpeg version N-")
    )


def _media_info(fields: Mapping[str, str], packets: Sequence[tuple[int, int]], log: str) -> MediaInfo:
    """Put together ffmpeg's list of packets and what it printed about the streams."""
    width, height = (int(side) for side in fields["dimensions"].split("x"))
    header, _, details = _video_header(log).partition("\n")
    turned = re.search(r"rotation of (-?\d+)", details)
    if turned and int(turned[1]) % 180:
        width, height = height, width
    ticks = tuple(tick for tick, _ in packets)
    time_base = Fraction(fields["tb"])
    steps = {after - before for before, after in pairwise(ticks)}
    stated = re.search(r"([\d.]+)(k?) (?:fps|tbr)", header)
    if len(steps) == 1 and min(steps) > 0:
        rate = 1 / (steps.pop() * time_base)
    elif stated:
        rate = _exact_rate(Fraction(stated[1]) * (1000 if stated[2] else 1))
    else:
        raise InputError("Wanted a movie with a frame rate, found none stated. Convert it to mp4 first.")
    last_length = packets[-1][1] or round(1 / (rate * time_base))
    sar = Fraction(fields.get("sar", "0/1").replace("/0", "/1"))
    audio = re.search(r"^  Stream #0:\d+[^\n]*?: Audio: ", log, re.MULTILINE) is not None
    return MediaInfo(
        width, height, sar or Fraction(1), rate, time_base, ticks, ticks[-1] + last_length, audio
    )


def _video_header(log: str) -> str:
    """The lines about the first video stream that is not a cover picture."""
    for stream in re.split(r"^(?=  Stream #0:)", log, flags=re.MULTILINE)[1:]:
        if ": Video: " in stream.partition("\n")[0] and "(attached pic)" not in stream:
            return stream
    return ""


def _exact_rate(stated: Fraction) -> Fraction:
    """The log shows 24000/1001 as 23.98: a rate that rounds to one of the NTSC rates is that rate."""
    return next((rate for rate in _NTSC if abs(rate - stated) <= Fraction(1, 200)), stated)
