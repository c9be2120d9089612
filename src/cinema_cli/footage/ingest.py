"""``cinema ingest``: movies become films in a dataset (paper, section 3.1).

A movie is finished when its folder appears.  What went wrong with one is noted and told; the others go
on.  Run again, the command skips what the dataset has, by content.
"""

import errno
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from cinema_cli.config import build
from cinema_cli.contact_sheet import write_contact_sheet
from cinema_cli.dataset import Ingested
from cinema_cli.errors import CinemaError, InputError, MissingError
from cinema_cli.fields import seconds
from cinema_cli.files import LOCK_NAME, atomic_folder, atomic_path
from cinema_cli.footage.clips import write_clips
from cinema_cli.footage.inputs import ENDINGS, Input, find_movies
from cinema_cli.footage.ledger import FAILURES, FRESH, Ledger
from cinema_cli.footage.movie import MovieFile, ReadConfig, in_one_line, read_movie
from cinema_cli.footage.workers import run_jobs
from cinema_cli.progress import Progress, clock, finishing_on_signal
from cinema_cli.storyboard import Storyboard

State = Literal["made", "clips added", "kept", "other settings", "busy", "failed"]


class IngestConfig(ReadConfig):
    """All of ``cinema ingest``."""

    clips: bool = False
    """Also write the moving picture of every shot."""
    again: bool = False
    """Read movies anew that were read with other settings; their captions go."""
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    """Movies that are read at the same time, a process each."""

    def reading(self) -> ReadConfig:
        """The part that the film depends on."""
        return ReadConfig(**{name: getattr(self, name) for name in ReadConfig.model_fields})


@dataclass(frozen=True)
class Outcome:
    """What became of one movie."""

    path: Path
    state: State
    folder: Path | None = None
    shots: int = 0
    kept: int = 0
    """Shots that nothing speaks against."""
    flagged: Mapping[str, int] = field(default_factory=dict)
    seconds: Fraction = Fraction(0)
    """Of film."""
    taken: float = 0.0
    """Seconds that it took."""
    notes: tuple[str, ...] = ()
    reason: str = ""
    """Why it failed, or what is to be done."""


@dataclass(frozen=True)
class IngestSummary:
    """What became of all of them."""

    dataset: Path
    outcomes: tuple[Outcome, ...]
    left: int
    """Movies that were not begun, because a signal asked to stop."""
    taken: float

    @property
    def failures(self) -> Path:
        """The file that tells what could not be read."""
        return self.dataset / FAILURES

    def of(self, *states: State) -> list[Outcome]:
        """The movies that ended so."""
        return [outcome for outcome in self.outcomes if outcome.state in states]


@dataclass(frozen=True)
class Job:
    """One movie for one process."""

    movie: Input
    dataset: Path
    config: IngestConfig
    threads: int


