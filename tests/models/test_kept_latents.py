import pytest
import torch

from cinema_cli.models.kept_latents import KEYFRAMES, KeptLatents

INPUTS = {"seed": 1, "order": None}


class Sampling:
    """Counts how often it is asked."""

    def __init__(self, value: float = 0.5) -> None:
        self.value, self.count = value, 0

    def __call__(self) -> torch.Tensor:
        self.count += 1
        return torch.full((2, 3), self.value, dtype=torch.bfloat16)


@pytest.fixture
def kept(tmp_path):
    return KeptLatents(tmp_path / KEYFRAMES, "weights")


def test_what_waits_is_not_sampled_again(kept):
    sampling = Sampling()
    first = kept.sampled(INPUTS, ["a", "b"], sampling)
    again = KeptLatents(kept.folder, "weights").sampled(INPUTS, ["a", "b"], sampling)
    assert sampling.count == 1
    assert all(torch.equal(x, y) and x.dtype == y.dtype for x, y in zip(first, again, strict=True))


@pytest.mark.parametrize(
    ("weights", "inputs", "ids"),
    [("others", INPUTS, "ab"), ("weights", INPUTS | {"seed": 2}, "ab"), ("weights", INPUTS, "ac")],
)
def test_other_weights_inputs_or_shots_are_sampled_and_what_waited_goes(kept, weights, inputs, ids):
    kept.sampled(INPUTS, ["a", "b"], Sampling())
    sampling = Sampling(0.25)
    made = KeptLatents(kept.folder, weights).sampled(inputs, list(ids), sampling)
    assert (sampling.count, float(made[0][0])) == (1, 0.25)
    assert len(list(kept.folder.iterdir())) == 1


@pytest.mark.parametrize("damage", [b"", b"torn"])
def test_what_is_damaged_is_sampled_again(kept, damage):
    kept.sampled(INPUTS, ["a", "b"], Sampling())
    (file,) = kept.folder.iterdir()
    file.write_bytes(damage)
    sampling = Sampling()
    kept.sampled(INPUTS, ["a", "b"], sampling)
    assert sampling.count == 1


def test_what_is_not_finite_does_not_come_back(kept):
    kept.sampled(INPUTS, ["a", "b"], Sampling(float("nan")))
    sampling = Sampling()
    assert all(x.isfinite().all() for x in kept.sampled(INPUTS, ["a", "b"], sampling))
    assert sampling.count == 1


def test_nothing_waits_after_clearing(kept):
    kept.clear()
    kept.sampled(INPUTS, ["a", "b"], Sampling())
    kept.clear()
    assert not kept.folder.exists()


def test_latents_of_any_strides_are_kept(kept):
    turned = torch.arange(6.0).view(2, 3).T
    assert not turned.is_contiguous()
    first = kept.sampled(INPUTS, ["a"], lambda: [turned])
    again = kept.sampled(INPUTS, ["a"], lambda: [])
    assert torch.equal(first[0], turned)
    assert torch.equal(again[0], turned)
