"""Movies of the theatre as real files, each with a sidecar that tells the truth about it.

What ``cinema ingest`` has to find in a stranger's movie is known here to the frame: where the cuts
and the dissolves are, which part is black border, who is seen where, and a caption for every shot.

A dissolve takes the first frames of a shot: the shot before goes on moving and fades out over them.
"""

import random
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from cinema_cli import __version__
from cinema_cli.config import Config, build
from cinema_cli.errors import InputError, Interrupted
from cinema_cli.ffmpeg import Frame, encode
from cinema_cli.files import read_json, sha256_file, write_atomic
from cinema_cli.progress import Progress, Task, finishing_on_signal
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import MovieShot, Puppet, StagedShot

RATE = 24
STAGE_SIZE = (400, 800)
"""Height and width of the picture (the paper's 2:1 at a short side of 400)."""
FILE_SIZE = (480, 800)
"""Height and width of the file: black bars above and below the picture."""
SHORTEST, LONGEST = 3 * RATE // 2, 5 * RATE
"""Frames in a shot."""
LONGEST_WALK = 2 * RATE
"""Frames in a shot where somebody walks: later they would be out of the picture or before another."""
DISSOLVES = 0.1
"""Share of the transitions that are no cut."""
DISSOLVE_FRAMES = 12
MAX_MINUTES = 600
CRF = 18
MAX_SIDECAR_BYTES = 64 * 2**20

Count = Annotated[int, Field(ge=0)]


class TrueShot(Config):
    """One shot as it was drawn."""

    start_frame: Count
    """Its first frame; of a dissolve, the first frame that shows anything of it."""
    end_frame: Count
    """The frame after its last one, not counting what a dissolve still shows of it."""
    start: str
    """Seconds, as rational text."""
    end: str
    """Seconds, as rational text."""
    transition: Literal["none", "cut", "dissolve"]
    """How the film comes to it from the shot before."""
    transition_frames: Count
    """Frames that show both shots."""
    staged: StagedShot
    """All that is seen."""
    caption: str
    """Words for it."""
    described: tuple[str, ...]
    """Names whose look the caption tells."""


class Truth(Config):
    """The sidecar of a movie."""

    format: Literal["cinema-theatre-truth"] = "cinema-theatre-truth"
    """Says what the file is."""
    version: Literal[1] = 1
    """Of the format."""
    made_by: str = __version__
    """The version of cinema that drew the movie."""
    seed: Count
    """Of the movie."""
    title: str
    """Of the movie."""
    caption: str
    """One line about the whole."""
    cast: tuple[Puppet, ...]
    """Who is in it, and how they look."""
    frame_rate: str
    """Frames a second, as rational text."""
    frame_size: tuple[int, int]
    """Height and width of the file in pixels."""
    picture: tuple[int, int, int, int]
    """Top, left, height and width of what is not black border."""
    shots: tuple[TrueShot, ...]
    """In the order of the movie."""
    sha256: str = ""
    """Of the movie file."""

    @classmethod
    def load(cls, path: Path) -> "Truth":
        """Read a sidecar."""
        return build(cls, read_json(path, MAX_SIDECAR_BYTES), str(path))


@dataclass(frozen=True)
class WrittenMovie:
    """A movie on the disk."""

    path: Path
    sidecar: Path
    shots: int
    seconds: Fraction
    fresh: bool
    """False where an earlier run had written it already."""


def write_movies(out: Path, movies: int, minutes: float, seed: int, progress: Progress) -> list[WrittenMovie]:
    """Write so many movies of so many minutes, to within a second, into a folder.

    What an earlier run has written is kept.  Movie i has the seed ``seed + i``.
    Asked to stop, it finishes the movie in hand.
    """
    total = round(minutes * 60 * RATE)
    if movies < 1 or seed < 0 or not SHORTEST <= total <= MAX_MINUTES * 60 * RATE:
        raise InputError(
            f"Wanted at least one movie of {SHORTEST / RATE / 60:g} to {MAX_MINUTES} minutes and a seed of 0 "
            f"or more, found {movies} of {minutes:g} minutes, seed {seed}."
        )
    written: list[WrittenMovie] = []
    with finishing_on_signal() as stop:
        truths = [plan_truth(number, total) for number in range(seed, seed + movies)]
        task = progress.task("drawing movies", sum(t.shots[-1].end_frame for t in truths), "frames")
        for truth in truths:
            if stop.requested:
                raise Interrupted(
                    f"{len(written)} of {movies} movies are in {out}; the same command draws the rest."
                )
            written.append(_write_one(out, truth, progress, task))
    return written


