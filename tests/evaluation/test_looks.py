import numpy as np
import pytest

from cinema_cli.evaluation import looks
from cinema_cli.theatre.draw import draw_frame
from staged import movie_shot


def test_the_truth_is_seen_right_and_a_wrong_picture_wrong():
    two = movie_shot(("Ada", "red", "blue"), ("Bo", "green", "white"), described=("Ada",))
    swapped = movie_shot(("Bo", "green", "white"), ("Ada", "red", "blue"))
    right, wrong = looks.see(two, draw_frame(two.staged)), looks.see(two, draw_frame(swapped.staged))
    assert right.scenery == {"set": True, "time": True, "size": True}
    assert looks.look_at_puppets([right], "named", looks.is_named_only) == {
        "coat named": [1.0],
        "hat named": [1.0],
    }
    assert looks.look_at_puppets([wrong], "x", lambda shot, figure: True)["coat x"] == [0.0, 0.0]
    assert looks.look_at_two([right, wrong], "two") == {"two": [1.0, 0.0]}


def test_a_figure_that_is_not_found_counts_as_wrong():
    two = movie_shot(("Ada", "red", "blue"), ("Bo", "green", "white"))
    seen = looks.see(two, np.full((128, 256, 3), 128, np.uint8))
    assert len(seen.coats) == len(seen.hats) == len(seen.positions) == 2
    assert looks.look_at_two([seen], "two") == {"two": [0.0]}


def test_a_place_is_compared_with_its_first_frame():
    mira = ("Mira", "red", "blue")
    shots = [
        movie_shot(mira),
        movie_shot(mira, layout=2),
        movie_shot(mira, size="medium"),
        movie_shot(),
        movie_shot(mira, ("Bo", "green", "white")),
    ]
    frames = np.stack([draw_frame(shot.staged) for shot in shots])
    assert looks.look_at_places(shots, frames) == {"place 1-3": [1.0]}
    assert looks.look_at_places(shots, frames, " memory", first=4) == {}
    frames[3] = draw_frame(movie_shot(layout=7).staged)
    assert looks.look_at_places(shots, frames) == {"place 1-3": [0.0]}
    assert [looks.gap_class(n) for n in (0, 1, 3, 4, 7, 8)] == ["0", "1-3", "1-3", "4-7", "4-7", "8+"]


def test_psnr():
    black = np.zeros((2, 4, 4, 3), np.uint8)
    other = black.copy()
    other[1] = 51
    assert looks.psnr(other, black) == pytest.approx([99.0, 20 * np.log10(5)])
