from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cinema_cli.context.goldenmem import shrink
from cinema_cli.errors import CinemaError, InputError
from cinema_cli.models.pictures import Frame
from cinema_cli.models.weights import KeyframeModels, load_keyframe_models
from cinema_cli.planning.keyframes import DrawingConfig, KeyframeArtist, MemoryFrame
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


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> KeyframeModels:
    folder = build_tiny_models(tmp_path_factory.mktemp("models"))
    return load(folder)


def load(folder: Path) -> KeyframeModels:
    return load_keyframe_models(folder / "keyframes", 96, torch.device("cpu"), torch.float32)


def draw(
    models: KeyframeModels, board: Storyboard, new: slice = slice(None), **memory: object
) -> dict[str, Frame]:
    artist = KeyframeArtist(models, FRAME_SIZE, CONFIG)
    shots = board.shots[new]
    return artist.draw(shots, [shot.caption for shot in shots], **memory)


def remembered(shot: Shot, frame: Frame, grid: tuple[int, int] = (4, 8)) -> MemoryFrame:
    return MemoryFrame(shot, shot.caption, frame, grid)


def test_drawing_is_the_same_for_the_same_seeds_and_words(models: KeyframeModels) -> None:
    first, again = draw(models, many(2)), draw(models, many(2))
    assert list(first) == ["0001", "0002"]
    for id, frame in first.items():
        assert (frame.shape, frame.dtype) == ((*FRAME_SIZE, 3), np.uint8)
        assert (frame == again[id]).all()
    assert (first["0001"] != first["0002"]).any()
    other = draw(models, many(2).with_shot("0002", seed=77))
    assert (other["0002"] != first["0002"]).any()


def test_memory_is_seen_and_its_place_counts(models: KeyframeModels) -> None:
    board = many(3)
    picture = draw(models, board)["0002"]
    order = ["0002", "0003"]
    beside = draw(models, board, slice(2, 3), memory=[remembered(board.shots[1], picture)], order=order)
    assert list(beside) == ["0003"]
    alone = draw(models, board, slice(2, 3))
    mirrored = remembered(board.shots[1], picture[:, ::-1].copy())
    other = draw(models, board, slice(2, 3), memory=[mirrored], order=order)
    later = draw(models, board, slice(2, 3), memory=[remembered(board.shots[1], picture)], order=order[::-1])
    for frame in (alone, other, later):
        assert (frame["0003"] != beside["0003"]).any()


def test_memory_of_several_sizes_is_grouped_and_shrunk(models: KeyframeModels) -> None:
    board = many(4)
    pictures = draw(models, board)
    memory = [
        remembered(board.shots[0], pictures["0001"], (2, 4)),
        remembered(board.shots[1], pictures["0002"], (4, 8)),
        remembered(board.shots[2], pictures["0003"], (2, 4)),
    ]
    artist = KeyframeArtist(models, FRAME_SIZE, DrawingConfig(context_level=0.0))
    small, large = artist._groups(memory, {"0001": 0, "0002": 1, "0003": 2, "0004": 3})
    assert (small.grid, small.full_grid, list(small.ranks)) == ((2, 4), (4, 8), [0, 2])
    assert (large.grid, list(large.ranks)) == ((4, 8), [1])
    assert small.remembered
    assert small.latents.shape == (1, 2, 8, 16)
    frame = torch.from_numpy(pictures["0003"])[None]
    assert torch.allclose(small.latents[0, 1], models.codec.encode(shrink(frame, (16, 32)))[0])
    noisy = KeyframeArtist(models, FRAME_SIZE, DrawingConfig(context_level=0.5))._groups(
        memory, {"0001": 0, "0002": 1, "0003": 2}
    )
    assert (noisy[0].timestep == 0.5).all()
    assert not torch.allclose(noisy[0].latents, small.latents)


def test_steps_are_told(models: KeyframeModels) -> None:
    steps: list[int] = []
    artist = KeyframeArtist(models, FRAME_SIZE, DrawingConfig(steps=3, guidance=2.0))
    artist.draw(many(1).shots, ["<Mira> waves."], on_step=lambda: steps.append(1))
    assert len(steps) == 3


def test_a_distilled_model_is_told_its_guidance(tmp_path: Path) -> None:
    models = load(build_tiny_models(tmp_path))
    config = dict(models.transformer.config) | {"guidance_embeds": True}
    torch.manual_seed(0)
    distilled = type(models.transformer).from_config(config).eval().requires_grad_(False)
    told = replace(models, transformer=distilled)
    frames = [
        KeyframeArtist(told, FRAME_SIZE, DrawingConfig(steps=2, embedded_guidance=guidance)).draw(
            many(1).shots, ["<Mira> waves."]
        )["0001"]
        for guidance in (3.5, 1.0)
    ]
    assert (frames[0] != frames[1]).any()
    # It is told so beside memory and without words as well.
    artist = KeyframeArtist(told, FRAME_SIZE, DrawingConfig(steps=2, guidance=2.0))
    board = many(2)
    memory = [remembered(board.shots[0], frames[0])]
    beside = artist.draw(board.shots[1:], ["<Mira> waves."], memory, ["0001", "0002"])
    assert beside["0002"].shape == (*FRAME_SIZE, 3)


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