def ingest_movies(
    movies: Sequence[Path], out: Path, config: IngestConfig, progress: Progress
) -> IngestSummary:
    """Read movies, or all movies in folders, into a dataset.

    Asked to stop, it finishes the movies in hand and tells how many are left.

    Raises:
        InputError: no movie is named.
        MissingError: the disk is full, or there is no ffmpeg.
    """
    started = time.monotonic()
    found, refused = find_movies(movies, out)
    if not found and not refused:
        endings = " ".join(sorted(ENDINGS))
        raise InputError(f"{', '.join(map(str, movies))}: wanted movies ({endings}), found none.")
    out.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(out)
    outcomes = [Outcome(entry.path, "failed", reason=entry.reason) for entry in refused]
    for outcome in outcomes:
        _tell(outcome, ledger, progress)
    threads = max(1, (os.cpu_count() or 1) // config.workers)
    jobs = [Job(movie, out, config, threads) for movie in found]
    shares = _Shares(found, progress)
    with finishing_on_signal() as stop:
        for number, outcome in run_jobs(ingest_one, jobs, config.workers, stop, shares.told):
            shares.told(number, 1.0)
            outcomes.append(outcome)
            _tell(outcome, ledger, progress)
    left = len(refused) + len(found) - len(outcomes)
    return IngestSummary(out, tuple(outcomes), left, time.monotonic() - started)


def ingest_one(job: Job, tell: Callable[[float], None]) -> Outcome:
    """Read one movie; whatever is wrong with it is an outcome, not an error."""
    started = time.monotonic()
    path = job.movie.path
    try:
        ledger = _ledger(job.dataset)
        movie = MovieFile(path, ledger.sha256(path), job.movie.bytes)
        enough = _enough(ledger, movie, job.config)
        if enough is not None:
            return enough
        with ledger.hold(movie.sha256) as workshop:
            if workshop is None:
                return Outcome(path, "busy", reason="another cinema reads it at this moment")
            made = _under_lock(job, ledger, movie, workshop, tell)
        return replace(made, taken=time.monotonic() - started)
    except MissingError:
        raise  # a full disk, no ffmpeg: no movie would fare better
    except CinemaError as error:
        return Outcome(path, "failed", reason=str(error))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        return Outcome(path, "failed", reason=f"{error.filename or path}: {error.strerror}")
    except Exception as error:
        return Outcome(path, "failed", reason=f"a fault in cinema: {type(error).__name__}: {error}")


@cache
def _ledger(dataset: Path) -> Ledger:
    """One for each process: what it has seen it need not read again."""
    return Ledger(dataset)


def _enough(ledger: Ledger, movie: MovieFile, config: IngestConfig) -> Outcome | None:
    """What the dataset has of a movie, where nothing is left to do."""
    film = ledger.film(movie.sha256)
    if film is None:
        return None
    folder, record = film
    other = _differences(record, config.reading())
    if other:
        told = f"read before with other settings ({', '.join(other)}); --again reads it anew"
        return None if config.again else _outcome(movie.path, "other settings", folder, reason=told)
    wants_clips = config.clips and any(shot.clip is None for shot in Storyboard.load(folder).shots)
    return None if wants_clips else _outcome(movie.path, "kept", folder)


def _under_lock(
    job: Job, ledger: Ledger, movie: MovieFile, workshop: Path, tell: Callable[[float], None]
) -> Outcome:
    enough = _enough(ledger, movie, job.config)  # another command may have been faster
    if enough is not None:
        return enough
    film = ledger.film(movie.sha256)
    if film is not None and not _differences(film[1], job.config.reading()):
        _add_clips(movie.path, film[0], job.threads)
        return _outcome(movie.path, "clips added", film[0])
    fresh = workshop / FRESH  # there, and whole, where a command was killed just before placing it
    if not fresh.is_dir() or _differences(Ingested.load(fresh), job.config.reading()):
        for leftover in workshop.iterdir():
            shutil.rmtree(leftover)
        with atomic_folder(fresh) as folder:
            read_movie(movie, folder, job.config.reading(), job.threads, tell)
            if job.config.clips:
                _add_clips(movie.path, folder, job.threads)
    return _outcome(movie.path, "made", _place(job, ledger, movie.sha256, fresh))


def _add_clips(movie: Path, folder: Path, threads: int) -> None:
    picture = Ingested.load(folder).picture
    storyboard = write_clips(movie, folder, Storyboard.load(folder), picture, threads)
    storyboard.save(folder)
    write_contact_sheet(storyboard, folder)


def _place(job: Job, ledger: Ledger, sha256: str, fresh: Path) -> Path:
    """Give a whole film its place in the dataset, instead of an older reading of the same movie."""
    older = ledger.film(sha256)
    if older is not None:
        _keep_what_others_made(older[0], fresh)
        os.rename(older[0], fresh.with_name("older"))
        os.rename(fresh, older[0])
        return older[0]
    for name in (job.movie.name, f"{job.movie.name}-{sha256[:8]}"):
        try:
            os.rename(fresh, job.dataset / name)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
        else:
            return job.dataset / name
    raise InputError(f"{job.dataset / name}: wanted a free name for this movie, found it taken. Remove that.")


def _keep_what_others_made(older: Path, fresh: Path) -> None:
    """Carry files over that no ingest makes, such as the answers that ``cinema caption`` has paid for."""
    for path in older.iterdir():
        if (
            path.is_file()
            and not path.is_symlink()
            and path.name != LOCK_NAME
            and not (fresh / path.name).exists()
        ):
            with atomic_path(fresh / path.name) as aside:
                shutil.copyfile(path, aside)


def _differences(record: Ingested, wanted: ReadConfig) -> list[str]:
    """Settings in which a film was read otherwise, such as "shots.detector"."""
    try:
        found = build(ReadConfig, record.settings, record.movie)
    except InputError:
        return ["an older cinema"]
    return _unlike(found.model_dump(), wanted.model_dump(), "")


def _unlike(one: Mapping[str, Any], other: Mapping[str, Any], where: str) -> list[str]:
    names: list[str] = []
    for name, value in one.items():
        if isinstance(value, Mapping):
            names += _unlike(value, other[name], f"{where}{name}.")
        elif value != other[name]:
            names.append(where + name)
    return names


def _outcome(path: Path, state: State, folder: Path, reason: str = "") -> Outcome:
    storyboard = Storyboard.load(folder)
    flags = Counter(flag.reason for shot in storyboard.shots for flag in shot.flags)
    return Outcome(
        path=path,
        state=state,
        folder=folder,
        shots=len(storyboard.shots),
        kept=sum(not shot.flags for shot in storyboard.shots),
        flagged=dict(flags.most_common()),
        seconds=sum((seconds(shot.duration) for shot in storyboard.shots), Fraction(0)),
        notes=Ingested.load(folder).notes,
        reason=reason,
    )


class _Shares:
    """Progress in megabytes: how much of each movie is read, and when it and all will be."""

    def __init__(self, movies: Sequence[Input], progress: Progress) -> None:
        self._movies = movies
        self._begun: dict[int, float] = {}
        self._done = [0] * len(movies)
        self._sizes = [max(1, movie.bytes >> 20) for movie in movies]
        self._task = progress.task("reading movies", sum(self._sizes), "MB")

    def told(self, number: int, share: float) -> None:
        """So much of a movie is read."""
        movie = self._movies[number]
        passed = time.monotonic() - self._begun.setdefault(number, time.monotonic())
        done = int(self._sizes[number] * share)
        left = f", {clock(passed / share * (1 - share))} left" if 0 < share < 1 else ""
        self._task.advance(done - self._done[number], f"{movie.name} {share:.0%}{left}")
        self._done[number] = done


def _tell(outcome: Outcome, ledger: Ledger, progress: Progress) -> None:
    """One line about a movie; a failure is noted on the disk at once."""
    name = in_one_line(outcome.path.name)
    if outcome.state == "failed":
        ledger.settle(outcome.path, outcome.reason)
        progress.say(f"{name}: failed. {outcome.reason}")
        return
    if outcome.state != "busy":
        ledger.settle(outcome.path, None)
    told = f"{name}: {outcome.state}" + (f". {outcome.reason}" if outcome.reason else "")
    if outcome.state == "made":
        flagged = outcome.shots - outcome.kept
        told += f", {outcome.shots} shots, {flagged} flagged, {clock(float(outcome.seconds))} of film"
    progress.say(told)
    for note in outcome.notes if outcome.state == "made" else ():
        progress.say(f"  {note}")
