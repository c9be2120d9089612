"""Killed, stopped, and run twice at once: nothing is lost, nothing is done twice."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from cinema_cli.dataset import films
from cinema_cli.footage import ingest as ingest_module
from cinema_cli.footage.ledger import FRESH
from drawn_movies import write
from ingested import ingest, snapshot, starts, states


def command(*words: str) -> "subprocess.Popen[str]":
    small = ("--set", "picture.short_side=120", "--quiet")
    code = [sys.executable, "-m", "cinema_cli", "ingest", *words, *small]
    return subprocess.Popen(
        code, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def wait_for(out: Path, pattern: str, process: "subprocess.Popen[str]") -> Path:
    """The first file of that pattern, as soon as it is there."""
    while process.poll() is None:
        with suppress(FileNotFoundError):  # of a folder that is done with, while it is looked through
            for path in out.glob(pattern):
                return path
        time.sleep(0.002)
    pytest.fail(f"ended before {pattern} was there: {process.communicate()}")


@pytest.fixture
def long_movie(tmp_path: Path) -> Path:
    """Long enough to be caught in the middle."""
    return write(tmp_path / "long.mp4", [32] * 24)


@pytest.mark.parametrize("workers", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_killed_in_the_middle_nothing_is_lost_and_nothing_done_twice(
    movies: Path, long_movie: Path, tmp_path: Path, workers: str
) -> None:
    out = tmp_path / "ds"
    ingest([movies / "a.mp4"], out)
    before = snapshot(out)
    process = command(str(movies), str(long_movie), "--out", str(out), "--workers", workers)
    wait_for(out, ".ingest/*/.film.*/keyframes/0004.jpg", process)  # of the long one: the others have three
    process.kill()
    process.communicate()
    assert not (out / "long").exists()
    done = {folder.name for folder in films(out)}
    assert {"a"} <= done <= {"a", "b", "c"}
    for folder in films(out):
        assert starts(folder) == [0, 30, 54]
    kept = snapshot(out)
    assert before.items() <= kept.items()
    while "busy" in (found := states(ingest([movies, long_movie], out))).values():
        time.sleep(0.05)  # a worker of the killed command ends when it sees that
    assert {name[0] for name, state in found.items() if state == "kept"} >= done
    assert kept.items() <= snapshot(out).items()
    assert starts(out / "long") == list(range(0, 768, 32))
    assert [path.name for path in (out / ".ingest").iterdir() if path.name != "hashes"] == []


@pytest.fixture
def unplaced(movies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset whose command was killed when a film was whole and had no place yet."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ingest_module, "_place", killed)
    with pytest.raises(KeyboardInterrupt):
        ingest([movies / "a.mp4"], tmp_path / "ds")
    monkeypatch.undo()
    return tmp_path / "ds"


def test_killed_before_a_whole_film_found_its_place(unplaced: Path, movies: Path) -> None:
    (waiting,) = unplaced.glob(f".ingest/*/{FRESH}")
    number = (waiting / "storyboard.json").stat().st_ino
    assert states(ingest([movies / "a.mp4"], unplaced)) == {"a.mp4": "made"}
    assert (unplaced / "a" / "storyboard.json").stat().st_ino == number  # placed, not made again


def test_two_commands_share_the_work(movies: Path, long_movie: Path, tmp_path: Path) -> None:
    out = tmp_path / "ds"
    other = command(str(long_movie), "--out", str(out))
    wait_for(out, ".ingest/*/.film.*/keyframes/0001.jpg", other)
    os.kill(other.pid, signal.SIGSTOP)  # however fast it is, it is at it now
    assert states(ingest([long_movie, movies], out)) == {
        "long.mp4": "busy", "a.mp4": "made", "b.mp4": "made", "c.mp4": "made",
    }  # fmt: skip
    os.kill(other.pid, signal.SIGCONT)
    assert other.wait() == 0
    other.communicate()
    assert states(ingest([long_movie], out)) == {"long.mp4": "kept"}
    assert not (out / "ingest-failures.json").exists()


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_a_signal_finishes_the_movies_in_hand(
    movies: Path, long_movie: Path, tmp_path: Path, workers: str
) -> None:
    out = tmp_path / "ds"
    twin = write(tmp_path / "twin.mp4", [32] * 24, first=60)
    process = command(str(long_movie), str(twin), str(movies), "--out", str(out), "--workers", workers)
    for _ in range(int(workers)):
        wait_for(out, ".ingest/*/.film.*/keyframes/0001.jpg", process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: all processes get it
    _, told = process.communicate()
    assert process.returncode == 5
    assert "the same command goes on" in told
    done = [folder.name for folder in films(out)]
    assert done == ["long", "twin"][: int(workers)] or len(done) == 1
    assert all(len(starts(folder)) == 24 for folder in films(out))
    assert "failed" not in states(ingest([long_movie, twin, movies], out)).values()
    assert len(films(out)) == 5
