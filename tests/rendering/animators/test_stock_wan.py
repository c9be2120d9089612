"""Stock Wan2.2-TI2V in its true layout, by our model of one shot and by diffusers' pipeline."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import WanImageToVideoPipeline
from PIL import Image

from cinema_cli.errors import CinemaError, InputError
from cinema_cli.models.weights import VideoModels, load_video_models
from cinema_cli.rendering.animators.animator import as_it_works, manner_of
from cinema_cli.rendering.animators.stock_wan import StockWan, load_scheduler, plan_shots, sample_clip
from cinema_cli.rendering.video import Clip, ClipConfig, ClipWindow
from cinema_cli.runtime import generator
from cinema_cli.storyboard import Shot, Storyboard
from stock_models import build_stock_wan
from tiny_models import FRAME_SIZE

CONFIG = ClipConfig(steps=3, guidance=5.0, negative="static, blurred", text_length=64)
CAPTION = "Mira, a tall girl in a red coat, waves."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_stock_wan(tmp_path_factory.mktemp("models") / "wan")


@pytest.fixture(scope="module")
def models(folder: Path) -> VideoModels:
    return load_video_models(folder, CONFIG.text_length, torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> WanImageToVideoPipeline:
    pipeline = WanImageToVideoPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*FRAME_SIZE, 3), dtype=np.uint8)


def film(*scenes: str) -> Storyboard:
    shots = [
        Shot(id=f"{n:04d}", scene=scene, caption=CAPTION.replace("Mira", "<Mira>", 1), duration="9/8")
        for n, scene in enumerate(scenes, start=1)
    ]
    return Storyboard(frame_size=FRAME_SIZE, shots=shots)


def make(models: VideoModels, folder: Path, config: ClipConfig, *seen: str, end: int = 2) -> Clip:
    maker = StockWan(models, load_scheduler(folder), FRAME_SIZE, config)
    keyframes = {"0001": picture(1), "0002": picture(end)}
    board = film("the harbour", "the harbour")
    return maker.make(board, ClipWindow(("0001",), seen), keyframes, {"0001": 5})["0001"]


@pytest.mark.parametrize("guidance", [1.0, 5.0])
def test_latents_are_those_of_the_stock_pipeline(
    models: VideoModels, pipeline: WanImageToVideoPipeline, folder: Path, guidance: float
) -> None:
    stock = pipeline(
        image=Image.fromarray(picture(1)),
        prompt=CAPTION,
        negative_prompt=CONFIG.negative,
        height=FRAME_SIZE[0],
        width=FRAME_SIZE[1],
        num_frames=9,
        num_inference_steps=CONFIG.steps,
        guidance_scale=guidance,
        generator=generator(5),
        max_sequence_length=CONFIG.text_length,
        output_type="latent",
    ).frames
    first = models.codec.encode(torch.from_numpy(picture(1))[None, None])
    noise = torch.randn(4, 3, 2, 4, generator=generator(5))[None]
    words = models.text.alone([CAPTION, CONFIG.negative])
    ours = sample_clip(
        models.transformer, load_scheduler(folder), words, first, noise, None, CONFIG.steps, guidance
    )
    assert ours.shape == stock.shape
    assert float((ours - stock).abs().max()) < 1e-4 * float(stock.abs().max())


def test_a_clip_is_that_of_the_stock_pipeline(
    models: VideoModels, pipeline: WanImageToVideoPipeline, folder: Path
) -> None:
    stock = pipeline(
        image=Image.fromarray(picture(1)),
        prompt=CAPTION,
        negative_prompt=CONFIG.negative,
        height=FRAME_SIZE[0],
        width=FRAME_SIZE[1],
        num_frames=9,
        num_inference_steps=CONFIG.steps,
        guidance_scale=CONFIG.guidance,
        generator=generator(5),
        max_sequence_length=CONFIG.text_length,
        output_type="np",
    ).frames[0]
    ours = make(models, folder, CONFIG)
    assert ours.shape == (9, *FRAME_SIZE, 3)
    assert np.abs(ours / 255 - stock).max() < 1 / 255


def test_a_last_frame_is_seen_only_where_it_is_asked_for(models: VideoModels, folder: Path) -> None:
    free, other = make(models, folder, CONFIG), make(models, folder, CONFIG, end=3)
    assert (free == other).all()
    bound = make(models, folder, CONFIG, "0002")
    assert (bound != free).any()
    assert (bound != make(models, folder, CONFIG, "0002", end=3)).any()


def test_a_clip_ends_in_the_next_keyframe_of_its_scene() -> None:
    board = film("the harbour", "the harbour", "the castle", "")
    windows = plan_shots(board, {shot.id for shot in board.shots}, ends=True)
    assert windows == [
        ClipWindow(("0001",), ("0002",)),
        ClipWindow(("0002",), ()),
        ClipWindow(("0003",), ()),
        ClipWindow(("0004",), ()),
    ]
    assert plan_shots(board, {"0001"}, ends=False) == [ClipWindow(("0001",), ())]


def test_which_manner_a_model_has(folder: Path, tmp_path: Path) -> None:
    ours = tmp_path
    (ours / "model_index.json").write_text('{"_class_name": "WanPipeline"}')
    assert manner_of(folder, None, CONFIG).name == "stock-wan"
    assert "stock Wan, shot by shot" in manner_of(folder, None, CONFIG).mode
    assert manner_of(folder, "adapter", CONFIG).name == "interleaved"
    assert manner_of(ours, None, CONFIG).name == "interleaved"
    assert manner_of(ours, None, CONFIG).backend is None
    wished = CONFIG.model_copy(update={"animator": "interleaved"})
    assert "not trained for" in manner_of(folder, None, wished).mode
    ends = manner_of(folder, None, CONFIG.model_copy(update={"ends": True}))
    assert "not trained for" in ends.mode
    assert as_it_works(CONFIG, ends).window == 1
    (folder / "cinema.json").write_text("{}")
    try:
        assert manner_of(folder, None, CONFIG).name == "interleaved"
    finally:
        (folder / "cinema.json").unlink()


def test_another_scheduler_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scheduler").mkdir()
    (tmp_path / "scheduler" / "scheduler_config.json").write_text('{"_class_name": "DDIMScheduler"}')
    with pytest.raises(InputError, match=r"UniPCMultistepScheduler .* was wanted, found DDIMScheduler"):
        load_scheduler(tmp_path)


def test_numbers_that_are_not_finite_are_no_clip(folder: Path) -> None:
    broken = load_video_models(folder, CONFIG.text_length, torch.device("cpu"), torch.float32)
    broken.transformer.proj_out.weight.data.fill_(float("nan"))
    with pytest.raises(CinemaError, match=r"Shot 0001: .*not finite"):
        make(broken, folder, CONFIG)
