"""Dynamic strided sequences of one movie (paper, 3.2 and 4.2), drawn greedily under a bar of overlap.

A sequence is a strictly increasing tuple of K of the movie's N kept keyframes that spans at most S of them.
Two sequences may share at most ``shared`` keyframes.  First come the naive windows of consecutive keyframes,
shifted by one keyframe with every epoch; then candidates with strides drawn at random:

* a window of K to S keyframes is drawn, wide ones more often: a stride of width / K on average;
* K keyframes are drawn within it, one after the other and in random order, so every stride has its jitter;
* a keyframe that would break the bar is never drawn.  An index from each keyframe to its sequences tells how
  many keyframes an accepted sequence shares with the candidate; once that is ``shared``, the rest of that
  sequence is out of reach.  A candidate that runs out of keyframes is given up.

So nearly every candidate is accepted while there is room, where blind ones are nearly all refused.  All
randomness is the raw output of the Philox counter, which numpy promises to keep, and all arithmetic is on
whole numbers: the same seed gives the same sequences on every machine.

Shapes:  A sequences accepted   B candidates drawn at once   K keyframes in a sequence   W widest window
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Philox
from numpy.typing import NDArray

Integers = NDArray[np.int32]

TOGETHER = 64
"""Candidates drawn at once: more is hardly faster, and they know of each other only afterwards."""

TAKEN = np.int32(2**31 - 1)
"""The key of a keyframe that may not be drawn; keys of the others are below it."""


@dataclass(frozen=True)
class Strides:
    """What a sequence is, and how hard to look for them."""

    pairs: int
    """Keyframes in a sequence (K)."""
    span: int
    """Last minus first plus one, at most (S)."""
    shared: int
    """Keyframes that two sequences may share."""
    effort: int
    """Candidates for every naive sequence of the movie."""

    def naive(self, keyframes: int) -> int:
        """How many windows of consecutive keyframes fit under the same bar."""
        step = self.pairs - self.shared
        return (keyframes - self.pairs) // step + 1 if keyframes >= self.pairs else 0


def shared_keyframes(pairs: int, overlap: float) -> int:
    """Keyframes that two sequences may share: the largest number whose share of K is within ``overlap``."""
    return int(overlap * pairs + 1e-9)  # 0.29 x 100 is 28.999999999999996 in floating point


def draw_sequences(
    keyframes: int, strides: Strides, key: int, epoch: int = 0, taken: set[bytes] | None = None
) -> Integers:
    """Sequences (A, K) of a movie of so many kept keyframes, the same for the same ``key`` and epoch.

    Those in ``taken`` are not given again, and the new ones are put in.
    """
    taken = set() if taken is None else taken
    accepted = Accepted(keyframes, strides.pairs)
    if keyframes < strides.pairs:
        return accepted.sequences
    accepted.add(_fresh(_windows(keyframes, strides, epoch), taken))
    random = Philox(key=key)
    for _ in range(-(-strides.effort * strides.naive(keyframes) // TOGETHER)):
        candidates = _draw(random, accepted, strides)
        accepted.add(_fresh(_apart(candidates, keyframes, strides.shared), taken))
    return accepted.sequences


class Accepted:
    """The sequences so far, and the index from each keyframe to those that hold it."""

    def __init__(self, keyframes: int, pairs: int) -> None:
        """Nothing is accepted yet."""
        self.keyframes = keyframes
        self.count = 0
        self._sequences = np.zeros((256, pairs), np.int32)
        self._holders = np.full((keyframes, 16), -1, np.int32)
        self.held = np.zeros(keyframes, np.int32)
        """In how many sequences each keyframe is."""

    @property
    def sequences(self) -> Integers:
        """All of them (A, K), in the order in which they were accepted."""
        return self._sequences[: self.count]

    def holders(self, frames: Integers) -> Integers:
        """For each of some keyframes (B) the sequences that hold it (B, most), filled up with -1."""
        return self._holders[frames, : self.held[frames].max()]

    def add(self, sequences: Integers) -> None:
        """Take more of them (any, K) in."""
        while self.count + len(sequences) > len(self._sequences):
            self._sequences = np.concatenate([self._sequences, np.zeros_like(self._sequences)])
        self._sequences[self.count : self.count + len(sequences)] = sequences
        for sequence in sequences:
            places = self.held[sequence]
            if places.max() == self._holders.shape[1]:
                self._holders = np.concatenate([self._holders, np.full_like(self._holders, -1)], axis=1)
            self._holders[sequence, places] = self.count
            self.held[sequence] = places + 1
            self.count += 1


def _windows(keyframes: int, strides: Strides, epoch: int) -> Integers:
    """Windows of consecutive keyframes; after as many epochs as a window has new keyframes there are none."""
    step = strides.pairs - strides.shared
    first = np.arange(epoch, keyframes - strides.pairs + 1, step) if epoch < step else np.arange(0)
    return np.asarray(first[:, None] + np.arange(strides.pairs), np.int32)


def _draw(random: Philox, accepted: Accepted, strides: Strides) -> Integers:
    """Candidates (at most B, K), sorted, each within the bar of everything accepted."""
    widest = min(strides.span, accepted.keyframes)
    first, keys = _draw_windows(random, accepted, strides.pairs, widest)
    candidate = np.arange(TOGETHER, dtype=np.int32)
    shares = np.zeros((TOGETHER, accepted.count + 1), np.min_scalar_type(strides.pairs))
    flat = shares.reshape(-1)  # the last column takes what the filling -1 adds
    drawn = np.zeros((TOGETHER, strides.pairs), np.int32)
    alive = np.ones(TOGETHER, bool)
    if strides.shared == 0:
        inside = np.minimum(first[:, None] + np.arange(widest + 1), accepted.keyframes - 1)
        keys[accepted.held[inside] > 0] = TAKEN
    for number in range(strides.pairs):
        column = keys.argmin(axis=1).astype(np.int32)
        alive &= keys[candidate, column] != TAKEN
        keys[candidate, column] = TAKEN
        frames = first + column
        drawn[:, number] = frames
        if strides.shared == 0 or number == strides.pairs - 1:
            continue
        holders = accepted.holders(frames)
        cells = candidate[:, None] * shares.shape[1] + holders
        now = flat[cells] + 1
        flat[cells] = now
        if number + 1 >= strides.shared:
            _take_out(keys, first, accepted.sequences, holders, (now == strides.shared) & (holders >= 0))
    return np.sort(drawn[alive], axis=1)


def _draw_windows(
    random: Philox, accepted: Accepted, pairs: int, widest: int
) -> tuple[Integers, NDArray[np.int32]]:
    """First keyframes (B) and random keys (B, W + 1); outside a window the key is ``TAKEN``."""
    # The larger of two draws: the room for sequences grows faster than the width.
    width = pairs + _below(random, np.full((2, TOGETHER), widest - pairs + 1, np.int32)).max(axis=0)
    first = _below(random, accepted.keyframes - width + 1)
    raw = random.random_raw(TOGETHER * (widest + 1)) >> np.uint64(33)
    keys = np.minimum(raw.astype(np.int32), TAKEN - 1).reshape(TOGETHER, widest + 1)
    keys[np.arange(widest + 1) >= width[:, None]] = TAKEN
    return first, keys


def _take_out(
    keys: NDArray[np.int32], first: Integers, sequences: Integers, holders: Integers, full: NDArray[np.bool]
) -> None:
    """Put the keyframes of those holders (B, most) that share all they may out of reach."""
    candidate, place = np.nonzero(full)
    columns = sequences[holders[candidate, place]] - first[candidate, None]
    # What lies before the window is negative, so as an unsigned number it lies behind it: the last column.
    columns = np.minimum(columns.view(np.uint32), np.uint32(keys.shape[1] - 1)).astype(np.int32)
    keys.reshape(-1)[columns + candidate.astype(np.int32)[:, None] * keys.shape[1]] = TAKEN


def _apart(candidates: Integers, keyframes: int, shared: int) -> Integers:
    """Those of the candidates that are within the bar of each other too, the earlier before the later."""
    held = np.zeros((len(candidates), keyframes), np.float32)
    np.put_along_axis(held, candidates, 1, axis=1)
    overlaps = held @ held.T
    chosen: list[int] = []
    for number in range(len(candidates)):
        if not chosen or overlaps[number, chosen].max() <= shared:
            chosen.append(number)
    return candidates[chosen]


def _fresh(sequences: Integers, taken: set[bytes]) -> Integers:
    """Those that no earlier epoch had; they are noted."""
    keys = [row.tobytes() for row in sequences.astype("<u2")]
    fresh = [number for number, key in enumerate(keys) if key not in taken]
    taken.update(keys)
    return sequences[fresh]


def _below(random: Philox, limits: Integers) -> Integers:
    """A whole number from 0 up to each limit, which is left out."""
    return (random.random_raw(limits.shape) % limits.astype(np.uint64)).astype(np.int32)
