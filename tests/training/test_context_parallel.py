import json
from pathlib import Path

import pytest
import torch

from cinema_cli.errors import InputError
from cinema_cli.training.checkpoint import module_weights, newest_checkpoint
from cinema_cli.training.ranks import Ranks
from context_worker import ONE_KIND, STEPS, extending, shots, task
from keyframe_runs import frozen_parts, tiny_training
from launching import launched
from loop_tasks import TinyTask, lines, losses, run


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """One process took three steps; then two shared each of its sequences."""
    folder = tmp_path_factory.mktemp("context")
    frozen_parts(folder / "parts")
    run(task(folder), folder / "alone", **STEPS | {"validate_every": 3})
    run(task(folder, "lora.rank=2"), folder / "alone-lora", **STEPS)
    run(extending(folder), folder / "alone-extended", **STEPS)
    run(shots(), folder / "alone-video", **STEPS | {"validate_every": 3})
    launched("context_worker.py", folder, "two")
    return folder


def assert_same_steps(ours: Path, alone: Path, part: str = "transformer") -> None:
    assert losses(ours) == pytest.approx(losses(alone), rel=1e-5)
    norms = [line["norm"] for line in lines(ours)]
    assert norms == pytest.approx([line["norm"] for line in lines(alone)], rel=1e-5)
    a, b = (module_weights(newest_checkpoint(where) / part) for where in (ours, alone))
    assert list(a) == list(b)
    assert max(float((a[key] - b[key]).abs().max()) for key in a) < 1e-5


def forwards(folder: Path, kind: str, processes: int) -> list[dict]:
    return [json.loads((folder / f"forward.{rank}.json").read_text())[kind] for rank in range(processes)]


def assert_equal(told: list[dict], most: float) -> None:
    assert max(one[what] for one in told for what in ("velocity", "inputs", "weights")) < most


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        ("joint", [[[0, 2, 4, 6]], [[1, 3, 5, 7]]]),
        ("uneven", [[[0], [0, 2], [1]], [[1], [1], [0, 2]]]),
        ("one new", [[[0], [0], [0], []], [[1], [1], [], [0]]]),
        ("memory or new", [[[0], []], [[], [0]]]),
        ("checkpointed", [[[0], [0], [0], []], [[1], [1], [], [0]]]),
    ],
)
def test_each_peer_predicts_its_pairs_of_the_whole_sequence(folder, kind, places):
    told = forwards(folder, kind, 2)
    assert [one["places"] for one in told] == places
    assert_equal(told, 1e-6)


def test_each_peer_predicts_its_shots_of_the_whole_film(folder):
    told = forwards(folder, "video", 2)
    assert [one["places"] for one in told] == [[[0], [1], []], [[], [0], [0]]]
    assert_equal(told, 1e-5)


@pytest.mark.parametrize(
    ("name", "alone"),
    [
        ("plain", "alone"),
        ("sharded", "alone"),
        ("extended", "alone-extended"),
        ("extended-sharded", "alone-extended"),
        ("video", "alone-video"),
        ("video-sharded", "alone-video"),
    ],
)
def test_two_that_share_a_sequence_take_the_steps_of_one(folder, name, alone):
    assert_same_steps(folder / name, folder / alone)


def test_adapters_too(folder):
    assert_same_steps(folder / "lora", folder / "alone-lora", "lora")


def test_the_steps_that_extend_were_of_all_kinds(folder):
    """Memory of one size, of two (2, 2) and of three (2, 2, 1); one new frame or three, for two peers."""
    made = extending(folder)
    splits = [made.batch(seed).split for seed in range(3)]
    assert {len(split.new) for split in splits} == {1, 3}
    assert {len(split.known) for split in splits} == {1, 2, 3}


@pytest.mark.parametrize(("name", "alone"), [("plain", "alone"), ("video", "alone-video")])
def test_validation_sees_whole_sequences(folder, name, alone):
    found, expected = (lines(folder / where)[-1]["validation"] for where in (name, alone))
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_four_are_two_groups_of_two_or_one_of_four(folder, tmp_path):
    frozen_parts(tmp_path / "parts")
    run(task(tmp_path), tmp_path / "alone", accumulate=2, **STEPS)
    launched("context_worker.py", tmp_path, "four", processes=4)
    assert_same_steps(tmp_path / "four", tmp_path / "alone")
    assert_same_steps(tmp_path / "four-sharded", tmp_path / "alone")
    assert_same_steps(tmp_path / "extended", folder / "alone-extended")
    told = forwards(tmp_path, "memory or new", 4)
    assert [one["places"] for one in told] == [
        [[0], [], []],
        [[], [0], []],
        [[], [], [0]],
        [[], [], [1]],
    ]
    for kind in ("joint", "uneven", "one new", "memory or new", "checkpointed"):
        assert_equal(forwards(tmp_path, kind, 4), 1e-6)
    assert_equal(forwards(tmp_path, "video", 4), 1e-5)


@pytest.mark.slow
def test_compiled_blocks_gather(folder):
    run(extending(folder, *ONE_KIND), folder / "alone-one-kind", **STEPS)
    launched("context_worker.py", folder, "compiled")
    assert_same_steps(folder / "joint-compiled", folder / "alone")
    assert_same_steps(folder / "extended-compiled", folder / "alone-one-kind")
    assert_same_steps(folder / "video-compiled", folder / "alone-video")


def test_processes_that_do_not_divide_are_refused(folder):
    for rank in (0, 1):
        said = (folder / f"three.{rank}.txt").read_text()
        assert "a multiple of 3 processes was wanted, found 2" in said
        said = (folder / f"short.{rank}.txt").read_text()
        assert "at most 1 processes were wanted, one for each shot" in said
    with pytest.raises(InputError, match="a multiple of 2 processes was wanted, found 1"):
        run(task(folder), folder / "nobody", context=2, **STEPS)


def test_what_cannot_share_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be shared among processes"):
        run(TinyTask(), tmp_path, context=2)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["stages.8.loop.context=3", "stages.8.extend=0"], "a divisor of 8 pairs was wanted, found 3"),
        (
            ["stages.8.loop.context=4", "stages.8.extend=0.5", "stages.8.extensions=[[4,4],[2,1]]"],
            r"at least a frame for each of the 4 processes .* found 2 remembered and 1 new",
        ),
    ],
)
def test_stages_that_cannot_be_shared_are_refused(changes, said):
    with pytest.raises(InputError, match=said):
        tiny_training(*changes)


def test_neighbours_take_the_same_batches():
    shares = [Ranks(rank, 4, torch.device("cpu"), context=2).share(range(4)) for rank in range(4)]
    assert [list(share) for share in shares] == [[0, 2], [0, 2], [1, 3], [1, 3]]
