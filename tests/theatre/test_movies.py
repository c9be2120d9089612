import os
import random
import signal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from cinema_cli.errors import InputError, Interrupted
from cinema_cli.ffmpeg import Frame, decode, probe
from cinema_cli.progress import Progress, Task
from cinema_cli.theatre.movies import (
    DISSOLVE_FRAMES,
    LONGEST,
    LONGEST_WALK,
    SHORTEST,
    Truth,
    WrittenMovie,
    cut_shots,
    movie_frames,
    plan_truth,
    write_movies,
)
from cinema_cli.theatre.screenplay import write_movie

MINUTES = 0.1
SEED = 3


def write(folder: Path, movies: int = 1, minutes: float = MINUTES, seed: int = SEED) -> list[WrittenMovie]:
    with Progress(quiet=True) as progress:
        return write_movies(folder, movies, minutes, seed, progress)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("movies")


@pytest.fixture(scope="module")
def movie(folder: Path) -> WrittenMovie:
    return write(folder)[0]


@pytest.fixture(scope="module")
def frames(movie: WrittenMovie) -> list[Frame]:
    return list(decode(movie.path))


def test_the_file_is_what_the_sidecar_says(movie: WrittenMovie, frames: list[Frame]) -> None:
    truth, info = Truth.load(movie.sidecar), probe(movie.path)
    assert movie.fresh
    assert (info.height, info.width) == truth.frame_size == (480, 800)
    assert info.rate == Fraction(truth.frame_rate) == 24
    assert len(frames) == info.frames == truth.shots[-1].end_frame
    assert movie.seconds == info.duration == Fraction(truth.shots[-1].end)
    assert abs(movie.seconds - Fraction(6)) < 1
    assert movie.shots == len(truth.shots) > 1


def test_cuts_are_where_the_truth_has_them(movie: WrittenMovie, frames: list[Frame]) -> None:
    truth = Truth.load(movie.sidecar)
    assert {shot.transition for shot in truth.shots[1:]} == {"cut"}  # this seed has no dissolve
    steps = [np.abs(b[::4, ::4].astype(int) - a[::4, ::4].astype(int)).mean() for a, b in pairwise(frames)]
    cuts = [shot.start_frame for shot in truth.shots[1:]]
    assert sorted(np.argsort(steps)[-len(cuts) :] + 1) == cuts


def test_every_frame_is_the_one_that_was_drawn(movie: WrittenMovie, frames: list[Frame]) -> None:
    for number, drawn in enumerate(movie_frames(Truth.load(movie.sidecar))):
        if number % 7 == 0:
            assert np.abs(frames[number].astype(int) - drawn.astype(int)).mean() < 3


def test_the_border_is_black_and_the_picture_is_not(movie: WrittenMovie, frames: list[Frame]) -> None:
    top, left, height, width = Truth.load(movie.sidecar).picture
    assert (top, left, height, width) == (40, 0, 400, 800)
    for frame in frames[::20]:
        assert frame[: top - 2].max() <= 8
        assert frame[top + height + 2 :].max() <= 8
        assert frame[top : top + 2].max() > 20


def test_what_is_written_is_kept_and_what_is_broken_is_made_again(tmp_path: Path) -> None:
    first = write(tmp_path, minutes=0.03)[0]
    before = first.path.stat().st_mtime_ns
    again = write(tmp_path, minutes=0.03)[0]
    assert not again.fresh
    assert first.path.stat().st_mtime_ns == before
    whole = first.path.read_bytes()
    first.path.write_bytes(whole[:-100])
    assert write(tmp_path, minutes=0.03)[0].fresh
    assert first.path.read_bytes() == whole  # the same arguments make the same file
    first.sidecar.write_text("{}")
    assert write(tmp_path, minutes=0.03)[0].fresh
    assert write(tmp_path, minutes=0.04)[0].fresh


class StoppingTask(Task):
    """A task in which Ctrl-C comes with the first frame."""

    def advance(self, count: int = 1, note: str = "") -> None:
        if self.count == 0:
            os.kill(os.getpid(), signal.SIGINT)
        super().advance(count, note)


class StoppingProgress(Progress):
    """Progress whose tasks are interrupted."""

    def task(self, what: str, total: int | None = None, unit: str = "", done: int = 0) -> Task:
        return StoppingTask(self, what, total, unit, done)


def test_stopped_it_finishes_the_movie_in_hand(tmp_path: Path) -> None:
    with StoppingProgress(quiet=True) as progress, pytest.raises(Interrupted, match="1 of 3 movies"):
        write_movies(tmp_path, 3, 0.03, SEED, progress)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".mp4"]
    assert [movie.fresh for movie in write(tmp_path, 2, 0.03)] == [False, True]


def test_a_dissolve_goes_from_one_shot_to_the_next() -> None:
    truth = next(
        truth
        for truth in (plan_truth(seed, 2400) for seed in range(50))
        if truth.shots[1].transition == "dissolve"
    )
    small = truth.model_copy(update={"picture": (10, 0, 64, 128), "frame_size": (84, 128)})
    shot = small.shots[1]
    hard = shot.model_copy(update={"transition": "cut", "transition_frames": 0})
    cut = small.model_copy(update={"shots": (small.shots[0], hard)})
    soft = small.model_copy(update={"shots": small.shots[:2]})
    assert shot.transition_frames == DISSOLVE_FRAMES
    first, last = shot.start_frame, shot.start_frame + DISSOLVE_FRAMES
    far = [
        float(np.abs(a.astype(int) - b.astype(int)).mean())
        for a, b in zip(movie_frames(soft), movie_frames(cut), strict=True)
    ]
    assert max(far[:first]) == max(far[last:]) == 0
    assert min(far[first:last]) > 0
    assert far[first] > 3 * far[last - 1]


def test_shots_keep_their_limits_and_fill_the_movie() -> None:
    transitions = []
    for seed in range(60):
        truth = plan_truth(seed, 2400)
        assert plan_truth(seed, 2400) == truth
        transitions += [shot.transition for shot in truth.shots[1:]]
        assert 0 <= 2400 - truth.shots[-1].end_frame < 24
        for shot in truth.shots:
            walks = any(figure.action == "walks" for figure in shot.staged.figures)
            length = shot.end_frame - shot.start_frame
            assert SHORTEST <= length <= (LONGEST_WALK if walks else LONGEST)
            assert Fraction(shot.start) * 24 == shot.start_frame
        for before, after in pairwise(truth.shots):
            assert before.end_frame == after.start_frame
            assert before.staged != after.staged
    assert 0.06 < transitions.count("dissolve") / len(transitions) < 0.14


def test_a_shot_that_shows_the_same_again_is_left_out() -> None:
    first, second = write_movie(1, 2).shots
    chosen = cut_shots(random.Random(0), [first, first, second], 10_000)
    assert [shot for shot, _ in chosen] == [first, second]


@pytest.mark.parametrize(("movies", "minutes", "seed"), [(0, 1, 0), (1, 0.01, 0), (1, 1e9, 0), (1, 1, -1)])
def test_what_cannot_be_written_is_refused(tmp_path: Path, movies: int, minutes: float, seed: int) -> None:
    with pytest.raises(InputError, match="Wanted at least one movie"):
        write(tmp_path / "none", movies, minutes, seed)
    assert not (tmp_path / "none").exists()
