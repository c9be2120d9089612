import sys

import pytest

from cinema_cli.models.cost import FLUX_DEV


def test_it_runs_and_prints_three_tables(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["memory_speed.py", "--quick"])
    script("memory_speed").main()
    printed = capsys.readouterr().out
    heads = [line.split(":")[0] for line in printed.splitlines() if ":" in line]
    assert heads == ["Extension", "Folding", "Window"]
    rows = [line.split(" | ") for line in printed.splitlines() if line.endswith("% |")]
    assert len(rows) == 6 + 4 + 4
    for row in rows:
        measured, counted = float(row[-3]), float(row[-2])
        assert measured > 0
        assert counted > 1


def test_the_small_model_has_the_share_of_attention_that_flux_has(script):
    small = script("memory_speed").subjects()["small FLUX"]
    per_token = small.cost.attention_per_pair * small.pairs(1).tokens / small.cost.linear_per_token
    flux = FLUX_DEV.attention_per_pair * (25 * 50 + 512) / FLUX_DEV.linear_per_token
    assert per_token == pytest.approx(flux, rel=0.01)
    assert small.cost.num_single_layers == 2 * small.cost.num_layers


def test_ways_that_disagree_end_the_benchmark(script):
    naive = script("memory_speed")
    pairs = naive.subjects()["small FLUX"].group([0])
    with pytest.raises(SystemExit, match="equal outputs were wanted"):
        naive.check_equal(pairs.latents, pairs.latents * 1.01, "frames")
