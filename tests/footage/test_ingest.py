import json
import os
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from cinema_cli.dataset import Ingested, films
from cinema_cli.errors import InputError, MissingError
from cinema_cli.ffmpeg import decode, encode, probe
from cinema_cli.files import sha256_file
from cinema_cli.footage import ingest as ingest_module
from cinema_cli.footage.ingest import IngestConfig, IngestSummary, ingest_movies
from cinema_cli.footage.ledger import FRESH
from cinema_cli.progress import Progress
from cinema_cli.rendering.film import assemble
from cinema_cli.storyboard import Shot, Storyboard, seconds
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.movies import Truth, write_movies
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import CLIP_RATE
from drawn_movies import run_ffmpeg, write

SMALL = {"picture": {"short_side": 120}}
LENGTHS = [30, 24, 40]


def ingest(movies: list[Path], out: Path, **settings: object) -> IngestSummary:
    config = IngestConfig.model_validate({**SMALL, **settings})
    return ingest_movies(movies, out, config, Progress(quiet=True))


def states(summary: IngestSummary) -> dict[str, str]:
    return {outcome.path.name: outcome.state for outcome in summary.outcomes}


def snapshot(out: Path) -> dict[str, tuple[int, int]]:
    """Every file of a dataset with its number and time: none was written anew if it is the same."""
    return {
        str(path): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in out.rglob("*")
        if path.is_file() and ".ingest" not in path.parts
    }


@pytest.fixture
def movies(tmp_path: Path) -> Path:
    folder = tmp_path / "movies"
    folder.mkdir()
    for number, name in enumerate(("a", "b", "c")):
        write(folder / f"{name}.mp4", LENGTHS, first=10 * number)
    return folder


def starts(folder: Path) -> list[int]:
    board = Storyboard.load(folder)
    rate = seconds(board.frame_rate)
    return [round(seconds(shot.source.start) * rate) for shot in board.shots if shot.source]


def test_a_folder_of_movies_becomes_a_dataset_and_again_is_nothing(movies: Path, tmp_path: Path) -> None:
    out = tmp_path / "ds"
    summary = ingest([movies], out)
    assert states(summary) == {"a.mp4": "made", "b.mp4": "made", "c.mp4": "made"}
    assert [folder.name for folder in films(out)] == ["a", "b", "c"]
    assert starts(out / "b") == [0, 30, 54]
    assert {path.name for path in (out / ".ingest").iterdir()} <= {"hashes"}
    before = snapshot(out)
    os.utime(movies / "a.mp4")  # another date, the same content
    (movies / "b.mp4").rename(movies / "renamed.mp4")
    summary = ingest([movies], out)
    assert set(states(summary).values()) == {"kept"}
    assert summary.outcomes[-1].folder == out / "b"
    assert snapshot(out) == before


def test_one_bad_movie_does_not_stop_the_others_and_is_tried_again(movies: Path, tmp_path: Path) -> None:
    out = tmp_path / "ds"
    whole = (movies / "b.mp4").read_bytes()
    (movies / "b.mp4").write_bytes(whole[:700])
    (movies / "list.mp4").write_text(f"ffconcat version 1.0\nfile '{movies / 'a.mp4'}'\n")
    (movies / "play.mp4").write_text(f"#EXTM3U\n#EXTINF:9,\n{movies / 'a.mp4'}\n#EXT-X-ENDLIST\n")
    summary = ingest([movies], out)
    assert states(summary) == {
        "a.mp4": "made", "b.mp4": "failed", "c.mp4": "made", "list.mp4": "failed", "play.mp4": "failed",
    }  # fmt: skip
    failures = json.loads((out / "ingest-failures.json").read_text())
    assert failures["format"] == "cinema-ingest-failures"
    assert [Path(entry["path"]).name for entry in failures["failures"]] == ["b.mp4", "list.mp4", "play.mp4"]
    assert all("ffmpeg says" in entry["reason"] for entry in failures["failures"])
    assert sorted(path.name for path in out.iterdir()) == [".ingest", "a", "c", "ingest-failures.json"]
    (movies / "b.mp4").write_bytes(whole)
    assert states(ingest([movies / "b.mp4"], out)) == {"b.mp4": "made"}
    failures = json.loads((out / "ingest-failures.json").read_text())["failures"]
    assert [Path(entry["path"]).name for entry in failures] == ["list.mp4", "play.mp4"]


def test_a_bomb_fails_alone(movies: Path, tmp_path: Path) -> None:
    source = ("-f", "lavfi", "-i", "color=black:s=15360x15360:d=0.04:r=25")
    run_ffmpeg(*source, "-c:v", "png", "-pix_fmt", "monob", str(movies / "bomb.mkv"))
    summary = ingest([movies / "bomb.mkv", movies / "a.mp4"], tmp_path / "ds")
    assert states(summary) == {"bomb.mkv": "failed", "a.mp4": "made"}


