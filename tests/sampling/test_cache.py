import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from cinema_cli.sampling.cache import RECORD
from shard_caches import MADE_BY, Maker, cache, fill, fill_forever, filled_rows


def test_rows_are_made_once_and_read_by_whoever_comes(tmp_path: Path) -> None:
    make = Maker(4)
    first = cache(tmp_path).rows("film/0000", "abcd", [2, 0], make)
    assert first["x"].tolist() == [[2], [0]]
    again = cache(tmp_path).rows("film/0000", "abcd", [3, 1, 1], make)
    assert again["x"].tolist() == [[3], [1], [1]]
    assert again["y"].shape == (3, 2, 3)
    assert make.times == 1


def test_the_folder_says_what_its_items_are_made_by(tmp_path: Path) -> None:
    made = cache(tmp_path)
    assert json.loads((made.folder / RECORD).read_text()) == MADE_BY


def test_other_weights_read_nothing_of_the_old_ones(tmp_path: Path) -> None:
    cache(tmp_path).rows("s", "ab", [0], Maker(2))
    assert cache(tmp_path, weights="b").rows("s", "ab", [0], Maker(2, 7.0))["x"].tolist() == [[7]]
    assert cache(tmp_path).rows("s", "ab", [0], Maker(2, 9.0))["x"].tolist() == [[0]]


def test_a_shard_of_other_items_is_told_and_made_again(tmp_path: Path) -> None:
    told: list[str] = []
    held = cache(tmp_path, told)
    held.rows("film/0000", "ab", [0], Maker(2))
    assert held.rows("film/0000", "aB", [0], Maker(2, 5.0))["x"].tolist() == [[5]]
    assert told == [f"{held.folder}/film/0000.safetensors: its pictures or words changed, made again"]
    assert held.rows("film/0000", "aB", [1], Maker(2, 9.0))["x"].tolist() == [[6]]


@pytest.mark.parametrize("damage", ["half", "text", "empty"])
def test_a_damaged_shard_is_told_and_made_again(tmp_path: Path, damage: str) -> None:
    told: list[str] = []
    held = cache(tmp_path, told)
    held.rows("s", "abc", [0], Maker(3))
    path = held.folder / "s.safetensors"
    content = path.read_bytes()
    path.write_bytes({"half": content[: len(content) // 2], "text": b"x" * 99, "empty": b""}[damage])
    assert held.rows("s", "abc", [2], Maker(3))["x"].tolist() == [[2]]
    assert len(told) == 1
    assert "s.safetensors: damaged" in told[0]
    assert path.read_bytes() == content


def test_two_processes_fill_it_at_the_same_time(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    other = spawn.Process(target=fill, args=(tmp_path, theirs))
    other.start()
    theirs.close()  # if it dies, we are told and do not wait
    assert ours.recv() == "ready"
    ours.send("go")
    wanted = [shard % 4 + shard for shard in range(30)]
    assert filled_rows(tmp_path) == wanted
    assert ours.recv() == wanted
    other.join()
    shards = sorted(cache(tmp_path).folder.rglob("*.safetensors"))
    assert len(shards) == 30
    assert [load_file(path)["x"][0].item() for path in shards] == list(range(30))


def test_killed_while_writing_it_leaves_only_whole_shards(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=fill_forever, args=(tmp_path,))
    process.start()
    folder = cache(tmp_path).folder
    while len(list(folder.glob("*.safetensors"))) < 3:  # it is in the midst of it
        time.sleep(0.01)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    told: list[str] = []
    held = cache(tmp_path, told)
    for path in folder.glob("[0-9]*.safetensors"):
        assert held.rows(path.stem, "ab", [0, 1], Maker(2))["x"].shape == (2, 300_000)
    assert told == []
