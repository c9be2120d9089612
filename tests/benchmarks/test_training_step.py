import sys

import pytest
import torch

WAYS = ["ours", "not compiled", "dense mask", "naive"]


@pytest.fixture
def bench(script, tmp_path):
    return script("training_step").Bench(True, tmp_path)


def test_it_runs_and_prints_a_row_for_every_way(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["training_step.py", "--quick"])
    script("training_step").main()
    printed = capsys.readouterr().out
    rows = [line.strip("| ").split(" | ") for line in printed.splitlines() if line.endswith("% |")]
    assert [row[0] for row in rows] == WAYS
    assert all(float(cell) > 0 for row in rows for cell in row[1:7])
    assert rows[0][7] == "1.00 x"
    assert "threads, load " in printed


def test_all_ways_learn_the_same_from_a_batch(bench):
    gradients = []
    for way in (bench.eager, bench.dense):
        way.task.loss(way.task.batch(0), torch.Generator().manual_seed(0)).backward()
        named = way.task.modules["transformer"].named_parameters()
        gradients.append({name.removeprefix("stock."): p.grad for name, p in named if p.grad is not None})
    ours, dense = gradients
    assert len(ours) > 20
    for name, gradient in ours.items():
        assert float((dense[name] - gradient).norm() / gradient.norm().clamp(min=1e-6)) < 1e-3, name


def test_only_the_naive_way_encodes_frames_in_a_step(bench):
    encoded = []
    bench.codec.vae.encoder.register_forward_hook(lambda _, given, __: encoded.append(len(given[0])))
    for way in bench.ways[:3]:
        way.step(1)
    assert encoded == []
    bench.naive.step(1)
    assert sum(encoded) == 2 * 8


def test_the_bound_counts_what_training_shows_as_mfu(bench):
    assert bench.flop == bench.ours.task.flop(bench.ours.task.batch(0))


def test_ways_that_disagree_end_the_benchmark(bench):
    with torch.no_grad():
        bench.dense.task.model.stock.proj_out.weight.mul_(2)
    with pytest.raises(SystemExit, match="equal losses were wanted"):
        bench.check_equal()
