from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from cinema_cli.ffmpeg import Frame, encode, probe
from cinema_cli.footage.borders import LOOKS, PictureConfig, cut_to_shape, find_picture, kept_size
from drawn_movies import RATE, run_ffmpeg, scene

FRAME = (160, 240)


def boxed(picture: Frame, top: int, left: int, size: tuple[int, int] = FRAME) -> Frame:
    frame = np.zeros((*size, 3), dtype=np.uint8)
    frame[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return frame


def written(path: Path, frames: list[Frame]) -> Path:
    encode(frames, path, RATE, gop=1)
    return path


@pytest.mark.parametrize(
    ("top", "left", "size"), [(20, 0, (120, 240)), (0, 30, (160, 180)), (10, 14, (140, 212)), (0, 0, FRAME)]
)
def test_borders_on_any_side_are_found(tmp_path: Path, top: int, left: int, size: tuple[int, int]) -> None:
    frames = [boxed(scene(seed, size), top, left) for seed in range(6)]
    path = written(tmp_path / "a.mp4", frames)
    assert find_picture(path, probe(path)) == (top, left, *size)


def test_dark_frames_and_a_logo_do_not_mislead(tmp_path: Path) -> None:
    frames = [boxed(scene(seed, (120, 240)), 20, 0) for seed in range(30)]
    frames[3] = scene(99, FRAME)  # a distributor's logo fills the frame
    for dark in (7, 8, 9):
        frames[dark] = boxed(scene(dark, (40, 60)), 60, 90)  # a lamp in the night
    frames[12] = np.zeros((*FRAME, 3), dtype=np.uint8)
    path = written(tmp_path / "a.mp4", frames)
    assert find_picture(path, probe(path)) == (20, 0, 120, 240)


def test_a_long_movie_is_looked_at_here_and_there(tmp_path: Path) -> None:
    frames = [boxed(scene(seed % 9, (120, 240)), 20, 0) for seed in range(4 * LOOKS)]
    path = written(tmp_path / "a.mp4", frames)
    assert len(probe(path).keys) == 4 * LOOKS
    assert find_picture(path, probe(path)) == (20, 0, 120, 240)


def test_where_all_is_dark_nothing_is_claimed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mp4", [np.zeros((*FRAME, 3), dtype=np.uint8)] * 5)
    assert find_picture(path, probe(path)) is None
    spark = written(tmp_path / "b.mp4", [boxed(np.full((20, 20, 3), 255, np.uint8), 70, 100)] * 5)
    assert find_picture(spark, probe(spark)) is None


def test_the_keyframes_of_a_transport_stream_are_found_too(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mp4", [boxed(scene(seed % 9, (120, 240)), 20, 0) for seed in range(100)])
    run_ffmpeg("-i", str(path), "-c", "copy", str(tmp_path / "a.ts"))
    assert find_picture(tmp_path / "a.ts", probe(tmp_path / "a.ts")) == (20, 0, 120, 240)


def test_the_middle_is_cut_to_two_by_one() -> None:
    config = PictureConfig()
    assert cut_to_shape((138, 0, 804, 1920), Fraction(1), config) == (138, 156, 804, 1608)
    assert cut_to_shape((0, 0, 1080, 1920), Fraction(1), config) == (60, 0, 960, 1920)
    assert kept_size((60, 0, 960, 1920), Fraction(1), config) == (400, 800)


def test_pixels_that_are_not_square_are_counted_as_shown() -> None:
    # A DVD: 720 x 576 pixels shown as 16:9.
    box = cut_to_shape((0, 0, 576, 720), Fraction(64, 45), PictureConfig())
    assert box == (32, 0, 512, 720)
    assert Fraction(720 * 64, 45) / 512 == 2


def test_fit_keeps_the_movies_own_shape() -> None:
    config = PictureConfig(shape="fit", short_side=200)
    assert cut_to_shape((138, 0, 804, 1920), Fraction(1), config) == (138, 0, 804, 1920)
    assert kept_size((138, 0, 804, 1920), Fraction(1), config) == (200, 478)
    assert kept_size((0, 0, 1920, 1080), Fraction(1), config) == (356, 200)
    assert kept_size((0, 0, 576, 720), Fraction(64, 45), config) == (200, 356)
