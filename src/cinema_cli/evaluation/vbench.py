"""VBench's formulas over arrays that others make: embeddings, lengths of flow (paper, 4.1, Tables 1 and 2).

No weights and no film are known here.  Table 1 says VBench-2.0; its columns *Consistency* and *Dynamic* are
dimensions of the first VBench, and *Identity* of Table 2 is ``Human_Identity`` of the second.  The formulas
are those of the code of Vchitect/VBench, written anew; a docstring says where ours differ.

Shapes:  N frames of a clip, in order   K shots   D numbers of an embedding   H, W pixels
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.floating]
"""(N, D), one embedding a row; of any length, since cosines are taken."""

FASTEST = 0.05
"""The share of a picture's pixels whose flow is looked at (dynamic_degree)."""
MOVES = 6.0
"""Pixels between two frames, in a picture whose short side is 256, from where on a pair moves."""
MOVING_SHARE = 4 / 16
"""The share of a clip's frames that must move."""
FLOW_RATE = 8.0
"""Frames a second at which VBench looks at motion."""


def top_magnitude(flow: NDArray[np.floating]) -> float:
    """How far the fastest 5 % of the pixels go on average, in pixels (VBench, dynamic_degree).

    Args:
        flow: (H, W, 2), pixels to the right and down; H x W at least 20.
    """
    lengths = np.sort(np.linalg.norm(flow.astype(np.float64), axis=2).ravel())
    fastest = int(lengths.size * FASTEST)
    assert fastest > 0, flow.shape
    return float(lengths[-fastest:].mean())


def is_dynamic(top_magnitudes: Vectors, short_side: int, rate: float = FLOW_RATE) -> bool:
    """Whether a clip moves: in a quarter of its frames the fastest pixels go far (VBench, dynamic_degree).

    VBench calls a clip of one or two frames moving whatever it shows, since a quarter of them rounds to none;
    here one pair at least must move.

    Args:
        top_magnitudes: (N - 1,), the ``top_magnitude`` of each pair of frames.
        short_side: of the pictures that the flow was found in, in pixels.
        rate: frames a second between which it was found; below 8 more is wanted of a pair, as in VBench.
    """
    limit = max(1.0, FLOW_RATE / rate) * MOVES * short_side / 256
    frames = len(top_magnitudes) + 1
    return int((top_magnitudes > limit).sum()) >= max(1, round(MOVING_SHARE * frames))


def steadiness(frames: Vectors) -> NDArray[np.float64]:
    """How near each frame but the first is to the one before it and to the first (VBench).

    The formula of ``subject_consistency``, whose embeddings are DINO's, and ``background_consistency``, whose
    are CLIP's: the mean of both cosines, neither below 0.

    Args:
        frames: (N, D).

    Returns:
        (N - 1,), 0 to 1; VBench's score of a clip is the mean of it.
    """
    unit = _unit(frames)
    before = np.clip((unit[1:] * unit[:-1]).sum(axis=1), 0, None)
    first = np.clip(unit[1:] @ unit[0], 0, None)
    mean: NDArray[np.float64] = (before + first) / 2
    return mean


def consistency(clips: Sequence[NDArray[np.float64]]) -> float | None:
    """One score for many clips: the mean over all their frames, so a long clip counts more (VBench).

    Args:
        clips: the ``steadiness`` of each.

    Returns:
        0 to 1; none where no clip has two frames.
    """
    values = np.concatenate([*clips, np.zeros(0)])
    return float(values.mean()) if values.size else None


WITHIN = {"subject": 0.7, "background": 0.8}
"""How much the score within clips counts beside the one across them (VBench-Long with ``--dev_flag``,
slow_fast_params.yaml)."""


def long_consistency(within: float, across: float, share: float) -> float:
    """Within clips and across them, as VBench-Long weighs them for a long film.

    Across are the first frames of all clips, taken as one clip.  VBench-Long cuts a film into pieces of two
    seconds; here clips are shots.  It maps the score across them onto the scale of the other one, by a table
    that was measured for its own encoders (DINOv2, DreamSim); that is left out, so this is lower.
    """
    return share * within + (1 - share) * across


SAME_FACE = 0.4
"""Cosine from which on a face counts as the one in the first frame (VBench-2.0, Human_Identity)."""


def mean_pairwise(vectors: Vectors) -> float | None:
    """Mean cosine over all pairs of K vectors, -1 to 1; none of fewer than two."""
    unit = _unit(vectors)
    upper = np.triu_indices(len(unit), 1)
    return float((unit @ unit.T)[upper].mean()) if len(unit) > 1 else None


def mean_between(groups: Sequence[Vectors]) -> float | None:
    """Mean cosine over all pairs of vectors of different groups; none where there is one group at most."""
    unit = [_unit(group) for group in groups if len(group)]
    cosines = [(a @ b.T).ravel() for i, a in enumerate(unit) for b in unit[i + 1 :]]
    return float(np.concatenate(cosines).mean()) if cosines else None


def to_first(vectors: Vectors) -> NDArray[np.float64]:
    """(K - 1,): the cosine of each but the first with the first, as Human_Identity compares (VBench-2.0)."""
    unit = _unit(vectors)
    cosines: NDArray[np.float64] = unit[1:] @ unit[0]
    return cosines


def share_same(cosines: NDArray[np.float64], least: float = SAME_FACE) -> float | None:
    """The share of cosines that are at least ``least`` (VBench-2.0, Human_Identity); none of none."""
    return float((cosines >= least).mean()) if cosines.size else None


def alignment(words: Vectors, pictures: Vectors) -> NDArray[np.float64]:
    """(K,): the cosine of each caption with its own picture, -1 to 1; both (K, D)."""
    cosines: NDArray[np.float64] = (_unit(words) * _unit(pictures)).sum(axis=1)
    return cosines


def _unit(vectors: Vectors) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    assert (lengths > 0).all(), "a vector of length 0 has no direction"
    unit: NDArray[np.float64] = vectors / lengths
    return unit