@pytest.mark.parametrize(
    "name", ["-i.mp4", "a:b%03d.mp4", "two words.mp4", "two\nlines.mp4", "back\\slash.mp4"]
)
def test_names_that_other_programs_stumble_over(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "plain.mp4", LENGTHS).rename(tmp_path / name)
    (outcome,) = ingest([path], tmp_path / "ds").outcomes
    assert (outcome.state, outcome.shots) == ("made", 3)
    assert outcome.folder is not None
    assert Ingested.load(outcome.folder).path == str(path)
    source = Storyboard.load(outcome.folder).shots[0].source
    assert source is not None
    assert source.movie == name.replace("\n", "_").replace("\\", "_")


def test_other_settings_are_told_and_wait_for_again(movies: Path, tmp_path: Path) -> None:
    out = tmp_path / "ds"
    ingest([movies / "a.mp4"], out)
    before = snapshot(out)
    (outcome,) = ingest([movies / "a.mp4"], out, shots={"detector": "content"}).outcomes
    assert (outcome.state, outcome.folder) == ("other settings", out / "a")
    assert "shots.detector" in outcome.reason
    assert "--again" in outcome.reason
    assert snapshot(out) == before
    (outcome,) = ingest([movies / "a.mp4"], out, shots={"detector": "content"}, again=True).outcomes
    assert outcome.state == "made"
    assert Ingested.load(out / "a").settings["shots"]["detector"] == "content"
    assert [folder.name for folder in films(out)] == ["a"]
    assert states(ingest([movies / "a.mp4"], out, shots={"detector": "content"}, again=True)) == {
        "a.mp4": "kept"
    }


def test_the_same_content_twice_is_one_film_and_one_name_twice_are_two(movies: Path, tmp_path: Path) -> None:
    out = tmp_path / "ds"
    shutil.copy(movies / "a.mp4", movies / "copy.mp4")
    (movies / "more").mkdir()
    (movies / "c.mp4").rename(movies / "more" / "a.mp4")
    assert sorted(outcome.state for outcome in ingest([movies], out).outcomes) == [
        "kept",
        "made",
        "made",
        "made",
    ]
    assert len(films(out)) == 3
    # A film of another movie has the name already.
    ingest([movies / "b.mp4"], tmp_path / "ds2")
    (movies / "a.mp4").rename(tmp_path / "b.mp4")
    (outcome,) = ingest([tmp_path / "b.mp4"], tmp_path / "ds2").outcomes
    assert outcome.folder == tmp_path / "ds2" / f"b-{sha256_file(tmp_path / 'b.mp4')[:8]}"


def test_clips_have_the_very_frames_of_their_shots(movies: Path, tmp_path: Path) -> None:
    out = tmp_path / "ds"
    path = movies / "a.mp4"
    ingest([path], out)
    keyframes = {name: facts for name, facts in snapshot(out).items() if "keyframes" in name}
    assert states(ingest([path], out, clips=True)) == {"a.mp4": "clips added"}
    assert keyframes.items() <= snapshot(out).items()
    board = Storyboard.load(out / "a")
    assert [shot.clip for shot in board.shots] == [f"clips/000{number}.mp4" for number in (1, 2, 3)]
    clips = [list(decode(out / "a" / str(shot.clip), (120, 240))) for shot in board.shots]
    assert [len(clip) for clip in clips] == LENGTHS
    frames = list(decode(path))
    for clip, start in zip(clips, (0, 30, 54), strict=True):
        for number in (0, len(clip) - 1):
            own, after = (frames[min(start + number + step, 93)].astype(int) for step in (0, 1))
            apart = np.abs(clip[number].astype(int) - own).mean()
            assert apart < 4
            assert apart <= np.abs(clip[number].astype(int) - after).mean()
    info = probe(out / "a" / "clips" / "0001.mp4")
    assert abs(info.height * info.width - 480 * 480) < 480 * 20
    assert states(ingest([path], out, clips=True)) == {"a.mp4": "kept"}
    assert states(ingest([movies / "b.mp4"], out, clips=True)) == {"b.mp4": "made"}
    assert (out / "b" / "clips" / "0003.mp4").is_file()


