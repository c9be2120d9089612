"""Reads set, time of day and framing from the colours of a frame alone.

For each of the 12 x 3 x 3 kinds of scenery a table holds how likely a colour is at a height in the
picture, counted once on a few drawn layouts.  A frame is of the kind under which its pixels are most
likely.  Every probability has a floor, so that puppets, noise and strokes of a model's fantasy cost
each kind the same, and the paints of the cast count for little.

Shapes:  K kinds of scenery   R rows and C columns of the reduced frame   B colour bins
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cinema_cli.theatre.palette import COATS_AND_HATS, INK
from cinema_cli.theatre.scenery import paint_scenery
from cinema_cli.theatre.world import SETS, SHOT_SIZES, TIMES, Place, SetName, ShotSize, TimeOfDay

ROWS, COLUMNS = 32, 64
_STEPS = 8
"""Colour bins to a channel."""
_LAYOUTS = 16
"""Layouts drawn per kind of scenery; seeds below zero, which no movie uses."""
_FLOOR = 0.3
"""Share of pixels that may be anything."""
_PAINT_WEIGHT = 0.25
"""What a pixel counts that has a colour of the cast."""

Kind = tuple[SetName, TimeOfDay, ShotSize]
KINDS: list[Kind] = [(name, time, framing) for name in SETS for time in TIMES for framing in SHOT_SIZES]


def reduce_frame(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The frame averaged down to (R, C, 3)."""
    small = Image.fromarray(frame).resize((COLUMNS, ROWS), Image.Resampling.BOX)
    return np.asarray(small, np.float32)


def _bins(pixels: NDArray[np.float32]) -> NDArray[np.intp]:
    """Colour bin of each pixel: (...)."""
    steps = pixels.astype(np.intp) * _STEPS // 256
    bins: NDArray[np.intp] = steps @ np.array([_STEPS**2, _STEPS, 1])
    return bins


@lru_cache(maxsize=1)
def _calibration() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Log-likelihoods (R, B, K) and mean pictures (K, R, C, 3), from drawn scenery."""
    logs = np.empty((ROWS, _STEPS**3, len(KINDS)), np.float32)
    means = np.empty((len(KINDS), ROWS, COLUMNS, 3), np.float32)
    for k, (name, time, framing) in enumerate(KINDS):
        pictures = [
            paint_scenery(Place(name, -1 - i), time, framing, (2 * COLUMNS, 2 * ROWS))[0].reduce(2)
            for i in range(_LAYOUTS)
        ]
        pixels = np.stack([np.asarray(picture, np.float32) for picture in pictures])
        means[k] = pixels.mean(0)
        counts = np.zeros((ROWS, _STEPS**3), np.float32)
        np.add.at(counts, (np.arange(ROWS)[None, :, None], _bins(pixels)), 1.0)
        counts /= _LAYOUTS * COLUMNS
        shares = _soften(counts.reshape(ROWS, _STEPS, _STEPS, _STEPS))
        logs[:, :, k] = np.log((1 - _FLOOR) * shares.reshape(ROWS, -1) + _FLOOR / _STEPS**3)
    return logs, means


def _soften(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Spreads counts to neighbouring rows and colours, for pictures that are a little off."""
    for axis in range(table.ndim):
        pad = [(1, 1) if i == axis else (0, 0) for i in range(table.ndim)]
        wide = np.pad(table, pad, mode="edge")
        size = table.shape[axis]
        before, after = np.take(wide, range(size), axis), np.take(wide, range(2, size + 2), axis)
        table = 0.6 * table + 0.2 * before + 0.2 * after
    return table


def kind_scores(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Log-likelihood of each of KINDS for a frame: (K,)."""
    logs, _ = _calibration()
    pixels = reduce_frame(frame)
    paints = np.array([*COATS_AND_HATS.values(), INK], np.float32)
    nearest = ((pixels[:, :, None] - paints) ** 2).sum(-1).min(-1)
    weights = np.where(nearest < 30.0**2, _PAINT_WEIGHT, 1.0).astype(np.float32)
    likelihoods = logs[np.arange(ROWS)[:, None], _bins(pixels)]
    scores: NDArray[np.float32] = np.einsum("rc,rck->k", weights, likelihoods)
    return scores


def mean_scenery(kind: int) -> NDArray[np.float32]:
    """The average drawn picture of a kind of scenery: (R, C, 3)."""
    mean: NDArray[np.float32] = _calibration()[1][kind]
    return mean
