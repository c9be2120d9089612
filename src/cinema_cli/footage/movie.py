"""One movie becomes one film's folder: shots, keyframes, flags, record (paper, section 3.1).

The movie is decoded once.  While it goes by, cuts are found in small frames, and of every shot the
frame nearest to its middle is written when the shot is over; so memory stays the same however long
the movie is.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, starmap
from operator import sub
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from cinema_cli import __version__
from cinema_cli.config import Config, build
from cinema_cli.contact_sheet import write_contact_sheet
from cinema_cli.dataset import Ingested
from cinema_cli.errors import InputError
from cinema_cli.ffmpeg import Frame, Glance, Lens, MediaInfo, Watch, probe
from cinema_cli.ffmpeg.watching import colours, to_rgb
from cinema_cli.footage.borders import Box, PictureConfig, cut_to_shape, find_picture, kept_size, whole
from cinema_cli.footage.middle import Candidate, Middle
from cinema_cli.footage.quality import Judge, QualityConfig
from cinema_cli.footage.shots import CutFinder, Moment, ShotConfig, end_of, look_size
from cinema_cli.storyboard import Shot, Source, Storyboard

CANDIDATES_A_SECOND = 8
"""Frames that may become a keyframe; at 24 frames a second the middle is missed by one at most."""

MISSING = Fraction(1, 2)
"""Seconds by which a file may fall short of its header before that is told."""


class ReadConfig(Config):
    """How a movie is read; another one would give another film."""

    shots: ShotConfig = ShotConfig()
    """How cuts are found."""
    picture: PictureConfig = PictureConfig()
    """What is cut out, and how large."""
    quality: QualityConfig = QualityConfig()
    """What is flagged."""
    keyframe_format: Literal["jpg", "webp", "png"] = "jpg"
    """jpg is fast and small; png loses nothing and takes about five times the room."""
    keyframe_quality: Annotated[int, Field(ge=1, le=100)] = 95
    """Of jpg and webp."""
    fast: bool = False
    """Skip the frames that no other frame needs: less to decode, cuts less exact (docs/ingest.md)."""


@dataclass(frozen=True)
class MovieFile:
    """A movie as it lies there."""

    path: Path
    sha256: str
    bytes: int


def read_movie(
    movie: MovieFile, folder: Path, config: ReadConfig, threads: int, tell: Callable[[float], None]
) -> Storyboard:
    """Fill a folder with storyboard, keyframes, contact sheet and record.

    Args:
        movie: What to read.
        folder: An empty folder.
        config: How to read it.
        threads: That decode.
        tell: Is called now and then with the share that is done, 0 to 1.
    """
    started = time.monotonic()
    info = probe(movie.path)
    notes = _notes(movie.path, info)
    picture = find_picture(movie.path, info) if config.picture.borders else whole(info)
    if picture is None:
        notes.append("too dark to tell borders from picture: the whole frame was kept")
    box = cut_to_shape(picture or whole(info), info.pixel_aspect, config.picture)
    watched = Watch(movie.path, info, _lens(box, info, config, threads))
    height = watched.lens.large[0]
    if height > box[2]:
        notes.append(f"enlarged: the picture has {box[2]} lines, a keyframe {height}")
    reading = _Reading(movie.path, folder, config, info)
    for glance in watched:
        reading.take(glance)
        if glance.number % 50 == 0:
            tell(min(1.0, glance.number / info.frames))
    reading.finish()
    notes += reading.notes + [f"ffmpeg says: {line}" for line in watched.complaints[:3]]
    storyboard = build(
        Storyboard,
        {
            "title": in_one_line(movie.path.stem),
            "frame_size": watched.lens.large,
            "frame_rate": str(info.rate),
            "shots": tuple(reading.shots),
        },
        str(movie.path),
    )
    storyboard.save(folder)
    Ingested(
        format="cinema-ingest",
        movie=file_name(movie.path),
        path=str(movie.path),
        sha256=movie.sha256,
        bytes=movie.bytes,
        frames=reading.frames,
        duration=str(reading.duration),
        frame_rate=str(info.rate),
        frame_size=(info.height, info.width),
        picture=picture or whole(info),
        settings=config.model_dump(mode="json"),
        notes=tuple(in_one_line(note)[:400] for note in notes),
        seconds_taken=round(time.monotonic() - started, 3),
        version=__version__,
    ).save(folder)
    write_contact_sheet(storyboard, folder)
    return storyboard


class _Reading:
    """What is known while a movie goes by."""

    def __init__(self, path: Path, folder: Path, config: ReadConfig, info: MediaInfo) -> None:
        self.shots: list[Shot] = []
        self.notes: list[str] = []
        self.frames = 0
        self.duration = Fraction(0)
        self._path, self._folder, self._config, self._info = path, folder, config, info
        self._finder = CutFinder(config.shots, info.rate)
        self._middle = Middle(self._finder.late)
        self._judge = Judge(config.quality)
        self._begin = self._start = self._last = Fraction(0)
        self._shift = Fraction(0)

    def take(self, glance: Glance) -> None:
        """The next frame."""
        if self.frames == 0:
            if glance.time < 0:  # a storyboard knows no time before the movie
                self._shift = -glance.time
                self.notes.append(f"begins at {float(glance.time):.3f} s: times count from its first frame")
            self._begin = self._start = glance.time + self._shift
        moment = Moment(glance.number, glance.time + self._shift)
        if glance.large is not None:
            self._middle.offer(Candidate(moment.time, glance.large))
        for cut in self._finder.feed(moment, glance.small):
            self._close(cut.time)
        self.frames += 1
        self._last = moment.time

    def finish(self) -> None:
        """No frame is left."""
        if self.frames == 0:
            raise InputError(f"{self._path}: not one of its {self._info.frames} frames could be decoded.")
        end = end_of(self._info, self._last, self._shift)
        for cut in self._finder.finish(end):
            self._close(cut.time)
        self._close(end)
        self.duration = end - self._begin

    def _close(self, end: Fraction) -> None:
        """A shot is over: its middle becomes its keyframe."""
        number = f"{len(self.shots) + 1:04d}"
        chosen = self._middle.take(self._start, end)
        picture = to_rgb(chosen.planes, colours(self._info))
        name = f"keyframes/{number}.{self._config.keyframe_format}"
        _save(picture, self._folder / name, self._config)
        source = {
            "movie": file_name(self._path),
            "start": str(self._start),
            "mid": str(chosen.time),
            "end": str(end),
        }
        shot = {
            "id": number,
            "duration": str(end - self._start),
            "keyframe": name,
            "source": build(Source, source, f"{self._path}, shot {number}"),
            "flags": self._judge.flags(number, picture, chosen.blend),
        }
        self.shots.append(build(Shot, shot, f"{self._path}, shot {number}"))
        self._start = end


def _lens(box: Box, info: MediaInfo, config: ReadConfig, threads: int) -> Lens:
    steady = len(set(starmap(sub, pairwise(info.ticks)))) <= 2  # a coarse clock rounds to two lengths
    every = max(1, round(info.rate / CANDIDATES_A_SECOND)) if steady and not config.fast else 1
    return Lens(
        crop=box,
        small=look_size(Fraction(box[2]), box[3] * info.pixel_aspect),
        large=kept_size(box, info.pixel_aspect, config.picture),
        every=every,
        referenced_only=config.fast,
        threads=threads,
    )


def _notes(path: Path, info: MediaInfo) -> list[str]:
    """What a person should know about the movie."""
    notes = []
    if path.name != file_name(path):
        notes.append(f"its name holds signs that a storyboard refuses; written there as {file_name(path)}")
    if info.video_tracks > 1:
        notes.append(f"{info.video_tracks} video tracks: the first was read")
    if info.interlaced:
        notes.append("interlaced: made whole again with bwdif")
    if info.hdr:
        notes.append(f"made for bright screens ({info.hdr}): tone-mapped, 203 nits to white")
    held = info.end_tick * info.time_base
    if info.promised is not None and info.promised - held > MISSING:
        notes.append(f"the file ends at {float(held):.2f} s of the {float(info.promised):.2f} s it promises")
    return notes


def _save(picture: Frame, path: Path, config: ReadConfig) -> None:
    from PIL import Image

    path.parent.mkdir(exist_ok=True)
    options: dict[str, dict[str, Any]] = {
        "jpg": {"quality": config.keyframe_quality, "subsampling": 2},  # movies have half the colours too
        "webp": {"quality": config.keyframe_quality, "method": 2},
        "png": {"compress_level": 4},
    }
    Image.fromarray(picture).save(path, **options[config.keyframe_format])


def file_name(path: Path) -> str:
    """The name of a movie as a storyboard takes it."""
    return in_one_line(path.name).replace("\\", "_")


def in_one_line(text: str) -> str:
    """Text without the control characters that a file name or ffmpeg may hold."""
    return "".join(letter if letter.isprintable() else "_" for letter in text)
