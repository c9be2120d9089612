"""Stages of the keyframe model, each from the one before (paper, 3.2: 1 -> 8 -> 16 -> 32 pairs; Fig. 7)."""

import os
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from cinema_cli import runtime
from cinema_cli.errors import InputError, MissingError
from cinema_cli.models.encoders import ImageCodec, TextEncoder
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.quantise import quantise_blocks
from cinema_cli.models.quiet import quiet_libraries
from cinema_cli.models.weights import weights_sha256
from cinema_cli.progress import Progress
from cinema_cli.sampling.features import PairFeatures
from cinema_cli.sampling.kept import KeptFilm
from cinema_cli.sampling.loader import Loader
from cinema_cli.sampling.manifest import Manifest
from cinema_cli.sampling.sample import open_sequences
from cinema_cli.theatre.world import FRAME_SIZE
from cinema_cli.training.base import base_of, note_base, refuse_a_leap, trained_pairs
from cinema_cli.training.blocks import compile_blocks
from cinema_cli.training.checkpoint import module_weights, newest_checkpoint
from cinema_cli.training.held_out import hold_out
from cinema_cli.training.keyframe_config import KeyframeTraining
from cinema_cli.training.keyframes import KeyframeTask
from cinema_cli.training.latents import LatentCache
from cinema_cli.training.loop import train
from cinema_cli.training.lora import refuse_other_base
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
    anyway: bool = False,
    checkpoint: str | None = None,
    make: Callable[..., KeyframeTask] = KeyframeTask,
) -> Path:
    """Train a stage: from the newest checkpoint of the stage before it, from ``init``, or from scratch.

    The frozen parts are those of the model that the run was begun with (``init``), else ``run/keyframes``, in
    ``FluxPipeline`` layout; checkpoints go to ``run/checkpoints/keyframes/stage-N``.

    Args:
        stage: Pairs in a sequence.
        run: Where everything lies.
        config: What to train and how.
        progress: Told of the steps.
        data: A dataset that ``cinema sample`` has sampled; else the theatre is drawn.
        sequences: Where its manifests lie, if not in the dataset.
        init: A model to start from: "toy" for the embedded weights, or a folder.
        anyway: Train long sequences straight from a base, too.
        checkpoint: Name of the stage's checkpoint to go on from, if not its newest that is whole.
        make: What is trained, where more than the velocity is to be learned.

    Returns:
        The stage's last checkpoint.

    Raises:
        InputError: the stage is unknown, the one before it has no checkpoint, or the data cannot be used.
        MissingError: there are no frozen parts, or no sequences of so many pairs.
    """
    if stage not in config.stages:
        known = ", ".join(str(s) for s in sorted(config.stages))
        raise InputError(f"A stage among {known} was wanted, found {stage}.")
    if data is not None and config.stages[stage].subject_weight != 1:
        raise InputError(
            f"stages.{stage}.subject_weight: 1 was wanted with a dataset, found "
            f"{config.stages[stage].subject_weight:g}: where somebody is shown is known of the theatre only."
        )
    quiet_libraries()
    torch.manual_seed(config.stages[stage].loop.seed)
    opened = None if data is None else open_sequences(data, stage, sequences)
    base, checkpoints = base_of(run, init), run / "checkpoints" / "keyframes"
    before = _before(stage, config, base, checkpoints, anyway, progress)
    model, codec, text = _load_parts(base, config)
    modules: dict[str, nn.Module] = {
        "transformer": model,
        "text_encoder": text.clip,
        "text_encoder_2": text.t5,
    }
    for earlier in before:
        _take_over(earlier, modules, progress)
    quantise_blocks(model, config.quantise, runtime.device())
    if not config.stages[stage].train_text:
        quantise_blocks(text.t5, config.quantise, runtime.device())
    for module in (codec.vae, text.clip, text.t5, *([model] if config.lora else [])):
        module.to(runtime.device())  # the loop moves what it trains
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
    refuse_other_base(folder, config.quantise)
    note_base(run, init)
    task = make(model, codec, text, source, stage, config)
    if config.lora:
        for earlier in before:
            _take_over(earlier, {"lora": task.modules["lora"]}, progress)
    if config.checkpoint_every:
        model.checkpoint_every(config.checkpoint_every)
    if config.compile:  # after adapters are in
        compile_blocks(model)
    return train(task, folder, config.stages[stage].loop, progress, f"keyframes, stage {stage}", checkpoint)


