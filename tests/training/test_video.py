"""The loss of section 3.3, and training on the theatre and on a dataset's clips."""

import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, WanPipeline, WanTransformer3DModel
from PIL import Image
from safetensors import safe_open
from transformers import UMT5Config, UMT5EncoderModel

from cinema_cli.config import build, load_preset
from cinema_cli.errors import InputError, Interrupted, MissingError
from cinema_cli.models.encoders import ShotTextEncoder
from cinema_cli.models.video import InterleavedWan, ShotGroup, shot_starts
from cinema_cli.progress import Progress
from cinema_cli.training.checkpoint import module_weights
from cinema_cli.training.films import Films
from cinema_cli.training.lora import LoraLayers
from cinema_cli.training.motion import motion_weights
from cinema_cli.training.video import VideoTask
from cinema_cli.training.video_config import VideoLoraConfig, VideoTraining
from cinema_cli.training.video_run import train_video
from clipped_films import clipped_film, tiny_video
from tiny_models import (
    TEXT,
    build_tiny_models,
    text_encoder,
    tokenizer,
    video_autoencoder,
    video_transformer,
)
from video_tasks import OneFilm, film_task


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run's folder with the frozen parts, as the recipe leaves them."""
    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(0)
    tokenizer().save_pretrained(folder / "video" / "tokenizer")
    text_encoder().save_pretrained(folder / "video" / "text_encoder")
    video_autoencoder().save_pretrained(folder / "video" / "vae")
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A whole model to start from."""
    return build_tiny_models(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return clipped_film(tmp_path_factory.mktemp("data") / "film", (12, 6, 9, 12, 5))


def trained(run: Path, data: Path | None, model: Path | None, *changes: str) -> Path:
    with Progress(quiet=True) as progress:
        return train_video(run, tiny_video(*changes), progress, data, model and str(model))


def losses(checkpoint: Path) -> list[float]:
    lines = (checkpoint.parent / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


def test_the_loss_of_two_lengths_is_the_sum_computed_by_hand():
    torch.manual_seed(0)
    model = video_transformer().requires_grad_(False)
    data = OneFilm()
    task = film_task(model, "shift=3", "cut_phase=0.5", "motion_weight=1")
    found = task.loss([data.film], torch.Generator().manual_seed(5))
    # By hand, shot by shot: noise, one level for a shot, a clean keyframe at level 0.
    g = torch.Generator().manual_seed(5)
    starts = shot_starts([3, 1, 2, 3], 0.5)
    groups, targets = [], []
    for clips in data.film.groups:
        raw = torch.sigmoid(torch.randn((1, len(clips.places), 1), generator=g))
        level = 3 * raw / (1 + 2 * raw)
        noise = torch.randn(clips.latents.shape, generator=g)
        shots, times = clips.latents.clone(), torch.zeros(1, len(clips.places), clips.latents.shape[3])
        for i in range(len(clips.places)):
            for frame in range(1, clips.latents.shape[3]):
                times[0, i, frame] = level[0, i, 0]
                clean, dirt = clips.latents[0, i, :, frame], noise[0, i, :, frame]
                shots[0, i, :, frame] = clean + level[0, i, 0] * (dirt - clean)
        groups.append(ShotGroup(shots, clips.text, times, [starts[place] for place in clips.places]))
        targets.append(noise - clips.latents)
    total, numbers = 0.0, 0
    for predicted, target in zip(model(groups=groups)[:2], targets[:2], strict=True):
        for i in range(target.shape[1]):
            for frame in range(1, target.shape[3]):
                error = predicted[0, i, :, frame] - target[0, i, :, frame]
                total += float(error.square().sum())
                numbers += error.numel()
    assert numbers == (1 * 1 + 2 * 2) * 4 * 4 * 4
    assert float(found) == pytest.approx(total / numbers, rel=1e-5)


def test_the_weight_of_motion_is_in_the_loss():
    torch.manual_seed(0)
    model, data = video_transformer().requires_grad_(False), OneFilm()

    def found(*changes: str) -> tuple[float, list[torch.Tensor]]:
        task = film_task(model, *changes)
        errors = task.squared_errors(data.film, torch.Generator().manual_seed(3))
        return float(task.loss([data.film], torch.Generator().manual_seed(3))), errors

    (plain, each), (weighed, counted) = found("motion_weight=1"), found("motion_weight=5")
    weights = [motion_weights(clips.motion, 5.0) for clips in data.film.made]
    for error, more, weight in zip(each, counted, weights, strict=True):
        assert torch.allclose(error * weight, more)
    numbers = sum(error.numel() for error in each)
    assert weighed == pytest.approx(float(sum(error.sum() for error in counted)) / numbers, rel=1e-5)
    assert weighed != plain


def test_keyframes_are_clean_and_have_no_loss():
    torch.manual_seed(0)
    one = film_task(video_transformer())
    film = one.data.preview()
    given = []
    one.model.register_forward_pre_hook(lambda m, a, kw: given.extend(kw["groups"]), with_kwargs=True)
    errors = one.squared_errors(film, torch.Generator().manual_seed(0))
    assert [e.shape[3] for e in errors] == [1, 2]
    for group, clips in zip(given, film.groups, strict=True):
        assert torch.equal(group.latents[:, :, :, 0], clips.latents[:, :, :, 0])
        assert not group.timestep[:, :, 0].any()
        assert (group.timestep[:, :, 1:] > 0).all()
        assert (group.timestep[:, :, 1:] == group.timestep[:, :, 1:2]).all()


def test_the_words_of_a_shot_and_the_keyframes_of_all_change_the_loss():
    torch.manual_seed(0)
    one = film_task(video_transformer().requires_grad_(False))
    film = one.data.film

    def loss(changed: Films) -> float:
        return float(one.loss([changed], torch.Generator().manual_seed(2)))

    other = replace(film.seen, latents=film.seen.latents + 1)
    assert loss(Films(film.made, other)) != loss(film)
    first = replace(film.made[0], text=film.made[0].text + 1)
    assert loss(Films((first, film.made[1]), film.seen)) != loss(film)


def test_gradient_checkpointing_changes_nothing():
    torch.manual_seed(0)
    one = film_task(video_transformer())
    weight = one.model.patch_embedding.weight

    def gradient() -> torch.Tensor:
        return torch.autograd.grad(one.loss(one.batch(0), torch.Generator().manual_seed(0)), weight)[0]

    plain = gradient()
    one.model.checkpoint_every(1)
    assert torch.equal(gradient(), plain)


def test_validation_is_the_same_every_time():
    torch.manual_seed(0)
    one = film_task(video_transformer())
    assert one.validate() == one.validate() > 0


def test_a_video_model_is_trained_on_the_theatre_and_saved_in_stock_layout(tmp_path, run):
    with pytest.raises(MissingError, match=r"were wanted.*--init toy"):
        trained(tmp_path, None, None)
    last = trained(run, None, None, "area=230400", "loop.validate_every=1")
    assert '"WanTransformer3DModel"' in (last / "transformer" / "config.json").read_text()
    with Image.open(last.parent / "previews" / "step-000002.png") as strip:
        assert strip.size == (2 * 3 * 256, 4 * 128)  # two shots, three frames each; a base below
    assert "validation" in (last.parent / "metrics.jsonl").read_text()


def test_a_dataset_s_clips_train_a_model_that_is_named(tmp_path, dataset, model):
    last = trained(tmp_path / "run", dataset, model, "transformer=null", "films=2", "checkpoint_every=2")
    assert len(losses(last)) == 2
    start, moved = (
        module_weights(folder) for folder in (model / "video" / "transformer", last / "transformer")
    )
    assert start.keys() == moved.keys()
    assert any(not torch.equal(start[key], moved[key]) for key in start)
    assert all((start[key] - moved[key]).abs().max() < 0.1 for key in start)  # it did start from there
    assert (last.parent / "previews" / "step-000002.png").stat().st_size > 0
    assert (
        trained(tmp_path / "run", dataset, None, "transformer=null", "films=2") == last
    )  # the base is noted
    with pytest.raises(InputError, match="this run started from"):
        trained(tmp_path / "run", dataset, tmp_path)


def test_stopped_and_gone_on_is_uninterrupted(tmp_path, dataset, model):
    whole = trained(tmp_path / "whole", dataset, model, "loop.steps=4")
    changes = ("loop.steps=4", "loop.preview_every=0")
    bound = VideoTask.batch

    def interrupted(task, seed):
        if seed == 1:
            signal.raise_signal(signal.SIGTERM)
        return bound(task, seed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VideoTask, "batch", interrupted)
        with pytest.raises(Interrupted, match="after step 2"):
            trained(tmp_path / "stopped", dataset, model, *changes)
    assert losses(trained(tmp_path / "stopped", dataset, model, *changes)) == losses(whole)


def test_a_run_goes_on_with_the_data_it_began_with(tmp_path, dataset, model):
    trained(tmp_path / "run", dataset, model)
    for changes in (("films=2",), ("frames=[5]",), ("window=1",), ("clip_rate=4",)):
        with pytest.raises(InputError, match="was begun with other clips"):
            trained(tmp_path / "run", dataset, model, *changes)
    with pytest.raises(InputError, match="was begun with other clips"):
        trained(tmp_path / "run", None, model)
    trained(tmp_path / "drawn", None, model)
    with pytest.raises(InputError, match="was begun with the theatre"):
        trained(tmp_path / "drawn", dataset, model)


def test_wan_s_own_text_encoder_keeps_all_its_layers_tables(tmp_path, model):
    torch.manual_seed(0)
    sizes = {"vocab_size": 400, "d_model": TEXT, "d_kv": 8, "d_ff": 24, "num_layers": 3, "num_heads": 2}
    UMT5EncoderModel(UMT5Config(**sizes, feed_forward_proj="gated-gelu")).save_pretrained(
        tmp_path / "text_encoder"
    )
    shutil.copytree(model / "video" / "tokenizer", tmp_path / "tokenizer")
    text, wan = (
        ShotTextEncoder.load(tmp_path, 32),
        UMT5EncoderModel.from_pretrained(tmp_path / "text_encoder"),
    )
    ids = text.tokenizer("Mira waits.", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        assert torch.equal(text.encode("", ["Mira waits."])[0, 1 : 1 + ids.shape[1]], wan(ids)[0][0])


def test_there_is_nothing_to_fall_back_to(tmp_path, dataset, model, run):
    with pytest.raises(InputError, match="a folder of ingested films"):
        trained(tmp_path / "run", tmp_path / "nowhere", model)
    with pytest.raises(InputError, match="one more than a multiple of 4, were wanted"):
        trained(tmp_path / "run", dataset, model, "frames=[5, 8]")
    with pytest.raises(MissingError, match="a model to start from was wanted"):
        trained(run, dataset, None, "transformer=null")
    with pytest.raises(MissingError, match="adapters want a model"):
        trained(run, dataset, None, "lora.rank=2")
    with pytest.raises(InputError, match=r"numbers that rise were wanted"):
        tiny_video("frames=[9, 5]")


def test_too_many_mixtures_are_not_compiled(tmp_path, model, monkeypatch):
    monkeypatch.setattr("cinema_cli.training.video_run.MOST_SHAPES", 1)
    film = clipped_film(tmp_path / "film", (5, 5, 9))
    with pytest.raises(InputError, match="at most 1 mixtures of lengths were wanted, found 2"):
        trained(tmp_path / "run", film, model, "compile=true")


def test_adapters_alone_are_trained_beside_a_base_whose_norms_stay_in_fp32(tmp_path, dataset, model):
    made: list[InterleavedWan] = []
    with pytest.MonkeyPatch.context() as patch:
        build_task = VideoTask.__init__

        def noted(task, model, *rest):
            made.append(model)
            build_task(task, model, *rest)

        patch.setattr(VideoTask, "__init__", noted)
        last = trained(tmp_path / "run", dataset, model, "lora.rank=2", "loop.optimizer.learning_rate=0.05")
    assert not (last / "transformer").exists()
    weights = dict(made[0].named_parameters())
    assert weights["blocks.0.attn1.to_q.base_layer.weight"].dtype == torch.bfloat16
    assert weights["blocks.0.norm2.weight"].dtype == torch.float32
    assert weights["blocks.0.scale_shift_table"].dtype == torch.float32
    trainable = [name for name, p in weights.items() if p.requires_grad]
    # Four linear layers of either attention and two of the feed-forward, two matrices each.
    assert len(trainable) == (4 + 4 + 2) * 2
    assert all(".lora_" in name and weights[name].dtype == torch.float32 for name in trainable)
    with safe_open(last / "ema" / "lora" / "pytorch_lora_weights.safetensors", "pt") as file:
        assert len(list(file.keys())) == len(trainable)


def test_a_stock_pipeline_loads_adapters_and_computes_the_same(tmp_path, dataset, model):
    changes = ("lora.rank=2", "half_base=false", "loop.optimizer.learning_rate=0.05", "loop.precision=fp32")
    last = trained(tmp_path / "run", dataset, model, *changes)
    ours = InterleavedWan.from_pretrained(model / "video" / "transformer")
    LoraLayers(ours, VideoLoraConfig(rank=2)).load_state_dict(module_weights(last / "ema" / "lora"))
    plain = WanTransformer3DModel.from_pretrained(model / "video" / "transformer")
    others = dict.fromkeys(("vae", "text_encoder", "tokenizer"))
    pipeline = WanPipeline(scheduler=FlowMatchEulerDiscreteScheduler(), transformer=plain, **others)
    g = torch.Generator().manual_seed(0)
    call = (
        torch.randn(1, 4, 2, 4, 4, generator=g),
        torch.tensor([500.0]),
        torch.randn(1, 6, TEXT, generator=g),
    )
    without = plain(*call).sample
    pipeline.load_lora_weights(last / "ema" / "lora", weight_name="pytorch_lora_weights.safetensors")
    adapted, own = pipeline.transformer(*call).sample, ours(*call).sample
    assert (adapted - without).abs().max() > 1e-4
    assert torch.allclose(adapted, own, atol=1e-5)


def test_the_preset_has_the_numbers_of_table_4():
    config = build(VideoTraining, load_preset("wan-ti2v-5b-lora")["train_video"], "test")
    assert config.lora is not None
    assert config.area == 480 * 480
    optimizer = config.loop.optimizer
    assert (config.loop.steps, config.loop.clip) == (10_000, 1.0)
    assert (optimizer.learning_rate, optimizer.warmup, optimizer.schedule) == (1e-4, 1000, "cosine")
    assert (optimizer.betas, optimizer.epsilon) == ((0.9, 0.95), 1e-8)
