from pathlib import Path

import numpy as np
import pytest
import torch

from cinema_cli.errors import CinemaError, InputError
from cinema_cli.models.pictures import Frame
from cinema_cli.models.weights import KeyframeModels, load_keyframe_models
from cinema_cli.planning.keyframes import DrawingConfig, KeyframeArtist, Window, plan_windows, useful
from cinema_cli.storyboard import Shot, Storyboard
from tiny_models import FRAME_SIZE, build_tiny_models

CONFIG = DrawingConfig(steps=2, context_level=0.0)


def film(*shots: tuple[str, str]) -> Storyboard:
    """Shots given as scene and caption."""
    return Storyboard(
        frame_size=FRAME_SIZE,
        shots=[
            Shot(id=f"{number:04d}", scene=scene, caption=caption, duration="2", seed=number)
            for number, (scene, caption) in enumerate(shots, start=1)
        ],
    )


def many(count: int) -> Storyboard:
    return film(*(("the harbour by day", "<Mira> waves."),) * count)


def numbers(window: Window) -> tuple[list[int], list[int]]:
    return [int(id) for id in window.drawn], [int(id) for id in window.known]


def windows(board: Storyboard, stale: set[int], size: int = 8) -> list[tuple[list[int], list[int]]]:
    return [numbers(window) for window in plan_windows(board, {f"{n:04d}" for n in stale}, size)]


def test_a_film_that_fits_is_drawn_jointly() -> None:
    assert windows(many(8), set(range(1, 9))) == [([1, 2, 3, 4, 5, 6, 7, 8], [])]
    assert windows(many(3), set()) == []


def test_a_longer_film_goes_on_beside_known_frames() -> None:
    made = windows(many(20), set(range(1, 21)))
    assert made == [
        ([1, 2, 3, 4, 5, 6, 7, 8], []),
        ([9, 10, 11, 12], [5, 6, 7, 8]),
        ([13, 14, 15, 16], [9, 10, 11, 12]),
        ([17, 18, 19, 20], [13, 14, 15, 16]),
    ]


def test_what_is_not_stale_is_context() -> None:
    assert windows(many(8), {3}) == [([3], [1, 2, 4, 5, 6, 7, 8])]
    assert windows(many(8), {1, 2, 3, 4, 5, 6}) == [([1, 2, 3, 4, 5, 6], [7, 8])]
    assert windows(many(40), {30}) == [([30], [23, 24, 25, 26, 27, 28, 29])]
    assert windows(many(9), set(range(2, 10)), size=4) == [
        ([2, 3, 4], [1]),
        ([5, 6], [3, 4]),
        ([7, 8], [5, 6]),
        ([9], [6, 7, 8]),
    ]


def test_people_and_places_come_before_what_is_merely_near() -> None:
    board = film(
        ("the library at night", "<Tom> reads."),
        ("the harbour by day", "<Mira> waves."),
        ("the harbour by day", "<Mira> jumps."),
        ("the forest by day", "<Ana> walks."),
        ("the forest by day", "<Ana> waves."),
        ("the library by day", "<Mira> and <Zoe> meet."),
    )
    known = {"0001", "0002", "0003", "0004", "0005"}
    assert useful(board, ["0006"], known, 2) == ("0001", "0003")
    assert useful(board, ["0006"], known, 4) == ("0001", "0003", "0004", "0005")
    assert useful(board, ["0006"], known, 0) == ()
    assert useful(board, ["0001"], {"0003", "0005", "0006"}, 1) == ("0006",)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> KeyframeModels:
    folder = build_tiny_models(tmp_path_factory.mktemp("models"))
    return load(folder)


def load(folder: Path) -> KeyframeModels:
    return load_keyframe_models(folder / "keyframes", 96, torch.device("cpu"), torch.float32)


def draw(
    models: KeyframeModels, board: Storyboard, known: dict[str, Frame] | None = None
) -> dict[str, Frame]:
    artist = KeyframeArtist(models, FRAME_SIZE, CONFIG)
    return artist.draw(board.shots, [shot.caption for shot in board.shots], known or {})


def test_drawing_is_the_same_for_the_same_seeds_and_words(models: KeyframeModels) -> None:
    first, again = draw(models, many(2)), draw(models, many(2))
    assert list(first) == ["0001", "0002"]
    for id, frame in first.items():
        assert (frame.shape, frame.dtype) == ((*FRAME_SIZE, 3), np.uint8)
        assert (frame == again[id]).all()
    assert (first["0001"] != first["0002"]).any()
    other = draw(models, many(2).with_shot("0002", seed=77))
    assert (other["0002"] != first["0002"]).any()


def test_known_frames_are_seen_and_not_drawn(models: KeyframeModels) -> None:
    pictures = draw(models, many(3))
    beside = draw(models, many(3), {"0002": pictures["0002"]})
    assert list(beside) == ["0001", "0003"]
    elsewhere = draw(models, many(3), {"0002": pictures["0002"][:, ::-1].copy()})
    assert (beside["0001"] != elsewhere["0001"]).any()


def test_steps_are_told(models: KeyframeModels) -> None:
    steps: list[int] = []
    artist = KeyframeArtist(models, FRAME_SIZE, DrawingConfig(steps=3, guidance=2.0))
    artist.draw(many(1).shots, ["<Mira> waves."], {}, lambda: steps.append(1))
    assert len(steps) == 3


def test_captions_that_are_too_long_are_found(models: KeyframeModels) -> None:
    assert KeyframeArtist(models, FRAME_SIZE, CONFIG).cut(["short", "a long one " * 60, "short"]) == [1]


def test_a_size_that_the_model_cannot_draw_is_refused(models: KeyframeModels) -> None:
    with pytest.raises(InputError, match=r"divide by 8 .* found 30 x 64"):
        KeyframeArtist(models, (30, 64), CONFIG)


def test_numbers_that_are_not_finite_are_no_picture(tmp_path: Path) -> None:
    broken = load(build_tiny_models(tmp_path))
    broken.transformer.proj_out.weight.data.fill_(float("nan"))
    with pytest.raises(CinemaError, match=r"Shot 0001: .*not finite"):
        draw(broken, many(1))


def test_one_colour_is_no_picture(tmp_path: Path) -> None:
    broken = load(build_tiny_models(tmp_path))
    broken.codec.vae.decoder.conv_out.weight.data.zero_()
    with pytest.raises(CinemaError, match=r"Shot 0001: .*nothing but the colour"):
        draw(broken, many(1))
