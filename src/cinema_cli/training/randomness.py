"""Randomness: every draw of a step is a function of the seed of its batch.

The loop hands a task the seed of a batch and a generator made from it.  What else draws (dropout, a library's
own choices) takes from the libraries' global states, so those are seeded from the batch as well: how many
processes there are, and whether a preview was drawn in between, then changes nothing.  The states are also
kept in checkpoints, for whatever draws outside of a batch.
"""

import random
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor


def seed_libraries(seed: int) -> None:
    """Seed the global states of Python, numpy and torch, on the CPU and on every GPU."""
    random.seed(seed)
    np.random.seed(seed % (1 << 32))
    torch.manual_seed(seed)


def library_states() -> dict[str, Tensor]:
    """The global states as tensors: Python and numpy hold a Mersenne twister each."""
    _, words, gauss = random.getstate()
    numpy = np.random.get_state(legacy=False)
    twister = numpy["state"]
    states = {
        "python": torch.tensor(words, dtype=torch.int64),
        "python_gauss": torch.tensor([] if gauss is None else [gauss], dtype=torch.float64),
        "numpy": torch.tensor([*twister["key"].tolist(), twister["pos"], numpy["has_gauss"]]),
        "numpy_gauss": torch.tensor([numpy["gauss"]], dtype=torch.float64),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def restore_libraries(states: Mapping[str, Tensor]) -> None:
    """Put back what :func:`library_states` returned."""
    gauss = states["python_gauss"].tolist()
    random.setstate((3, tuple(states["python"].tolist()), gauss[0] if gauss else None))
    *key, position, has_gauss = states["numpy"].tolist()
    np.random.set_state(
        ("MT19937", np.array(key, dtype=np.uint32), position, has_gauss, float(states["numpy_gauss"]))
    )
    torch.set_rng_state(states["torch"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