def test_several_processes_do_every_movie_once(movies: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    (movies / "bad.mp4").write_bytes(b"no movie")
    shutil.copy(movies / "a.mp4", movies / "z.mp4")
    alone, together = ingest([movies], one), ingest([movies], two, workers=2)
    assert states(alone)["bad.mp4"] == states(together)["bad.mp4"] == "failed"
    assert len(films(one)) == len(films(two)) == 3
    for folder in films(one):
        for name in ("storyboard.json", "keyframes/0001.jpg", "keyframes/0003.jpg"):
            names = {path.name: path for path in films(two)}
            twin = (
                names.get(folder.name) or names["z"]
            )  # a and z are one content: the first to begin names it
            if name.endswith("jpg"):
                assert (folder / name).read_bytes() == (twin / name).read_bytes()
            else:
                assert starts(folder) == starts(twin)


def test_a_full_disk_ends_the_command(movies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MissingError("the disk is full")

    monkeypatch.setattr(ingest_module, "read_movie", full)
    with pytest.raises(MissingError):
        ingest([movies], tmp_path / "ds")


def test_nothing_to_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="wanted movies"):
        ingest([tmp_path], tmp_path / "ds")
    assert not (tmp_path / "ds").exists()


# -- killed, and run again --------------------------------------------------------------------


def command(*words: str) -> "subprocess.Popen[str]":
    small = ("--set", "picture.short_side=120", "--quiet")
    code = [sys.executable, "-m", "cinema_cli", "ingest", *words, *small]
    return subprocess.Popen(
        code, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def wait_for(out: Path, pattern: str, process: "subprocess.Popen[str]") -> Path:
    """The first file of that pattern, as soon as it is there."""
    while process.poll() is None:
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


# -- the round trip -----------------------------------------------------------------------------


def test_a_rendered_film_has_the_cuts_it_was_rendered_with(tmp_path: Path) -> None:
    """Assembled as ``cinema render`` does: clips at 8 frames a second, each frame shown three times."""
    counts = (8, 12, 6, 16, 10, 9)
    drawn = write_movie(seed=5, shots=60).shots
    chosen = [drawn[0]]
    for shot in drawn:
        if shot.staged.place != chosen[-1].staged.place and len(chosen) < len(counts):
            chosen.append(shot)
    shots = []
    for number, (shot, count) in enumerate(zip(chosen, counts, strict=True), start=1):
        clip = f"clips/{number:04d}.mp4"
        frames = (draw_frame(shot.staged, index / CLIP_RATE) for index in range(count))
        encode(frames, tmp_path / clip, Fraction(CLIP_RATE))
        shots.append(Shot(id=f"{number:04d}", duration=str(Fraction(count, CLIP_RATE)), clip=clip))
    board = Storyboard(title="six", frame_size=(128, 256), shots=tuple(shots))
    film = assemble(board, tmp_path, tmp_path / "film.mp4")
    (outcome,) = ingest([tmp_path / "film.mp4"], tmp_path / "ds").outcomes
    assert outcome.folder is not None
    assert tuple(starts(outcome.folder)) == (0, *film.cuts)
    again = Storyboard.load(outcome.folder)
    assert [seconds(shot.duration) for shot in again.shots] == [
        seconds(shot.duration) for shot in board.shots
    ]


def hard_cuts(truth: Truth, found: list[int]) -> tuple[int, int, int]:
    """Hard cuts that are found within a frame, those that are missed, and what is found besides."""
    hard = [shot.start_frame for shot in truth.shots if shot.transition == "cut"]
    soft = [
        range(shot.start_frame - 1, shot.start_frame + shot.transition_frames + 2)
        for shot in truth.shots
        if shot.transition == "dissolve"
    ]
    hits = sum(any(abs(cut - one) <= 1 for one in found) for cut in hard)
    false = [
        one
        for one in found
        if not any(abs(cut - one) <= 1 for cut in hard) and not any(one in few for few in soft)
    ]
    return hits, len(hard) - hits, len(false)


def f1(hits: int, missed: int, false: int) -> float:
    return 2 * hits / (2 * hits + missed + false)


def test_the_hard_cuts_of_a_theatre_movie_are_found(tmp_path: Path) -> None:
    (written,) = write_movies(tmp_path, 1, 0.25, 2, Progress(quiet=True))
    truth = Truth.load(written.sidecar)
    (outcome,) = ingest([written.path], tmp_path / "ds").outcomes
    assert outcome.folder is not None
    record = Ingested.load(outcome.folder)
    assert record.picture == truth.picture
    assert record.sha256 == truth.sha256
    assert f1(*hard_cuts(truth, starts(outcome.folder)[1:])) >= 0.99
    assert outcome.kept >= outcome.shots - 1


@pytest.mark.slow
def test_the_hard_cuts_of_many_theatre_movies_are_found(tmp_path: Path) -> None:
    written = write_movies(tmp_path, 4, 1.0, 40, Progress(quiet=True))
    counts = [0, 0, 0]
    for one, outcome in zip(
        written, ingest([w.path for w in written], tmp_path / "ds").outcomes, strict=True
    ):
        assert outcome.folder is not None
        found = hard_cuts(Truth.load(one.sidecar), starts(outcome.folder)[1:])
        counts = [count + more for count, more in zip(counts, found, strict=True)]
    assert f1(*counts) >= 0.99
