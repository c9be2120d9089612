import importlib.util

import pytest
import torch
from accelerate import Accelerator

from cinema_cli.errors import MissingError
from cinema_cli.training.metrics import Metrics, peak_rate
from loop_tasks import TinyTask, frames, lines, run


def test_lines_behind_the_checkpoint_and_a_torn_one_are_cut_off(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(
        '{"step": 1, "loss": 3.0}\n{"step": 2, "loss": 2.0}\n{"step": 3, "loss": 1.0}\n{"step": 4, "l'
    )
    Metrics(path, 2, Accelerator(cpu=True)).write(3, 1.5, norm=1.0)
    assert [(line["step"], line["loss"]) for line in lines(tmp_path)] == [(1, 3.0), (2, 2.0), (3, 1.5)]


def test_every_step_tells_its_numbers(tmp_path):
    run(TinyTask(), tmp_path, steps=2, preview_every=0)
    for line in lines(tmp_path):
        assert set(line) == {"step", "loss", "norm", "rate", "seconds", "mfu"}
        assert 0 < line["mfu"] < 1


class Uneven(TinyTask):
    """Whose batches differ in what they cost."""

    def flop(self, batch: torch.Tensor) -> float:
        return 1e6 if (batch[0, 0, 0] > 0) else 3e6


def test_mfu_counts_the_batches_of_each_step(tmp_path):
    task = Uneven()
    run(task, tmp_path, steps=6, preview_every=0)
    per_step = len(task.seeds) // 6
    wanted = [
        sum(task.flop(frames(seed)) for seed in task.seeds[step * per_step : (step + 1) * per_step])
        for step in range(6)
    ]
    assert len(set(wanted)) > 1
    reached = [line["mfu"] * line["seconds"] for line in lines(tmp_path)]
    assert [r / reached[0] for r in reached] == pytest.approx([w / wanted[0] for w in wanted])


def test_a_bare_product_is_the_peak_where_no_vendor_tells_it():
    assert peak_rate(torch.device("cpu"), bf16=False) > 1e8


@pytest.mark.skipif(importlib.util.find_spec("comet_ml") is not None, reason="it is installed")
def test_a_tracker_that_is_not_installed_is_told(tmp_path):
    with pytest.raises(MissingError, match="report_to: comet_ml wanted, but not installed"):
        run(TinyTask(), tmp_path, report_to=("comet_ml",))
    assert not list(tmp_path.iterdir())


def test_tensorboard_is_told_of_every_step_once(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(TinyTask(), tmp_path, steps=4, report_to=("tensorboard",), preview_every=0)
    (tmp_path / "step-000004").rename(tmp_path / "gone")  # as if killed before it was written
    run(TinyTask(), tmp_path, steps=6, report_to=("tensorboard",), preview_every=0)
    found = EventAccumulator(str(tmp_path / "trackers/tiny"))
    found.Reload()
    assert [event.step for event in found.Scalars("loss")] == [1, 2, 3, 4, 5, 6]
