from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from cinema_cli.ffmpeg import Frame, encode
from cinema_cli.footage.shots import CutFinder, Moment, ShotConfig, find_shots
from drawn_movies import RATE, SIZE, dissolve, movie, run_ffmpeg, scene, shot, write


def cuts(frames: Iterator[Frame], config: ShotConfig) -> list[int]:
    """Numbers of the frames that begin a shot, frames being fed as they are."""
    finder = CutFinder(config, RATE)
    found: list[Moment] = []
    number = -1
    for number, frame in enumerate(frames):
        found += finder.feed(Moment(number, number / RATE), np.ascontiguousarray(frame[:, :, ::-1]))
    found += finder.finish((number + 1) / RATE)
    return [moment.number for moment in found]


@pytest.mark.parametrize("detector", ["adaptive", "content", "histogram", "jump"])
def test_hard_cuts_are_found_at_their_very_frame(detector: str) -> None:
    config = ShotConfig(detector=detector, also=())
    assert cuts(movie([30, 24, 41, 30]), config) == [30, 54, 95]


def test_a_file_is_read_whole_and_its_times_are_exact(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", [30, 24, 41])
    found = find_shots(path)
    assert [start.number for start, _ in found] == [0, 30, 54]
    assert [start.time for start, _ in found] == [0, Fraction(30, 24), Fraction(54, 24)]
    assert [end for _, end in found] == [Fraction(30, 24), Fraction(54, 24), Fraction(95, 24)]


def jumping() -> Iterator[Frame]:
    """One place, in which a figure walks, and is elsewhere after frame 40."""
    for number in range(80):
        frame = scene(5)
        left = 20 + 2 * number if number < 40 else 20 + 2 * (80 - number) + 40
        frame[60:90, left : left + 14] = (250, 240, 30)
        yield frame


def test_a_cut_within_one_framing_needs_the_second_look() -> None:
    assert cuts(jumping(), ShotConfig(also=())) == []
    assert cuts(jumping(), ShotConfig()) == [40]


def panning() -> Iterator[Frame]:
    """A camera that moves over a wide scene, with noise, and no cut."""
    wide, rng = scene(8, (SIZE[0], 4 * SIZE[1])), np.random.default_rng(0)
    for number in range(100):
        left = round(number * number / 20) % (3 * SIZE[1])
        noise = rng.integers(-9, 10, (*SIZE, 3))
        yield np.clip(wide[:, left : left + SIZE[1]].astype(int) + noise, 0, 255).astype(np.uint8)


def test_movement_of_the_camera_and_noise_are_no_cut() -> None:
    assert cuts(panning(), ShotConfig()) == []


def test_a_flash_is_no_jump() -> None:
    frames = list(shot(3, 60))
    frames[30] = np.full_like(frames[30], 255)
    assert cuts(iter(frames), ShotConfig(detector="jump", also=())) == []


def test_a_dissolve_escapes_the_default_and_not_the_histogram() -> None:
    frames = list(chain(shot(11, 40), dissolve(11, 22, 24), shot(22, 40)))
    assert cuts(iter(frames), ShotConfig()) == []
    found = cuts(iter(frames), ShotConfig(also=("histogram",)))
    assert len(found) >= 1
    assert all(40 <= cut <= 64 for cut in found)


def test_a_fade_through_black_is_cut_in_its_middle() -> None:
    dark = [(scene(4) * share).astype(np.uint8) for share in np.linspace(1, 0, 20)]
    bright = [(scene(9) * share).astype(np.uint8) for share in np.linspace(0, 1, 20)]
    found = cuts(chain(shot(4, 30), dark, bright, shot(9, 30)), ShotConfig(detector="threshold", also=()))
    assert found == [50]


def test_no_shot_is_shorter_than_asked_not_even_the_last() -> None:
    assert cuts(movie([30, 8, 30, 8]), ShotConfig()) == [30]
    assert cuts(movie([30, 8, 30, 8]), ShotConfig(min_seconds=0.25)) == [30, 38, 68]


def test_a_certain_cut_stands_against_a_possible_one_beside_it() -> None:
    finder = CutFinder(ShotConfig(also=("histogram",)), RATE)
    found = []
    for number, frame in enumerate(movie([30, 60])):
        found += finder.feed(Moment(number, number / RATE), frame)
        if number == 31:
            finder._possible.append(Moment(25, 25 / RATE))  # as if the histogram had seen it a little earlier
    found += finder.finish(90 / RATE)
    assert [cut.number for cut in found] == [30]


def test_times_of_a_variable_rate_are_kept(tmp_path: Path) -> None:
    encode(movie([30, 30]), tmp_path / "a.mp4", RATE)
    uneven = "settb=1/1000,setpts=41*N+15*mod(N\\,3)"
    options = ("-fps_mode", "passthrough", "-enc_time_base", "1/1000")
    run_ffmpeg("-i", str(tmp_path / "a.mp4"), "-vf", uneven, *options, str(tmp_path / "vfr.mkv"))
    found = find_shots(tmp_path / "vfr.mkv")
    assert [start.time for start, _ in found] == [0, Fraction(41 * 30, 1000)]
    assert found[1][0].number == 30


def on_threes() -> Iterator[Frame]:
    """Animation of eight pictures a second, each shown three times: a figure leaps on, and a cut at 60."""
    for number in range(120):
        frame = scene(5 if number < 60 else 9)
        left = 10 + 9 * (number // 3 % 20)
        frame[60:90, left : left + 30] = (250, 240, 30)
        yield frame


def test_pictures_that_are_held_are_no_cuts() -> None:
    assert cuts(on_threes(), ShotConfig(also=())) == [60]
    assert cuts(on_threes(), ShotConfig()) == [60]