def plan_truth(seed: int, frames: int) -> Truth:
    """All that is known about a movie before it is drawn: the same for the same arguments."""
    rng = random.Random(f"cutting {seed}")
    # Written longer than needed: how many shots fill the movie depends on who walks in them.
    movie = write_movie(seed, 2 * (frames // SHORTEST) + 2)
    shots: list[TrueShot] = []
    start = 0
    for shot, length in cut_shots(rng, movie.shots, frames):
        end = start + length
        dissolve = start > 0 and rng.random() < DISSOLVES
        shots.append(
            TrueShot(
                start_frame=start,
                end_frame=end,
                start=str(Fraction(start, RATE)),
                end=str(Fraction(end, RATE)),
                transition="dissolve" if dissolve else "cut" if start else "none",
                transition_frames=DISSOLVE_FRAMES if dissolve else 0,
                staged=shot.staged,
                caption=shot.caption,
                described=shot.described,
            )
        )
        start = end
    top, left = ((whole - part) // 2 for whole, part in zip(FILE_SIZE, STAGE_SIZE, strict=True))
    return Truth(
        seed=seed,
        title=movie.title,
        caption=movie.caption,
        cast=movie.cast,
        frame_rate=str(RATE),
        frame_size=FILE_SIZE,
        picture=(top, left, *STAGE_SIZE),
        shots=tuple(shots),
    )


def cut_shots(rng: random.Random, shots: Sequence[MovieShot], frames: int) -> list[tuple[MovieShot, int]]:
    """The first shots with their lengths, until the movie is full (to within a second).

    A shot that shows the same as the one before is left out: nobody could see that cut.
    """
    chosen: list[tuple[MovieShot, int]] = []
    for shot in shots:
        if chosen and shot.staged == chosen[-1][0].staged:
            continue
        walks = any(figure.action == "walks" for figure in shot.staged.figures)
        longest = LONGEST_WALK if walks else LONGEST
        length = rng.randint(SHORTEST, longest)
        if frames - length < SHORTEST:
            rest = frames if frames <= longest else frames - SHORTEST
            length = rest if rest >= SHORTEST else longest
        chosen.append((shot, length))
        frames -= length
        if frames < SHORTEST:
            break
    return chosen


def movie_frames(truth: Truth) -> Iterator[Frame]:
    """Every frame of a movie, bars and dissolves included: uint8 (H, W, 3)."""
    top, left, height, width = truth.picture
    for number, shot in enumerate(truth.shots):
        for index in range(shot.end_frame - shot.start_frame):
            picture = draw_frame(shot.staged, index / RATE, (height, width))
            if index < shot.transition_frames:
                before = truth.shots[number - 1]
                passed = (shot.start_frame - before.start_frame + index) / RATE
                share = (index + 1) / (shot.transition_frames + 1)
                old = draw_frame(before.staged, passed, (height, width))
                picture = np.rint((1 - share) * old + share * picture).astype(np.uint8)
            frame = np.zeros((*truth.frame_size, 3), dtype=np.uint8)
            frame[top : top + height, left : left + width] = picture
            yield frame


def _write_one(out: Path, truth: Truth, progress: Progress, task: Task) -> WrittenMovie:
    stem = f"{_slug(truth.title)}-{truth.seed:04d}"
    path, sidecar = out / f"{stem}.mp4", out / f"{stem}.truth.json"
    frames = truth.shots[-1].end_frame
    fresh = not _is_written(path, sidecar, truth)
    if fresh:
        encode(_counted(movie_frames(truth), task), path, Fraction(RATE), crf=CRF)
        whole = truth.model_copy(update={"sha256": sha256_file(path)})
        write_atomic(sidecar, whole.model_dump_json(indent=2) + "\n")
    else:
        progress.say(f"{path.name}: already there, kept")
        task.advance(frames)
    return WrittenMovie(path, sidecar, len(truth.shots), Fraction(frames, RATE), fresh)


def _is_written(path: Path, sidecar: Path, truth: Truth) -> bool:
    """Whether the very movie lies there, whole; a sidecar of another make counts as none."""
    if not (path.is_file() and sidecar.is_file()):
        return False
    try:
        found = Truth.load(sidecar)
    except InputError:
        return False
    return found == truth.model_copy(update={"sha256": sha256_file(path)})


def _counted(frames: Iterator[Frame], task: Task) -> Iterator[Frame]:
    for frame in frames:
        yield frame
        task.advance()


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-") or "movie"
