import json
import shutil
from pathlib import Path

import pytest
import torch
from accelerate import PartialState
from safetensors.torch import load_file

from cinema_cli.errors import InputError, Interrupted
from cinema_cli.training.checkpoint import faults, module_weights, newest_checkpoint
from cinema_cli.training.ranks import Ranks
from cinema_cli.training.sharding import is_sharded, shard
from launching import launched
from loop_tasks import ADAMW, Careless, TinyTask, lines, losses, run


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """One process took six steps of two batches, elsewhere three; then two processes went to work."""
    folder = tmp_path_factory.mktemp("ranks")
    run(TinyTask(), folder / "alone", optimizer=ADAMW, accumulate=2)
    run(TinyTask(), folder / "alone-muon", accumulate=2)
    run(Careless(), folder / "alone-careless", optimizer=ADAMW, accumulate=2)
    with pytest.raises(Interrupted, match="step 3"):
        run(TinyTask(stop_at=6), folder / "one-plain", optimizer=ADAMW, accumulate=2)
    for copy in ("one-sharded", "other-batches"):
        shutil.copytree(folder / "one-plain", folder / copy)
    launched("rank_worker.py", folder)
    return folder


def told(folder: Path, name: str) -> list[dict]:
    return [json.loads((folder / f"{name}.{rank}.json").read_text()) for rank in (0, 1)]


@pytest.mark.parametrize(
    "name", ["plain", "sharded", "node", "two-nodes", "checkpointed", "one-plain", "one-sharded"]
)
def test_two_processes_take_the_steps_of_one(folder, name):
    assert losses(folder / name) == pytest.approx(losses(folder / "alone"), rel=1e-5)
    norms = [line["norm"] for line in lines(folder / name)]
    assert norms == pytest.approx([line["norm"] for line in lines(folder / "alone")], rel=1e-5)
    assert [one["raised"] for one in told(folder, name)] == [None, None]
    ours, alone = newest_checkpoint(folder / name), newest_checkpoint(folder / "alone")
    for part in ("transformer", "ema/transformer"):
        a, b = module_weights(ours / part), module_weights(alone / part)
        assert list(a) == list(b)
        assert max(float((a[key] - b[key]).abs().max()) for key in a) < 1e-5
    assert faults(ours) == []
    assert (
        json.loads((ours / "transformer/config.json").read_text())["_class_name"] == "FluxTransformer2DModel"
    )


def test_each_takes_its_share_of_the_batches(folder):
    assert [one["seeds"] for one in told(folder, "plain")] == [[0, 2, 4, 6, 8, 10], [1, 3, 5, 7, 9, 11]]


def test_what_libraries_draw_does_not_depend_on_who_takes_the_batch(folder):
    assert losses(folder / "careless") == pytest.approx(losses(folder / "alone-careless"), rel=1e-5)


def test_sharded_is_sharded(folder):
    whole = sum(p.numel() for p in TinyTask().modules["transformer"].parameters())
    for name in ("sharded", "checkpointed", "bf16"):
        parts = told(folder, name)
        assert [(one["units"], one["sharded"]) for one in parts] == [(3, True), (3, True)]
        assert sum(one["numbers"] for one in parts) == whole
        assert max(one["numbers"] for one in parts) < 0.6 * whole
    assert [(one["units"], one["numbers"]) for one in told(folder, "plain")] == [(0, whole), (0, whole)]


def test_muon_is_the_same_on_whole_weights_and_nearly_on_sharded_ones(folder):
    alone = losses(folder / "alone-muon")
    assert losses(folder / "plain-muon") == pytest.approx(alone, rel=1e-5)
    # Its iteration runs in bfloat16, and sums over slices are rounded at other places.
    assert losses(folder / "sharded-muon") == pytest.approx(alone, rel=1e-3)


def test_bf16_shards_differ_by_rounding_alone(folder):
    assert losses(folder / "bf16") == pytest.approx(losses(folder / "alone"), rel=0.02)
    assert losses(folder / "bf16") != losses(folder / "alone")


@pytest.mark.parametrize("name", ["plain-one", "sharded-one"])
def test_a_signal_to_one_stops_both_and_one_process_goes_on(folder, tmp_path, name):
    for one in told(folder, name):
        assert one["raised"] == "Interrupted"
        assert "after step 3" in one["said"]
    shutil.copytree(folder / name, tmp_path / "on")
    run(TinyTask(), tmp_path / "on", optimizer=ADAMW, accumulate=2)
    assert losses(tmp_path / "on") == pytest.approx(losses(folder / "alone"), rel=1e-5)


def test_another_number_of_batches_is_refused(folder):
    for one in told(folder, "other-batches"):
        assert one["raised"] == "InputError"
        assert "batches was 2 and is 4" in one["said"]


def test_what_is_not_a_number_on_one_stops_both(folder):
    for one in told(folder, "poisoned"):
        assert one["raised"] == "NonFiniteError"
        assert "step 1" in one["said"]
        assert "seeds 2 to 3" in one["said"]


def test_a_gradient_that_one_has_is_averaged_and_one_that_none_has_stays_away(folder):
    for rank in (0, 1):
        grads = json.loads((folder / f"uneven.{rank}.json").read_text())
        assert grads == [[1.5, 1.5], [0.5, 0.5], None]


def test_a_sharded_model_remembers(folder):
    for rank in (0, 1):
        apart = json.loads((folder / f"remembered.{rank}.json").read_text())
        assert len(apart) == 4
        assert max(apart) < 1e-6


@pytest.mark.slow
def test_compiled_and_checkpointed_blocks_are_sharded(folder, tmp_path):
    launched("rank_worker.py", tmp_path, "compiled")
    assert losses(tmp_path / "compiled") == pytest.approx(losses(folder / "alone"), rel=1e-5)
    assert [(one["units"], one["sharded"]) for one in told(tmp_path, "compiled")] == [(3, True), (3, True)]


def test_every_rank_has_kept_its_random_numbers(folder):
    with_ranks = newest_checkpoint(folder / "plain") / "random.safetensors"
    assert {key.partition(".")[0] for key in load_file(with_ranks)} == {"0", "1"}


def test_alone_everything_is_as_it_was():
    ranks = Ranks(0, 1, torch.device("cpu"))
    assert list(ranks.share(range(3))) == [0, 1, 2]
    assert ranks.mean(1.0, 2.0) == [1.0, 2.0]
    assert ranks.from_main(3.0) == 3.0


def test_sharding_alone_is_refused(tmp_path):
    with pytest.raises(InputError, match="several processes were wanted"):
        run(TinyTask(), tmp_path, sharding="full")


@pytest.mark.parametrize(
    ("asked", "world", "sharded"), [("true", 2, True), ("false", 2, False), ("true", 1, False)]
)
def test_sharding_follows_the_launcher(monkeypatch, asked, world, sharded):
    monkeypatch.setenv("ACCELERATE_USE_FSDP", asked)
    ranks = Ranks(0, world, torch.device("cpu"))
    assert is_sharded("auto", ranks) is sharded
    assert not is_sharded("none", ranks)


def test_processes_that_do_not_know_each_other_are_refused(tmp_path, monkeypatch):
    PartialState(cpu=True)  # this process is alone, whatever a launcher says later
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="2 processes were started, but accelerate joined 1"):
        run(TinyTask(), tmp_path)


def test_what_has_no_blocks_is_not_sharded():
    with pytest.raises(InputError, match="a model of blocks was wanted, found Linear"):
        shard(torch.nn.Linear(2, 2), "full", False, Ranks(0, 2, torch.device("cpu")))
