"""The overlap of sequences: how many keyframes the worst two have in common (formats.md, Sequences).

It is counted again from the sequences alone, with nothing of ``stride.py``: whether they keep the bar must
not be believed of a file, nor of the code that wrote it.

Shapes:  A sequences of one film   K keyframes in a sequence
"""

import numpy as np
from numpy.typing import NDArray

from cinema_cli.errors import InputError
from cinema_cli.sampling.manifest import Manifest

ROWS = 256
"""Sequences compared with the others at once."""


def most_shared(sequences: NDArray[np.integer]) -> int:
    """The most keyframes that two of the sequences (A, K) of one film share."""
    rows = sequences[np.argsort(sequences[:, 0], kind="stable")].astype(np.int64)
    most = 0
    for start in range(0, len(rows), ROWS):
        block = rows[start : start + ROWS]
        low, high = int(block[0, 0]), int(block[:, -1].max())
        # Those before were compared already; those that begin behind the block share nothing with it.
        others = rows[start : int(np.searchsorted(rows[:, 0], high, side="right"))]
        shared = _held(block, low, high) @ _held(others, low, high).T
        shared[np.arange(len(block)), np.arange(len(block))] = 0  # each with itself
        most = max(most, int(shared.max()))
    return most


def _held(rows: NDArray[np.int64], low: int, high: int) -> NDArray[np.float32]:
    """One where a sequence holds a keyframe of low ... high, else zero: (rows, high - low + 1)."""
    held = np.zeros((len(rows), high - low + 2), np.float32)  # the last column takes what lies behind
    np.put_along_axis(held, np.minimum(rows - low, high - low + 1), 1, axis=1)
    return held[:, :-1]


def check_overlap(manifest: Manifest, where: str) -> None:
    """Compare every two sequences of every film.

    Raises:
        InputError: two of them share more than the bar allows.
    """
    for number, film in enumerate(manifest.header.films):
        found = most_shared(manifest.of_film(number)) if len(manifest.of_film(number)) else 0
        if found > manifest.header.shared:
            raise InputError(
                f"{where}: two sequences of {film.name} share {found} keyframes, at most "
                f"{manifest.header.shared} were wanted. Run `cinema sample` again."
            )
