import json
from fractions import Fraction
from pathlib import Path

import pytest

from cinema_cli.dataset import Ingested, films
from cinema_cli.errors import InputError
from cinema_cli.storyboard import Flag, Shot, Storyboard

RECORD = {
    "movie": "night-train.mkv",
    "path": "/films/night-train.mkv",
    "sha256": "a" * 64,
    "bytes": 10,
    "frames": 48,
    "duration": str(Fraction(1001, 500)),
    "frame_rate": "24000/1001",
    "frame_size": (480, 800),
    "picture": (40, 0, 400, 800),
    "settings": {"detector": "adaptive"},
    "seconds_taken": 1.5,
    "version": "0.1.0",
}


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    record = Ingested(**RECORD)
    record.save(tmp_path)
    assert Ingested.load(tmp_path) == record


def test_an_unknown_field_of_a_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "ingest.json").write_text(json.dumps({**RECORD, "colour": 1}))
    with pytest.raises(InputError, match="colour"):
        Ingested.load(tmp_path)


def test_films_of_a_dataset_by_name(tmp_path: Path) -> None:
    for name in ("b", "a", ".half.part", "empty"):
        (tmp_path / name).mkdir()
    for name in ("b", "a", ".half.part"):
        Storyboard(frame_size=(400, 800)).save(tmp_path / name)
    assert films(tmp_path) == [tmp_path / "a", tmp_path / "b"]
    assert films(tmp_path / "a") == [tmp_path / "a"]


@pytest.mark.parametrize("found", ["nothing", "a file", "none in it"])
def test_no_dataset_is_told(tmp_path: Path, found: str) -> None:
    path = tmp_path if found == "none in it" else tmp_path / "x"
    if found == "a file":
        path.write_text("")
    with pytest.raises(InputError, match=found):
        films(path)


def test_a_shot_is_kept_when_nothing_speaks_against_it() -> None:
    shot = Shot(id="0001", duration="2", keyframe="keyframes/0001.png", caption="A boat.")
    assert shot.kept
    flag = Flag(reason="near-black", value=3.0, limit=16.0)
    for change in ({"keyframe": None}, {"caption": ""}, {"flags": (flag,)}, {"rejected": "a title card"}):
        assert not shot.model_copy(update=change).kept
