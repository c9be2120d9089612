from pathlib import Path

import numpy as np
import pytest
import torch

from cinema_cli.errors import CinemaError, InputError
from cinema_cli.models.pictures import Frame
from cinema_cli.models.weights import VideoModels, load_video_models
from cinema_cli.rendering.video import Clip, ClipConfig, ClipMaker, ClipWindow, clip_frames, plan_clips
from cinema_cli.storyboard import Shot, Storyboard
from tiny_models import FRAME_SIZE, build_tiny_models

CONFIG = ClipConfig(steps=2)


def film(*durations: str) -> Storyboard:
    shots = [
        Shot(id=f"{n:04d}", caption="<Mira> waves.", duration=text)
        for n, text in enumerate(durations, start=1)
    ]
    return Storyboard(caption="About <Mira>.", frame_size=FRAME_SIZE, shots=shots)


def keyframes(board: Storyboard, seed: int = 0) -> dict[str, Frame]:
    rng = np.random.default_rng(seed)
    return {shot.id: rng.integers(0, 256, (*FRAME_SIZE, 3), dtype=np.uint8) for shot in board.shots}


def windows(count: int, stale: list[int], **changes: int) -> list[tuple[list[int], list[int]]]:
    config = CONFIG.model_copy(update=changes)
    made = plan_clips(film(*["2"] * count), {f"{n:04d}" for n in stale}, config)
    return [([int(id) for id in w.made], [int(id) for id in w.seen]) for w in made]


def test_windows_see_the_keyframes_of_the_other_shots() -> None:
    assert windows(8, list(range(1, 9))) == [([1, 2, 3, 4], [5, 6, 7, 8]), ([5, 6, 7, 8], [1, 2, 3, 4])]
    assert windows(8, [3]) == [([3], [1, 2, 4, 5, 6, 7, 8])]
    assert windows(3, []) == []


def test_a_long_film_leaves_the_farthest_out() -> None:
    assert windows(20, [10], neighbours=4) == [([10], [8, 9, 11, 12])]
    assert windows(20, [1], neighbours=3) == [([1], [2, 3, 4])]
    assert windows(20, [5, 6], neighbours=0) == [([5, 6], [])]


def test_durations_are_whole_frames() -> None:
    board = film("2", "1/8", "3/2", "1/3", "11")
    assert [clip_frames(shot, CONFIG) for shot in board.shots[:3]] == [16, 1, 12]
    with pytest.raises(InputError, match=r"Shot 0004: .*found 8/3 of them .* to 3/8 for example"):
        clip_frames(board.shots[3], CONFIG)
    with pytest.raises(InputError, match=r"Shot 0005: at most 10 s .*found 11"):
        clip_frames(board.shots[4], CONFIG)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> VideoModels:
    return load(build_tiny_models(tmp_path_factory.mktemp("models")))


def load(folder: Path) -> VideoModels:
    return load_video_models(folder / "video", 160, torch.device("cpu"), torch.float32)


def test_on_a_cpu_the_autoencoder_stays_in_float32_whatever_the_rest(tmp_path: Path) -> None:
    folder = build_tiny_models(tmp_path) / "video"
    half = load_video_models(folder, 160, torch.device("cpu"), torch.bfloat16)
    assert (half.transformer.dtype, half.text.t5.dtype) == (torch.bfloat16, torch.bfloat16)
    assert half.codec.vae.dtype is torch.float32
    make(half, film("1"), ["0001"], [])


def make(
    models: VideoModels, board: Storyboard, made: list[str], seen: list[str], **pictures: Frame
) -> dict[str, Clip]:
    shown = keyframes(board) | {f"{int(name[1:]):04d}": frame for name, frame in pictures.items()}
    maker = ClipMaker(models, FRAME_SIZE, CONFIG)
    return maker.make(board, ClipWindow(tuple(made), tuple(seen)), shown, dict.fromkeys(made, 5))


def test_clips_have_exactly_the_frames_of_their_shots(models: VideoModels) -> None:
    board = film("1/8", "1", "1/2")
    clips = make(models, board, ["0001", "0002", "0003"], [])
    assert {id: clip.shape for id, clip in clips.items()} == {
        "0001": (1, *FRAME_SIZE, 3),
        "0002": (8, *FRAME_SIZE, 3),
        "0003": (4, *FRAME_SIZE, 3),
    }
    again = make(models, board, ["0001", "0002", "0003"], [])
    assert all((again[id] == clip).all() for id, clip in clips.items())


def test_a_clip_depends_on_the_keyframes_that_it_sees(models: VideoModels) -> None:
    board = film("1/2", "1/2", "1/2")
    other = keyframes(board, seed=1)
    clip = make(models, board, ["0002"], ["0001", "0003"])
    assert list(clip) == ["0002"]
    assert (make(models, board, ["0002"], ["0001", "0003"], _2=other["0002"])["0002"] != clip["0002"]).any()
    assert (make(models, board, ["0002"], ["0001", "0003"], _3=other["0003"])["0002"] != clip["0002"]).any()
    unseen = make(models, board, ["0002"], ["0001"])
    assert (make(models, board, ["0002"], ["0001"], _3=other["0003"])["0002"] == unseen["0002"]).all()


def test_a_size_that_the_model_cannot_make_is_refused(models: VideoModels) -> None:
    with pytest.raises(InputError, match=r"divide by 32 .* found 48 x 64"):
        ClipMaker(models, (48, 64), CONFIG)


def test_numbers_that_are_not_finite_are_no_clip(tmp_path: Path) -> None:
    broken = load(build_tiny_models(tmp_path))
    broken.transformer.proj_out.weight.data.fill_(float("nan"))
    with pytest.raises(CinemaError, match=r"Shot 0001: .*not finite"):
        make(broken, film("1"), ["0001"], [])


def test_one_colour_is_no_clip(tmp_path: Path) -> None:
    broken = load(build_tiny_models(tmp_path))
    broken.codec.vae.decoder.conv_out.requires_grad_(False).weight.zero_()
    broken.codec.vae.decoder.conv_out.bias.zero_()
    with pytest.raises(CinemaError, match=r"Shot 0001: .*one colour in frame 0"):
        make(broken, film("1"), ["0001"], [])
