"""Every regime equals a dense mask, for groups of unequal size, and cached memory equals uncached."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cinema_cli.models.pairs import PairGroup
from cinema_cli.models.regimes import blocks_of
from dense_flux import FULL, GRID, dense_reference, group, past_and_new, relative, twins


def blind(groups: list[PairGroup]):
    known = [g.remembered for g in groups for _ in g.ranks]
    return lambda pair, other: not known[pair] or known[other]


def causal(pair: int, other: int) -> bool:
    return other <= pair


CASES = {"joint": lambda groups: lambda a, b: True, "extend": blind, "causal": lambda groups: causal}


def check(groups: list[PairGroup], regime: str) -> None:
    ours, stock = twins()
    out = ours(groups=groups, regime=regime)
    expected = dense_reference(stock, groups, CASES[regime](groups))
    gradient = torch.Generator().manual_seed(9)
    target = [torch.randn(x.shape, dtype=x.dtype, generator=gradient) for x in out]
    for a, b in zip(out, expected, strict=True):
        assert relative(a, b) < 1e-6
    sum((a * t).sum() for a, t in zip(out, target, strict=True)).backward()
    sum((b * t).sum() for b, t in zip(expected, target, strict=True)).backward()
    theirs = dict(stock.named_parameters())
    compared = 0
    for name, parameter in ours.named_parameters():
        if theirs[name].grad is not None and theirs[name].grad.norm() > 1e-12:
            assert relative(parameter.grad, theirs[name].grad) < 1e-6, name
            compared += 1
    assert compared > 40


@pytest.mark.parametrize("regime", CASES)
@pytest.mark.parametrize(("memory", "new"), [((1,), 1), ((2, 1), 2), ((1, 3, 2), 1), ((4, 4, 3), 1)])
@pytest.mark.parametrize("words", [0, 5])
def test_a_regime_equals_its_dense_mask_with_gradients(regime, memory, new, words):
    check(past_and_new(memory, new, words), regime)


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.integers(1, 4), max_size=3),
    st.integers(1, 3),
    st.sampled_from(sorted(CASES)),
    st.sampled_from([0, 2]),
)
def test_ragged_groups_of_any_size_equal_it_too(memory, new, regime, words):
    check(past_and_new(tuple(memory), new, words, batch=1), regime)


def test_memory_between_new_pairs_keeps_its_place():
    """A shot drawn again sees shots before it and after it."""
    before, after = group(1, [0, 3], (2, 3), full_grid=FULL, remembered=True), group(1, [1, 2], FULL, seed=3)
    check([before, after], "extend")


@pytest.mark.parametrize("words", [0, 5])
def test_cached_memory_equals_uncached(words):
    ours, _ = twins(torch.float32)
    groups = past_and_new((2, 3, 1), 2, words, dtype=torch.float32)
    *known, new = groups
    whole = ours(groups=groups, regime="extend")[-1]
    memory = ours.remember(known)
    (cached,) = ours(groups=[new], memory=memory)
    assert relative(cached, whole) < 1e-5
    (alone,) = ours(groups=[new])
    assert relative(alone, whole) > 1e-3
    tokens = sum(len(g.ranks) * (words + g.latents.shape[2]) for g in known)
    assert memory.bytes == 2 * tokens * 2 * 24 * 4 * 2  # K and V, batch, layers, width 24 in fp32


def test_what_memory_holds_does_not_depend_on_new_pairs():
    ours, _ = twins()
    groups = past_and_new()
    other = [*groups[:-1], group(2, list(groups[-1].ranks), FULL, seed=8)]
    for a, b in zip(
        ours(groups=groups, regime="extend")[:-1], ours(groups=other, regime="extend")[:-1], strict=True
    ):
        assert torch.equal(a, b)


def test_blocks_of_each_regime():
    groups = past_and_new((2, 1), 2)
    assert blocks_of(groups, "joint") == (2 * (5 + 6) + (5 + 12) + 2 * (5 + 24),)
    assert blocks_of(groups, "extend") == (2 * (5 + 6) + (5 + 12), 2 * (5 + 24))
    assert blocks_of(groups, "causal") == (11, 11, 17, 29, 29)
    assert blocks_of(groups[-1:], "extend") == (0, 58)
    assert blocks_of(groups, "extend", [0, 1, 1]) == (5 + 12, 5 + 24)


def test_a_shrunken_frame_spreads_over_the_full_one():
    small = group(1, [0], (2, 2), full_grid=(4, 8), remembered=True)
    image = small.ids(torch.device("cpu"))[0, 5:]
    assert image[:, 1].tolist() == [0.5, 0.5, 2.5, 2.5]
    assert image[:, 2].tolist() == [1.5, 5.5, 1.5, 5.5]
    full = group(1, [0], (2, 3)).ids(torch.device("cpu"))[0, 5:]
    assert full[:, 1:].tolist() == [[y, x] for y in range(2) for x in range(3)]
    assert GRID == (2, 3)
