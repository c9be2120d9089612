import random

import numpy as np
import torch

from cinema_cli.training.randomness import library_states, restore_libraries, seed_libraries


def drawn() -> list[float]:
    return [
        random.random(),
        random.gauss(),
        np.random.rand(),
        np.random.randn(),
        float(torch.rand(())),
        float(torch.randn(())),
    ]


def test_states_come_back_in_the_middle_of_a_pair_of_normal_numbers():
    seed_libraries(5)
    drawn()
    states = library_states()
    expected = drawn()
    assert drawn() != expected
    restore_libraries(states)
    assert drawn() == expected


def test_a_seed_seeds_all_of_them():
    seed_libraries(3 << 40)
    first = drawn()
    seed_libraries(3 << 40)
    assert drawn() == first
    seed_libraries((3 << 40) + 1)
    assert all(a != b for a, b in zip(drawn(), first, strict=True))
