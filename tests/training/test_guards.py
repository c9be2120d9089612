import pytest
from PIL import Image
from pydantic import ValidationError
from torch import Tensor

from cinema_cli.errors import InputError
from cinema_cli.training.checkpoint import list_checkpoints
from cinema_cli.training.guards import FEWEST, WINDOW, Guards, NonFiniteError, refuse_non_finite
from cinema_cli.training.loop import LoopConfig
from loop_tasks import TinyTask, lines, run


class Forgetful(TinyTask):
    """Held-out data say that the second step was the best."""

    def validate(self) -> float:
        return abs(super().validate() * 0 + len(self.seeds) - 2.0)


class Shaken(TinyTask):
    """One batch of a loss a hundred times as large."""

    def loss(self, batch: Tensor, generator) -> Tensor:
        return super().loss(batch, generator) * (100 if self.seeds and self.seeds[-1] == FEWEST + 2 else 1)


def test_a_spike_is_many_running_medians():
    guards = Guards(factor=4.0, patience=None)
    assert [guards.spike(100.0 if i == 3 else 1.0) for i in range(FEWEST)] == [None] * FEWEST
    assert guards.spike(3.9) is None
    assert guards.spike(5.0) == 5.0
    for _ in range(WINDOW):
        guards.spike(5.0)
    assert guards.spike(5.0) is None  # what was a spike is what is usual now
    assert Guards(factor=0.0, patience=None).spike(1.0) is None


def test_patience_counts_validations_in_vain():
    guards = Guards(factor=4.0, patience=2)
    assert [guards.improved(loss, step) for step, loss in enumerate((3.0, 2.0, 2.0))] == [True, True, False]
    assert not guards.tired
    guards.improved(2.5, 3)
    assert guards.tired
    again = Guards(factor=4.0, patience=2)
    again.restore(guards.state())
    assert again.state() == guards.state()
    assert again.tired


@pytest.mark.parametrize(("loss", "norm"), [(float("nan"), 1.0), (1.0, float("inf")), (float("-inf"), 1.0)])
def test_what_is_not_finite_names_its_batches(loss, norm):
    with pytest.raises(NonFiniteError, match=r"step 7 .* seeds 14 to 15\. .* resume from the start"):
        refuse_non_finite("tiny", 7, loss, norm, range(14, 16), None)


def test_a_spike_is_told_with_its_seeds_and_training_goes_on(tmp_path, capsys):
    run(Shaken(), tmp_path, quiet=False, steps=FEWEST + 4, preview_every=0, save_every=50)
    told = [line for line in lines(tmp_path) if "spike" in line]
    assert [(line["step"], line["seeds"]) for line in told] == [(FEWEST + 3, [FEWEST + 2, FEWEST + 2])]
    assert told[0]["spike"] > 4
    said = [line for line in capsys.readouterr().err.splitlines() if "running medians" in line]
    assert len(said) == 1


def test_training_ends_early_on_request_and_keeps_the_best(tmp_path, capsys):
    last = run(
        Forgetful(),
        tmp_path,
        quiet=False,
        steps=20,
        validate_every=1,
        patience=3,
        save_every=1,
        preview_every=0,
    )
    assert last.name == "step-000005"
    assert [p.name for p in list_checkpoints(tmp_path)] == ["step-000002", "step-000004", "step-000005"]
    assert [line["validation"] for line in lines(tmp_path)] == [1, 0, 1, 2, 3]
    assert "ended early, 3 validations did not improve on step 2" in capsys.readouterr().err
    again = Forgetful()
    assert run(again, tmp_path, steps=20, validate_every=1, patience=3, preview_every=0) == last
    assert again.seeds == []


def test_validation_is_the_same_whenever_it_is_asked(tmp_path):
    run(TinyTask(), tmp_path / "a", validate_every=1, preview_every=0)
    run(TinyTask(), tmp_path / "b", validate_every=3, preview_every=0)
    a, b = lines(tmp_path / "a"), lines(tmp_path / "b")
    assert [line.get("validation") for line in b] == [
        None if i % 3 else a[i - 1]["validation"] for i in range(1, 7)
    ]
    assert [line["loss"] for line in a] == [line["loss"] for line in b]


def test_validation_must_be_possible(tmp_path):
    class Blind:
        modules = TinyTask().modules

    with pytest.raises(InputError, match="cannot be validated"):
        run(Blind(), tmp_path, validate_every=1)
    with pytest.raises(ValidationError, match="validate_every was wanted as well"):
        LoopConfig(steps=1, patience=2)


def test_the_frozen_base_stands_below_every_preview(tmp_path):
    run(TinyTask(), tmp_path)
    base = Image.open(tmp_path / "previews/step-000000.png")
    later = Image.open(tmp_path / "previews/step-000006.png")
    assert later.size == (base.width, 2 * base.height)
    assert later.crop((0, base.height, *later.size)).tobytes() == base.tobytes()
    base.close()
    later.close()
