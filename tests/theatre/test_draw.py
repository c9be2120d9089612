from dataclasses import replace
from itertools import combinations
from random import Random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cinema_cli.errors import InputError
from cinema_cli.theatre.draw import POSITIONS, draw_frame
from cinema_cli.theatre.indoors import INDOORS
from cinema_cli.theatre.palette import COATS_AND_HATS
from cinema_cli.theatre.pen import Pen
from cinema_cli.theatre.puppets import WALK
from cinema_cli.theatre.scenery import paint_scenery
from cinema_cli.theatre.towns import TOWNS
from cinema_cli.theatre.wilds import WILDS
from cinema_cli.theatre.world import (
    ACTIONS,
    COLOURS,
    SETS,
    SHOT_SIZES,
    TIMES,
    Action,
    Figure,
    Place,
    Puppet,
    ShotSize,
    StagedShot,
)

MIRA = Puppet("Mira", coat="red", hat="blue", hat_shape="pointed", skin="tan", build="tall")
FOREST = Place("forest", 7)


def shot(action: Action = "stands", size: ShotSize = "wide", puppet: Puppet = MIRA) -> StagedShot:
    return StagedShot(FOREST, "day", size, (Figure(puppet, "middle", "right", action),))


def coat_centre(staged: StagedShot, seconds: float) -> tuple[float, float]:
    """Mean column and row of the red of the coat, in pixels."""
    red = np.abs(draw_frame(staged, seconds).astype(int) - COATS_AND_HATS["red"]).sum(-1) < 40
    rows, columns = np.nonzero(red)
    return float(columns.mean()), float(rows.mean())


def test_the_same_arguments_give_the_same_pixels() -> None:
    first = draw_frame(shot("waves"), 0.5)
    draw_frame(StagedShot(Place("castle", 1), "night", "close-up"))
    np.testing.assert_array_equal(first, draw_frame(shot("waves"), 0.5))
    assert first.shape == (128, 256, 3)
    assert first.dtype == np.uint8


def test_a_larger_frame_shows_the_same() -> None:
    large = draw_frame(shot(), size=(512, 1024)).reshape(128, 4, 256, 4, 3).mean((1, 3))
    assert np.abs(large - draw_frame(shot())).mean() < 4


@pytest.mark.parametrize("size", [(128, 128), (0, 0), (256, 128)])
def test_another_shape_of_frame_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="twice as wide as high"):
        draw_frame(shot(), size=size)


def test_colours_of_the_cast_are_far_apart() -> None:
    assert set(COATS_AND_HATS) == set(COLOURS)
    for a, b in combinations(COATS_AND_HATS.values(), 2):
        assert np.linalg.norm(np.subtract(a, b)) > 95


@pytest.mark.parametrize("name", SETS)
def test_a_place_is_its_layout(name: str) -> None:
    here, there = (
        [draw_frame(StagedShot(Place(name, layout), "day", size)) for size in SHOT_SIZES] for layout in (1, 2)
    )
    again, _ = paint_scenery(Place(name, 1), "day", "wide", (512, 256))
    np.testing.assert_array_equal(here[0], np.asarray(again.reduce(2)))
    for a, b in zip(here, there, strict=True):
        assert (np.abs(a.astype(int) - b).sum(-1) > 60).mean() > 0.05


@pytest.mark.parametrize("backdrop", [*WILDS.values(), *TOWNS.values(), *INDOORS.values()])
def test_the_hour_never_moves_the_scenery(backdrop) -> None:
    ends = []
    for time in TIMES:
        random = Random(3)
        backdrop(Pen(ImageDraw.Draw(Image.new("RGB", (64, 32))), 32, 32, 0, 0), time, random)
        ends.append(random.random())
    assert len(set(ends)) == 1


def test_times_of_day_look_unlike() -> None:
    for name in SETS:
        frames = [draw_frame(StagedShot(Place(name, 4), time, "wide")).astype(int) for time in TIMES]
        for a, b in combinations(frames, 2):
            assert np.abs(a - b).sum(-1).mean() > 60, name


def test_a_stage_lamp_keeps_the_coat_at_night() -> None:
    day, night = (draw_frame(replace(shot(), time=time)) for time in ("day", "night"))
    np.testing.assert_array_equal(day[85, 122], COATS_AND_HATS["red"])
    np.testing.assert_array_equal(night[85, 122], COATS_AND_HATS["red"])


@pytest.mark.parametrize("position", POSITIONS)
def test_positions(position) -> None:
    staged = StagedShot(FOREST, "day", "wide", (Figure(MIRA, position, "right", "stands"),))
    assert coat_centre(staged, 0.0)[0] / 256 == pytest.approx(POSITIONS[position], abs=0.02)


@pytest.mark.parametrize(("facing", "sign"), [("left", -1), ("right", 1)])
def test_a_walk_goes_where_it_faces(facing, sign: int) -> None:
    staged = StagedShot(FOREST, "day", "wide", (Figure(MIRA, "middle", facing, "walks"),))
    steps = np.diff([coat_centre(staged, i / 4)[0] for i in range(9)])
    assert (sign * steps > 3).all()
    assert sign * steps.sum() / 256 == pytest.approx(WALK, abs=0.02)


def test_a_jump_hops_twice_and_lands() -> None:
    rows = np.array([coat_centre(shot("jumps"), i / 8)[1] for i in range(17)])
    height = rows[0] - rows
    assert height.max() > 8
    assert sum(height[1:-1][(height[1:-1] > height[:-2]) & (height[1:-1] >= height[2:])] > 8) == 2
    assert abs(height[-1]) < 1


def test_standing_keeps_still_and_waving_moves_an_arm() -> None:
    moved = {}
    for action in ("stands", "waves"):
        x0, y0 = coat_centre(shot(action), 0.0)
        x, y = coat_centre(shot(action), 0.375)
        assert abs(x - x0) < 2, action
        assert abs(y - y0) < 2, action
        frames = np.stack([draw_frame(shot(action, "medium"), i / 8) for i in range(9)]).astype(int)
        beside = frames[:, 30:75, 150:190]
        moved[action] = np.ptp(beside, axis=0).sum()
    assert moved["waves"] > 20 * max(1, moved["stands"])


def test_actions_differ_in_the_first_frame() -> None:
    for a, b in combinations(ACTIONS, 2):
        apart = draw_frame(shot(a)).astype(int) - draw_frame(shot(b))
        assert (np.abs(apart).sum(-1) > 90).sum() > 100, (a, b)


@pytest.mark.parametrize("prop", ["lantern", "umbrella", "balloon", "dog"])
@pytest.mark.parametrize("size", SHOT_SIZES)
def test_a_prop_is_seen(prop, size: ShotSize) -> None:
    without, held = draw_frame(shot(size=size)), draw_frame(shot(size=size, puppet=replace(MIRA, prop=prop)))
    assert (np.abs(held.astype(int) - without).sum(-1) > 60).sum() > 100
