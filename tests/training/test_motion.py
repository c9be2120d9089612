"""What moves in a clip, and what it counts."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import random_shot
from cinema_cli.theatre.world import CLIP_RATE
from cinema_cli.training.motion import motion, motion_weights


def test_motion_is_what_changes_from_frame_to_frame():
    clip = torch.zeros(3, 4, 8, 3, dtype=torch.uint8)
    clip[1, 0, 6, 1] = 255  # there and away again: the first frame and the last are alike
    moved = motion(clip, (2, 4))
    assert moved[0, 3] == pytest.approx(1 / 4)  # one pixel of four, in both steps
    assert moved.sum() == moved[0, 3]
    assert torch.equal(motion(clip[:1], (2, 4)), torch.zeros(2, 4))


def test_an_arm_that_waves_moves_although_all_its_latent_frames_are_alike():
    """It swings once in four frames, so every latent frame of a clip shows the same."""
    shot = next(s for s in (random_shot(random.Random(i))[0] for i in range(99)) if len(s.figures) == 1)

    def drawn(action):
        figures = (replace(shot.figures[0], action=action),)
        acted = replace(shot, figures=figures)
        return torch.from_numpy(np.stack([draw_frame(acted, i / CLIP_RATE) for i in range(17)]))

    def spread(clip):  # of the same four frames over the clip
        return (clip[1:].unflatten(0, (4, 4)) / 255).var(dim=0).mean()

    waves, stands = drawn("waves"), drawn("stands")
    assert spread(waves) < 1.1 * spread(stands)
    assert motion(waves, (8, 16)).sum() > 1.4 * motion(stands, (8, 16)).sum()


def test_what_moves_counts_more_and_a_shot_as_much_as_another():
    moved = torch.zeros(1, 2, 2, 2)
    moved[0, 1, 0, 1] = 0.2  # only the second shot moves, and only there
    weights = motion_weights(moved, 4.0)
    assert weights.shape == (1, 2, 1, 1, 2, 2)
    assert torch.equal(weights[0, 0], torch.ones(1, 1, 2, 2))
    (still, moving), (below, beside) = weights[0, 1, 0, 0].tolist()
    assert still == below == beside
    assert moving / still == pytest.approx(1 + 3 * 4 / 5)  # it moves four times as much as the mean
    assert weights[0, 1].mean() == pytest.approx(1)
    assert torch.equal(motion_weights(moved, 1.0), torch.ones(1, 2, 1, 1, 2, 2))
