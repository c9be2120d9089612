"""What the clips of a film are: how many frames, how fast, how large; read from the files and remembered.

A dataset may hold hundreds of thousands of clips, and looking into each takes a child process.  So what was
found is kept in RUN/cache/clip-facts, a file for every film, as long as the clips' own files stay the same.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from math import floor
from pathlib import Path

from cinema_cli.config import Config, build
from cinema_cli.errors import InputError
from cinema_cli.ffmpeg import probe
from cinema_cli.fields import Rate, inside, seconds
from cinema_cli.files import read_json, write_atomic
from cinema_cli.sampling.kept import KeptFilm
from cinema_cli.storyboard import MAX_FILE_BYTES, Shot

THREADS = 8
"""Clips looked into at the same time; each waits for a child process."""


class ClipFacts(Config):
    """A clip's file."""

    stamp: str
    """Which state of the file: size and time of writing."""
    frames: int
    """How many it holds."""
    rate: Rate
    """Frames a second, as rational text."""
    height: int
    """Pixels."""
    width: int
    """Pixels."""
    pixel_aspect: Rate = "1"
    """Width of a pixel through its height, as rational text."""

    @property
    def aspect(self) -> Fraction:
        """Width through height of the picture as it is shown."""
        return Fraction(self.width, self.height) * seconds(self.pixel_aspect)

    def frame_at(self, number: int, rate: int) -> int:
        """The frame nearest to the time of frame ``number`` at ``rate`` frames a second."""
        return floor(number * seconds(self.rate) / rate + Fraction(1, 2))


class FilmFacts(Config):
    """The clips of a film."""

    clips: dict[str, ClipFacts]
    """By shot."""


def clip_facts(film: KeptFilm, shots: Sequence[Shot], folder: Path) -> dict[str, ClipFacts]:
    """What the clips of some shots are, by shot; those whose file is missing are not in it.

    Args:
        film: Their film.
        shots: Those that have a clip.
        folder: Where it is remembered.

    Raises:
        InputError: a file is no movie.
    """
    record = folder / f"{film.sha256[:16]}.json"
    known = _remembered(record)
    files = {shot.id: inside(film.folder, str(shot.clip)) for shot in shots}
    stamps = {id: file_stamp(file) for id, file in files.items() if file.is_file()}
    fresh = {id: known[id] for id, stamp in stamps.items() if id in known and known[id].stamp == stamp}
    new = [id for id in stamps if id not in fresh]
    if not new:
        return fresh
    with ThreadPoolExecutor(THREADS, "clips") as pool:
        found = dict(zip(new, pool.map(lambda id: _look_into(files[id], stamps[id]), new), strict=True))
    facts = {id: fresh.get(id) or found[id] for id in stamps}
    write_atomic(record, FilmFacts(clips=facts).model_dump_json(indent=1) + "\n")
    return facts


def file_stamp(path: Path) -> str:
    """Which state of a file: its size and when it was written, for reading it all would be no saving."""
    found = path.stat()
    return f"{found.st_size} {found.st_mtime_ns}"


def _look_into(file: Path, stamp: str) -> ClipFacts:
    info = probe(file)
    return ClipFacts(
        stamp=stamp,
        frames=info.frames,
        rate=str(info.rate),
        height=info.height,
        width=info.width,
        pixel_aspect=str(info.pixel_aspect),
    )


def _remembered(record: Path) -> dict[str, ClipFacts]:
    """What was found before; nothing where it cannot be read, for it can be found again."""
    try:
        return build(FilmFacts, read_json(record, MAX_FILE_BYTES), str(record)).clips
    except InputError:
        return {}
