"""The definition of formats.md, on the true greedy; overlaps are counted here with Python's own sets."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinema_cli.sampling.stride import Strides, draw_sequences, shared_keyframes

STRIDES = st.integers(1, 12).flatmap(
    lambda pairs: st.builds(
        Strides,
        pairs=st.just(pairs),
        span=st.integers(pairs, 8 * pairs),
        shared=st.integers(0, pairs - 1),
        effort=st.integers(0, 40),
    )
)


def worst(sequences: np.ndarray) -> int:
    return max((len(set(a) & set(b)) for a, b in combinations(sequences.tolist(), 2)), default=0)


@settings(max_examples=60)
@given(keyframes=st.integers(0, 60), strides=STRIDES, key=st.integers(0, 2**128 - 1))
def test_every_set_of_sequences_is_valid(keyframes: int, strides: Strides, key: int) -> None:
    drawn = draw_sequences(keyframes, strides, key)
    assert drawn.shape[1] == strides.pairs
    assert len(drawn) >= strides.naive(keyframes)
    assert (np.diff(drawn, axis=1) > 0).all()
    assert (drawn[:, -1] - drawn[:, 0] + 1 <= strides.span).all()
    assert ((drawn >= 0) & (drawn < keyframes)).all()
    assert worst(drawn) <= strides.shared


@settings(max_examples=25)
@given(keyframes=st.integers(0, 40), strides=STRIDES, key=st.integers(0, 2**64), epochs=st.integers(2, 4))
def test_epochs_never_repeat_a_sequence_and_each_is_valid(
    keyframes: int, strides: Strides, key: int, epochs: int
) -> None:
    taken: set[bytes] = set()
    seen: list[tuple[int, ...]] = []
    for epoch in range(epochs):
        drawn = draw_sequences(keyframes, strides, key + epoch, epoch, taken)
        assert worst(drawn) <= strides.shared
        seen += [tuple(row) for row in drawn.tolist()]
    assert len(set(seen)) == len(seen)


@settings(max_examples=25)
@given(strides=STRIDES, key=st.integers(0, 2**64))
def test_the_same_key_gives_the_same_and_another_gives_others(strides: Strides, key: int) -> None:
    first, again = draw_sequences(50, strides, key), draw_sequences(50, strides, key)
    assert np.array_equal(first, again)
    naive = strides.naive(50)
    other = draw_sequences(50, strides, key + 1)
    assert np.array_equal(first[:naive], other[:naive])
    if len(first) > naive + 5:
        assert not np.array_equal(first, other)


def test_the_same_sequences_on_every_machine() -> None:
    """Written down once: a change of numpy or of the code that moves them needs a new manifest version."""
    drawn = draw_sequences(40, Strides(4, 20, 1, 30), key=7)
    assert drawn[:2].tolist() == [[0, 1, 2, 3], [3, 4, 5, 6]]
    assert drawn[13:16].tolist() == [[13, 17, 20, 22], [18, 23, 25, 31], [2, 5, 7, 12]]
    assert len(drawn) == 57


@pytest.mark.parametrize("key", range(5))
def test_16_of_32_gives_exactly_two(key: int) -> None:
    """Three would need 3 x 16 - 3 x 4 = 36 keyframes; the naive windows give two as well."""
    strides = Strides(16, 32, shared_keyframes(16, 0.25), effort=500)
    assert len(draw_sequences(32, strides, key)) == 2 == strides.naive(32)


def test_the_default_span_gives_many_times_the_naive_number() -> None:
    strides = Strides(16, 160, 4, effort=50)
    drawn = draw_sequences(480, strides, 0)
    assert len(drawn) > 40 * strides.naive(480)


def test_strides_change_within_a_sequence_and_from_one_to_the_next() -> None:
    drawn = draw_sequences(400, Strides(8, 80, 2, effort=20), 3)
    naive = Strides(8, 80, 2, 0).naive(400)
    assert (np.diff(drawn[:naive], axis=1) == 1).all()
    steps = np.diff(drawn[naive:], axis=1)
    assert (steps.min(axis=1) < steps.max(axis=1)).mean() > 0.99
    spans = drawn[naive:, -1] - drawn[naive:, 0] + 1
    assert spans.min() < 30
    assert spans.max() > 70


def test_windows_move_on_with_the_epochs() -> None:
    strides = Strides(8, 80, 2, effort=0)
    firsts = [draw_sequences(30, strides, 0, epoch)[:, 0].tolist() for epoch in range(8)]
    assert firsts[:2] == [[0, 6, 12, 18], [1, 7, 13, 19]]
    assert firsts[5] == [5, 11, 17]
    assert firsts[6] == firsts[7] == []


@pytest.mark.parametrize(
    ("pairs", "overlap", "shared"), [(16, 0.25, 4), (8, 0.25, 2), (10, 0.25, 2), (100, 0.29, 29), (7, 0, 0)]
)
def test_the_bar_in_whole_keyframes(pairs: int, overlap: float, shared: int) -> None:
    assert shared_keyframes(pairs, overlap) == shared


@pytest.mark.parametrize(("keyframes", "naive"), [(15, 0), (16, 1), (27, 1), (28, 2), (1200, 99)])
def test_naive_is_the_number_of_windows_that_fit(keyframes: int, naive: int) -> None:
    assert Strides(16, 160, 4, 0).naive(keyframes) == naive
    assert len(draw_sequences(keyframes, Strides(16, 160, 4, 0), 0)) == naive
