from dataclasses import replace
from random import Random

import numpy as np
import pytest

from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.read_frame import accuracy, random_shot, read_frame, same_layout
from cinema_cli.theatre.world import Figure, Place, Puppet, StagedShot

MIRA = Puppet("Mira", coat="green", hat="orange", hat_shape="tall", skin="dark", build="tall")
PIP = Puppet("Pip", coat="white", hat="purple", hat_shape="round", skin="pale", build="short", prop="dog")
PAIR = (Figure(PIP, "left", "right", "waves"), Figure(MIRA, "right", "left", "stands"))


def test_its_own_accuracy_on_drawn_frames() -> None:
    shares = accuracy(300, seed=11)
    for fact in ("set", "time", "size", "count", "position", "coat", "hat", "hat_shape", "skin"):
        assert shares[fact] >= 0.99, (fact, shares)
    assert shares["facing"] >= 0.95
    assert shares["build"] >= 0.8


def test_a_blurred_and_noisy_frame_reads_nearly_as_well() -> None:
    shares = accuracy(60, seed=12, blur=1.0, noise=8.0)
    for fact in ("set", "time", "size", "coat", "hat", "position"):
        assert shares[fact] >= 0.96, (fact, shares)


def test_reading_is_a_function_of_the_pixels() -> None:
    frame = draw_frame(StagedShot(Place("harbour", 5), "sunset", "medium", PAIR))
    assert read_frame(frame) == read_frame(frame.copy())


def test_two_figures_are_read_from_left_to_right_at_any_size() -> None:
    frame = draw_frame(StagedShot(Place("city", 5), "night", "wide", PAIR[::-1]), size=(400, 800))
    reading = read_frame(frame)
    assert (reading.set, reading.time, reading.size) == ("city", "night", "wide")
    assert [(f.position, f.coat, f.hat) for f in reading.figures] == [
        ("left", "white", "purple"),
        ("right", "green", "orange"),
    ]


def test_nobody_is_read_as_nobody() -> None:
    for layout in range(6):
        assert read_frame(draw_frame(StagedShot(Place("snowfield", layout), "day", "wide"))).figures == ()


def test_a_walker_and_a_jumper_are_followed_through_a_clip() -> None:
    walk = StagedShot(Place("farm", 1), "day", "wide", (Figure(MIRA, "left", "right", "walks"),))
    readings = [read_frame(draw_frame(walk, i / 4), 1).figures[0] for i in range(9)]
    assert {(r.coat, r.hat) for r in readings} == {("green", "orange")}
    assert readings[-1].x - readings[0].x == pytest.approx(0.22, abs=0.03)
    hop = StagedShot(Place("farm", 1), "day", "wide", (Figure(MIRA, "left", "right", "jumps"),))
    rises = [read_frame(draw_frame(hop, i / 4), 1).figures[0].rise for i in range(9)]
    assert max(rises) - min(rises) > 0.06


def test_the_same_layout_is_told_from_another() -> None:
    random = Random(4)
    for _ in range(20):
        shot = random_shot(random)
        frame = draw_frame(shot)
        back = draw_frame(replace(random_shot(random), place=shot.place, time=shot.time, size=shot.size), 0.5)
        other = draw_frame(replace(shot, place=replace(shot.place, layout=shot.place.layout + 1)))
        assert same_layout(frame, back) > same_layout(frame, other)
    assert same_layout(frame, np.copy(frame)) == 1.0
