import json
import sys

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

WAYS = ["dense mask", "hybrid", "hybrid + GoldenMem", "remember", "cached"]


@pytest.fixture
def flux(script):
    return script("flux_speed")


@pytest.fixture
def bench(flux):
    torch.manual_seed(0)
    return flux.Bench(flux.SETTINGS["tiny"], torch.device("cpu"), torch.float32, compiled=False)


def test_the_same_code_runs_on_a_cpu_with_a_tiny_config(flux, monkeypatch, tmp_path, capsys):
    path = tmp_path / "speed.json"
    arguments = ["flux_speed.py", "--config", "tiny", "--pairs", "4", "--repeats", "1", "--out", str(path)]
    monkeypatch.setattr(sys, "argv", arguments)
    flux.main()
    written = json.loads(path.read_text(encoding="utf-8"))
    assert (written["device"], written["dtype"]) == ("CPU", "float32")
    assert [line["way"] for line in written["lines"]] == WAYS
    assert all(line["seconds"] > 0 for line in written["lines"])
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| 4 |")]
    assert len(rows) == len(WAYS)


@pytest.mark.parametrize("way", range(len(WAYS)), ids=WAYS)
def test_operations_are_those_that_torch_counts(bench, way):
    way = bench.ways(8)[way]
    with torch.no_grad():
        run = way.prepare()
        with FlopCounterMode(display=False) as counter:
            run()
    assert counter.get_total_flops() == way.flop


def test_what_does_not_fit_is_told_and_the_rest_goes_on(flux, bench):
    def full():
        raise torch.OutOfMemoryError("CUDA out of memory.")

    ways = [flux.Way("dense mask", full, 10**12), bench.ways(4)[1]]
    lines = [bench.measure(4, way, 1) for way in ways]
    assert [line.seconds is None for line in lines] == [True, False]
    assert "| 4 | dense mask | OOM |" in flux.table(lines, 1e12)


def test_the_full_configuration_is_flux_dev(flux):
    with torch.device("meta"):
        model = flux.InterleavedFlux(**flux.SETTINGS["flux-dev"].config)
    assert sum(parameter.numel() for parameter in model.parameters()) == 11_901_408_320


def test_pairs_that_have_no_quarter_are_refused(flux, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["flux_speed.py", "--pairs", "6"])
    with pytest.raises(SystemExit):
        flux.main()
    assert "multiples of four were wanted, found [6]" in capsys.readouterr().err
