"""``cinema train-video``: the parts of a run put together, and what it goes on from (section 3.3)."""

from pathlib import Path
from typing import Any

import torch

from cinema_cli import runtime
from cinema_cli.dataset import films
from cinema_cli.errors import InputError, MissingError
from cinema_cli.files import read_json
from cinema_cli.models.encoders import ShotTextEncoder, VideoCodec
from cinema_cli.models.quantise import quantise_blocks
from cinema_cli.models.quiet import quiet_libraries
from cinema_cli.models.video import InterleavedWan
from cinema_cli.models.weights import weights_sha256
from cinema_cli.progress import Progress
from cinema_cli.sampling.kept import KeptFilm, kept_film
from cinema_cli.training.base import base_of, note_base
from cinema_cli.training.blocks import compile_blocks
from cinema_cli.training.checkpoint import MAX_JSON_BYTES, list_checkpoints
from cinema_cli.training.clip_latents import ClipLatents
from cinema_cli.training.clips import DatasetClips, captions_that_are_cut, clipped_films
from cinema_cli.training.films import ClipSource, TheatreClips
from cinema_cli.training.held_out import hold_out
from cinema_cli.training.latents import LatentCache
from cinema_cli.training.loop import train
from cinema_cli.training.lora import refuse_other_base
from cinema_cli.training.video import VideoTask
from cinema_cli.training.video_config import VideoTraining

MOST_SHAPES = 16
"""Mixtures of lengths that blocks are compiled for: each in training, validation and previews, of the 64 that
``blocks.py`` allows."""


def train_video(
    run: Path,
    config: VideoTraining,
    progress: Progress,
    data: Path | None = None,
    init: str | None = None,
    checkpoint: str | None = None,
) -> Path:
    """Train the video model from the newest checkpoint in ``run/checkpoints/video``, a base, or from scratch.

    The frozen parts are those of the model that the run was begun with (``init``), else ``run/video``, in
    ``WanPipeline`` layout.

    Args:
        run: Where everything lies.
        config: What to train and how.
        progress: Told of the steps.
        data: A dataset whose films have clips; else the theatre is drawn.
        init: A model to start from: "toy" for the embedded weights, or a folder with ``video/``.
        checkpoint: Name of the checkpoint to go on from, if not the newest that is whole.

    Returns:
        The last checkpoint.

    Raises:
        InputError: the data cannot be used, or are others than those that the run was begun with.
        MissingError: there are no frozen parts, or nothing to start from.
    """
    quiet_libraries()
    torch.manual_seed(config.loop.seed)
    kept = None if data is None else [kept_film(folder) for folder in films(data)]
    base = base_of(run, init, "video")
    model, codec, text = _load_parts(base, config)
    if kept is None:
        cache = LatentCache(run / "cache", weights_sha256(base / "vae"))
        source: ClipSource = TheatreClips(codec, text, cache, config)
    else:
        source = _dataset(kept, run / "cache", config, model, codec, text, progress)
    folder = run / "checkpoints" / "video"
    _refuse_other_clips(folder, source.facts)
    refuse_other_base(folder, config.quantise)
    note_base(run, init, "video")
    task = VideoTask(model, codec, source, config)
    if config.checkpoint_every:
        model.checkpoint_every(config.checkpoint_every)
    if config.compile:  # after adapters are in
        compile_blocks(model)
    return train(task, folder, config.loop, progress, "video", checkpoint)


def _load_parts(base: Path, config: VideoTraining) -> tuple[InterleavedWan, VideoCodec, ShotTextEncoder]:
    """The transformer, from the base where it has one, and the parts that stay as they are."""
    where = runtime.device()
    codec, text = VideoCodec.load(base), ShotTextEncoder.load(base, config.text_length)
    text.t5.to(runtime.number_type(where))  # the autoencoder stays in fp32: its latents are kept
    quantise_blocks(text.t5, config.quantise, where)
    for module in (codec.vae, text.t5):
        module.to(where).requires_grad_(False).eval()
    if (base / "transformer").is_dir():
        # Given here, not with .to(): Wan keeps its norms and time embedding in fp32 whatever is asked.
        dtype = torch.bfloat16 if config.lora and config.half_base else torch.float32
        model = InterleavedWan.from_pretrained(base / "transformer", dtype=dtype).train()
        quantise_blocks(model, config.quantise, where)
        return (model.to(where) if config.lora else model), codec, text  # the loop moves what it trains
    if config.transformer is None:
        raise MissingError(
            f"{base / 'transformer'}: a model to start from was wanted, there is none. Name it: --init DIR."
        )
    if config.lora:
        raise MissingError(
            f"{base / 'transformer'}: adapters want a model that they adapt. Name it: --init DIR."
        )
    return InterleavedWan(**config.transformer.model_dump()), codec, text


def _dataset(
    kept: list[KeptFilm],
    cache: Path,
    config: VideoTraining,
    model: InterleavedWan,
    codec: VideoCodec,
    text: ShotTextEncoder,
    progress: Progress,
) -> DatasetClips:
    """Clips of a dataset, whatever of them the model can take."""
    step = codec.vae.config.scale_factor_temporal
    wrong = [frames for frames in config.frames if frames % step != 1]
    if wrong:
        raise InputError(
            f"frames: numbers such as {step + 1}, one more than a multiple of {step}, were wanted, as the "
            f"autoencoder takes them, found {wrong[0]}."
        )
    unit = codec.vae.config.scale_factor_spatial * model.config.patch_size[1]
    clipped = clipped_films(kept, config, unit, cache / "clip-facts", progress)
    latents = ClipLatents(clipped, codec, config.clip_rate, cache, progress)
    held = hold_out([film.kept.name for film in clipped], config.held_out, progress)
    source = DatasetClips(clipped, latents, text, config, held)
    progress.say(f"{len(source.windows)} windows of {config.window} shots in {len(clipped)} films")
    cut = captions_that_are_cut(clipped, text)
    if cut:
        progress.say(f"{cut} shots have captions of more than {text.length} text tokens and lose some")
    if config.compile and source.shapes() > MOST_SHAPES:
        raise InputError(
            f"compile: at most {MOST_SHAPES} mixtures of lengths were wanted, found {source.shapes()}. Take "
            "fewer buckets (--set frames=[...]), or --set compile=false."
        )
    return source


def _refuse_other_clips(folder: Path, facts: dict[str, Any]) -> None:
    """Before anything is computed: the same steps would mean other clips."""
    for checkpoint in list_checkpoints(folder)[-1:]:
        state = checkpoint / "state.json"
        before = read_json(state, MAX_JSON_BYTES).get("task", {}) if state.is_file() else facts
        if before != facts:
            told = "other clips of a dataset" if before else "the theatre"
            raise InputError(
                f"{folder}: this run was begun with {told}. Go on with the same data, windows and films in a "
                "batch, or choose another --run folder."
            )
