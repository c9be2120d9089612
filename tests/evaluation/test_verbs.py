from dataclasses import replace

import numpy as np
import pytest

from cinema_cli.evaluation import verbs
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.world import Place, StagedShot
from staged import movie_shot


@pytest.mark.parametrize("action", ["stands", "walks", "waves", "jumps"])
def test_the_verb_is_read_off_the_motion_alone(action):
    mira, bo = movie_shot(("Mira", "red", "blue"), ("Bo", "green", "white")).staged.figures
    staged = StagedShot(Place("beach", 1), "day", "medium", (replace(mira, action=action), bo))
    clip = verbs.true_clip(staged, 9)
    assert verbs.read_action(clip, staged, 0) == action
    assert verbs.read_action(clip, staged, 1) == "stands"
    assert verbs.read_action(np.repeat(clip[:1], 9, axis=0), staged, 0) == "stands"


def test_a_look_that_changes_once_does_not_hold():
    shot = movie_shot(("Mira", "red", "blue"))
    other = movie_shot(("Mira", "red", "green"))
    clip = verbs.true_clip(shot.staged, 3)
    assert verbs.look_through(shot, clip) == {"coat clip": [1.0], "hat clip": [1.0]}
    clip[2] = draw_frame(other.staged)
    assert verbs.look_through(shot, clip) == {"coat clip": [1.0], "hat clip": [0.0]}
    assert verbs.look_through(movie_shot(), clip) == {}