def _before(
    stage: int, config: KeyframeTraining, base: Path, checkpoints: Path, anyway: bool, progress: Progress
) -> list[Path]:
    """Checkpoints to take over, oldest stage first: later ones hold less, the text encoders stay the first's.

    Raises:
        InputError: the stage before has none, and starting without it is what collapses.
    """
    earlier = [s for s in sorted(config.stages) if s < stage]
    newest = {s: newest_checkpoint(checkpoints / f"stage-{s}", progress.say) for s in earlier}
    found = {s: checkpoint for s, checkpoint in newest.items() if checkpoint is not None}
    whole = (base / "transformer").is_dir()
    known = max(found, default=trained_pairs(base) if whole else 0)
    if not whole and earlier and earlier[-1] not in found and not anyway:
        raise InputError(
            f"{checkpoints / f'stage-{earlier[-1]}'}: this stage comes first (section 3.2), and it has no "
            "checkpoint. Train it, start from a model with --init, or say --anyway."
        )
    refuse_a_leap(stage, earlier[-1] if earlier else None, known, anyway)
    return [found[s] for s in sorted(found)]


def _load_parts(base: Path, config: KeyframeTraining) -> tuple[InterleavedFlux, ImageCodec, TextEncoder]:
    """The transformer, from the base where it has one, and the parts that stay as they are."""
    codec, text = ImageCodec.load(base), TextEncoder.load(base, config.text_length, config.text_padding)
    if (base / "transformer").is_dir():
        dtype = torch.bfloat16 if config.lora and config.half_base else torch.float32
        model = InterleavedFlux.from_pretrained(base / "transformer", dtype=dtype).train()
        for module in (codec.vae, text.clip, text.t5):
            module.float()  # weights that are handed on are often in half precision, too coarse to be trained
        return model, codec, text
    if config.transformer is None:
        raise MissingError(
            f"{base / 'transformer'}: a model to start from was wanted, there is none. Name it: --init DIR."
        )
    return InterleavedFlux(**config.transformer.model_dump()), codec, text


def _theatre(
    stage: int, cache: Path, base: Path, config: KeyframeTraining, codec: ImageCodec
) -> SequenceSource:
    """Movies of the theatre, drawn on demand."""
    if config.frame_size != FRAME_SIZE:
        raise InputError(f"frame_size: the theatre draws {FRAME_SIZE}, found {config.frame_size}.")
    latents = LatentCache(cache, weights_sha256(base / "vae"))
    wanted = config.stages[stage]
    return TheatreSequences(
        codec,
        latents,
        config.movies,
        wanted.shots or config.shots,
        wanted.describe,
        wanted.span,
        wanted.company,
        wanted.returns,
    )


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
    kept = text if config.keep_words and not wanted.train_text else None
    features = PairFeatures(films, codec, kept, config.frame_size, cache, progress.say)
    takers = int(os.environ.get("WORLD_SIZE", "1")) // wanted.loop.context
    held = hold_out([film.name for film in films], config.held_out, progress)
    trained = [manifest.only(set(range(len(films))) - held) for manifest in manifests]
    loader = Loader(trained, films, features, wanted.sequences, wanted.loop.seed, stride=takers)
    apart = [part for part in (manifest.only(held) for manifest in manifests) if len(part.sequences)]
    if not apart:
        if held:
            progress.say(f"They have no sequence of {stage} pairs: what is trained on is shown")
        return DatasetSequences(loader)
    shown = Loader(apart, films, features, wanted.sequences, wanted.loop.seed, workers=0)
    return DatasetSequences(loader, shown, sorted(films[number].name for number in held))


def _take_over(checkpoint: Path, modules: dict[str, nn.Module], progress: Progress) -> None:
    """Load what an earlier stage trained; its averaged weights are the better start."""
    found = {name: checkpoint / "ema" / name for name in modules if (checkpoint / "ema" / name).is_dir()}
    for name, folder in found.items():
        modules[name].load_state_dict(module_weights(folder))
    if found:
        progress.say(f"Starting from {checkpoint}")
