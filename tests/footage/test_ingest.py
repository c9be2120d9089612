import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from cinema_cli.dataset import Ingested, films
from cinema_cli.errors import InputError, MissingError
from cinema_cli.ffmpeg import decode, probe
from cinema_cli.files import sha256_file
from cinema_cli.footage import ingest as ingest_module
from cinema_cli.storyboard import Storyboard
from drawn_movies import run_ffmpeg, write
from ingested import LENGTHS, ingest, snapshot, starts, states


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
    (out / "a" / "captions.jsonl").write_text('{"key": "paid for"}\n')
    before = snapshot(out)
    (outcome,) = ingest([movies / "a.mp4"], out, shots={"detector": "content"}).outcomes
    assert (outcome.state, outcome.folder) == ("other settings", out / "a")
    assert "shots.detector" in outcome.reason
    assert "--again" in outcome.reason
    assert snapshot(out) == before
    (outcome,) = ingest([movies / "a.mp4"], out, shots={"detector": "content"}, again=True).outcomes
    assert outcome.state == "made"
    assert Ingested.load(out / "a").settings["shots"]["detector"] == "content"
    assert (out / "a" / "captions.jsonl").read_text() == '{"key": "paid for"}\n'
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
