import cv2
import numpy as np
import pytest

from cinema_cli.ffmpeg import Frame
from cinema_cli.footage.quality import Judge, QualityConfig, blurredness
from drawn_movies import scene


def reasons(picture: Frame, blend: float | None = None, judge: Judge | None = None) -> list[str]:
    return [flag.reason for flag in (judge or Judge(QualityConfig())).flags("0001", picture, blend)]


def soft(picture: Frame, sigma: float) -> Frame:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), dtype=np.uint8)


def grey(picture: Frame) -> np.ndarray:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


PICTURE = scene(3, (400, 800))


def test_a_good_picture_has_no_flag() -> None:
    assert reasons(PICTURE) == []


def test_near_black_and_near_white_are_flagged_and_night_is_not() -> None:
    assert reasons(PICTURE // 20) == ["near-black"]
    assert reasons(255 - PICTURE // 20) == ["near-white"]
    assert reasons(PICTURE // 5) == []
    titles = np.zeros_like(PICTURE)
    titles[180:220, 300:340] = 255  # a word on black: 0.5 % of the picture
    assert reasons(titles) == ["near-black"]


def test_blur_grows_with_the_blur_and_only_much_of_it_is_flagged() -> None:
    values = [blurredness(grey(soft(PICTURE, sigma))) for sigma in (0.5, 1, 2, 4)]
    assert values == sorted(values)
    assert reasons(soft(PICTURE, 1)) == []
    assert reasons(soft(PICTURE, 6)) == ["blurred"]


def test_a_picture_of_one_colour_counts_as_blurred() -> None:
    assert reasons(np.full_like(PICTURE, 128)) == ["blurred"]


def test_a_double_exposure_is_told_with_value_and_limit() -> None:
    (flag,) = Judge(QualityConfig()).flags("0001", PICTURE, 0.91234)
    assert (flag.reason, flag.value, flag.limit) == ("double-exposure", 0.912, 0.7)
    assert reasons(PICTURE, 0.65) == []
    assert reasons(PICTURE, None) == []


def test_a_near_duplicate_names_the_earlier_shot() -> None:
    judge = Judge(QualityConfig())
    assert judge.flags("0001", PICTURE, None) == ()
    assert judge.flags("0002", scene(4, (400, 800)), None) == ()
    noisy = np.clip(PICTURE.astype(int) + np.random.default_rng(0).integers(-6, 7, PICTURE.shape), 0, 255)
    (flag,) = judge.flags("0003", noisy.astype(np.uint8), None)
    assert (flag.reason, flag.shot) == ("near-duplicate", "0001")
    assert flag.value < flag.limit


def test_a_flagged_picture_is_no_model_for_duplicates() -> None:
    judge = Judge(QualityConfig())
    assert reasons(PICTURE, 0.9, judge) == ["double-exposure"]
    assert reasons(PICTURE, 0.0, judge) == []


def test_the_same_place_with_somebody_else_is_no_duplicate() -> None:
    judge = Judge(QualityConfig())
    other = PICTURE.copy()
    other[150:380, 300:420] = (250, 30, 30)
    assert reasons(PICTURE, None, judge) == []
    assert reasons(other, None, judge) == []


@pytest.mark.parametrize("field", ["black", "white", "blurred", "double", "near_duplicate"])
def test_every_limit_can_be_set(field: str) -> None:
    strict = {"black": 255.0, "white": 0.0, "blurred": 0.0, "double": 0.0, "near_duplicate": 255.0}[field]
    lax = {"black": 0.0, "white": 255.0, "blurred": 1.0, "double": 1.0, "near_duplicate": 0.0}
    judge = Judge(QualityConfig(**{**lax, field: strict}))
    judge.flags("0001", scene(8, (400, 800)), 0.0)
    found = reasons(PICTURE, 0.1, judge)
    wanted = {"black": "near-black", "white": "near-white", "double": "double-exposure"}
    assert found == [wanted.get(field, field.replace("_", "-"))]
