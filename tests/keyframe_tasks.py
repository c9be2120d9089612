"""Tasks of the keyframe model on the theatre, tiny and with random weights."""

from pathlib import Path

import torch

from cinema_cli.models.encoders import ImageCodec, TextEncoder
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.training.keyframes import KeyframeTask
from cinema_cli.training.latents import LatentCache
from cinema_cli.training.sequences import TheatreSequences
from keyframe_runs import tiny_training


def theatre_task(run: Path, pairs: int, *changes: str) -> KeyframeTask:
    """A stage of the toy preset, tiny; ``run`` holds its frozen parts."""
    made = tiny_training(*changes)
    codec = ImageCodec.load(run / "keyframes")
    data = TheatreSequences(codec, LatentCache(run / "cache", "a" * 64), 3, 8, made.stages[pairs].describe)
    text = TextEncoder.load(run / "keyframes", made.text_length)
    torch.manual_seed(0)
    return KeyframeTask(InterleavedFlux(**made.transformer.model_dump()), codec, text, data, pairs, made)
