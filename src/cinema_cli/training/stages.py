"""Stages of the keyframe model, each from the one before (paper, 3.2: 1 -> 8 -> 16 -> 32 pairs; Fig. 7)."""

from pathlib import Path

import torch
from torch import nn

from cinema_cli.errors import InputError, MissingError
from cinema_cli.models.encoders import ImageCodec, TextEncoder
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.weights import model_folder, weights_sha256
from cinema_cli.progress import Progress
from cinema_cli.sampling.features import PairFeatures
from cinema_cli.sampling.kept import KeptFilm
from cinema_cli.sampling.loader import Loader
from cinema_cli.sampling.manifest import Manifest
from cinema_cli.sampling.sample import open_sequences
from cinema_cli.theatre.world import FRAME_SIZE
from cinema_cli.training.blocks import compile_blocks
from cinema_cli.training.checkpoint import module_weights, newest_checkpoint
from cinema_cli.training.keyframes import KeyframeTask, KeyframeTraining
from cinema_cli.training.latents import LatentCache
from cinema_cli.training.loop import train
from cinema_cli.training.sequences import (
    DatasetSequences,
    SequenceSource,
    TheatreSequences,
    refuse_other_data,
)


def train_keyframes(
    stage: int,
    run: Path,
    config: KeyframeTraining,
    progress: Progress,
    data: Path | None = None,
    sequences: Path | None = None,
    init: str | None = None,
) -> Path:
    """Train a stage, from the newest checkpoint of the stage before it, from ``init``, or from scratch.

    ``run/keyframes`` holds the frozen parts in ``FluxPipeline`` layout; checkpoints go to
    ``run/checkpoints/keyframes/stage-N``.

    Args:
        stage: Pairs in a sequence.
        run: Where everything lies.
        config: What to train and how.
        progress: Told of the steps.
        data: A dataset that ``cinema sample`` has sampled; else the theatre is drawn.
        sequences: Where its manifests lie, if not in the dataset.
        init: A model to start from and to take the frozen parts of, in place of ``run/keyframes`` and of the
            stages before: "toy" for the embedded weights, or a folder.

    Returns:
        The stage's last checkpoint.

    Raises:
        InputError: the stage is unknown, the one before it has no checkpoint, or the data cannot be used.
        MissingError: there are no frozen parts, or no sequences of so many pairs.
    """
    if stage not in config.stages:
        known = ", ".join(str(s) for s in sorted(config.stages))
        raise InputError(f"A stage among {known} was wanted, found {stage}.")
    torch.manual_seed(config.stages[stage].loop.seed)
    opened = None if data is None else open_sequences(data, stage, sequences)
    base, checkpoints = run / "keyframes", run / "checkpoints" / "keyframes"
    if init is not None:
        base = model_folder(init, "keyframes")
    model, codec, text = _load_parts(base, config, trained=init is not None)
    modules: dict[str, nn.Module] = {
        "transformer": model,
        "text_encoder": text.clip,
        "text_encoder_2": text.t5,
    }
    for earlier in sorted(s for s in config.stages if s < stage and init is None):
        _take_over(checkpoints / f"stage-{earlier}", modules, progress)
    for module in (codec.vae, text.clip, text.t5):
        module.requires_grad_(False)
    if config.stages[stage].train_text:
        text.clip.requires_grad_(True)
        text.t5.requires_grad_(True)
    if opened is None:
        source = _theatre(stage, run / "cache", base, config, codec)
    else:
        source = _dataset(stage, run / "cache", config, codec, text, opened, progress)
    folder = checkpoints / f"stage-{stage}"
    refuse_other_data(folder, source)
    if config.compile:
        compile_blocks(model)
    task = KeyframeTask(model, codec, text, source, stage, config)
    return train(task, folder, config.stages[stage].loop, progress, f"keyframes, stage {stage}")


def _load_parts(
    base: Path, config: KeyframeTraining, trained: bool
) -> tuple[InterleavedFlux, ImageCodec, TextEncoder]:
    """The transformer, from the folder where it was trained already, and the parts that stay as they are."""
    if not (base / "vae").is_dir():
        raise MissingError(
            f"An autoencoder and text encoders were wanted in {base}, but there is no {base / 'vae'}. Make "
            "them as examples/toy-weights/README.md says, or take the embedded ones: --init toy."
        )
    if trained:
        model = InterleavedFlux.from_pretrained(base / "transformer").train()
    else:
        model = InterleavedFlux(**config.transformer.model_dump())
    codec, text = ImageCodec.load(base), TextEncoder.load(base, config.text_length)
    if trained:  # weights that are handed on are often in half precision, too coarse to be trained
        for module in (model, codec.vae, text.clip, text.t5):
            module.float()
    return model, codec, text


def _theatre(
    stage: int, cache: Path, base: Path, config: KeyframeTraining, codec: ImageCodec
) -> SequenceSource:
    """Movies of the theatre, drawn on demand."""
    if config.frame_size != FRAME_SIZE:
        raise InputError(f"frame_size: the theatre draws {FRAME_SIZE}, found {config.frame_size}.")
    latents = LatentCache(cache, weights_sha256(base / "vae"))
    wanted = config.stages[stage]
    return TheatreSequences(codec, latents, config.movies, wanted.shots or config.shots, wanted.describe)


def _dataset(
    stage: int,
    cache: Path,
    config: KeyframeTraining,
    codec: ImageCodec,
    text: TextEncoder,
    opened: tuple[list[Manifest], list[KeptFilm]],
    progress: Progress,
) -> SequenceSource:
    """Sequences that ``cinema sample`` drew; there is nothing to fall back to where they are missing."""
    if any(side % codec.patch for side in config.frame_size):
        raise InputError(f"frame_size: multiples of {codec.patch} were wanted, found {config.frame_size}.")
    wanted = config.stages[stage]
    manifests, films = opened
    cut = len(text.cut([shot.caption for film in films for shot in film.shots]))
    if cut:
        progress.say(f"{cut} captions have more than {text.length} text tokens and lose their end")
    frozen = None if wanted.train_text else text
    features = PairFeatures(films, codec, frozen, config.frame_size, cache, progress.say)
    return DatasetSequences(Loader(manifests, films, features, wanted.sequences, wanted.loop.seed))


def _take_over(folder: Path, modules: dict[str, nn.Module], progress: Progress) -> None:
    """Load what an earlier stage trained; its averaged weights are the better start."""
    checkpoint = newest_checkpoint(folder)
    if checkpoint is None:
        raise InputError(
            f"{folder}: this stage comes first (section 3.2), and it has no checkpoint. Train it."
        )
    for name, module in modules.items():
        if (checkpoint / "ema" / name).is_dir():
            module.load_state_dict(module_weights(checkpoint / "ema" / name))
    progress.say(f"Starting from {checkpoint}")
