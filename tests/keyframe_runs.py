"""Runs of the keyframe model, tiny and with random weights."""

from pathlib import Path

import torch

from cinema_cli.config import build, load_preset, with_overrides
from cinema_cli.training.keyframe_config import KeyframeTraining
from tiny_models import image_autoencoder, pooled_encoder, text_encoder, tokenizer

TINY = [
    "transformer.in_channels=16",
    "transformer.num_layers=1",
    "transformer.num_single_layers=1",
    "transformer.attention_head_dim=12",
    "transformer.num_attention_heads=2",
    "transformer.joint_attention_dim=16",
    "transformer.pooled_projection_dim=12",
    "transformer.axes_dims_rope=[4, 4, 4]",
    "movies=3",
    "text_length=24",
    "preview_steps=1",
    "compile=false",
    "stages.1.sequences=2",
    "stages.4.sequences=1",
    "stages.8.sequences=1",
    "stages.8.positions=null",  # 0 to 7
    "stages.8.golden=0",  # frames this small would shrink to nothing
    *(f"stages.{s}.loop.{x}" for s in (1, 4, 8) for x in ("steps=2", "preview_every=2", "save_every=2")),
]


def tiny_training(*changes: str) -> KeyframeTraining:
    """The toy preset, tiny."""
    data = with_overrides(load_preset("toy")["train_keyframes"], [*TINY, *changes])
    return build(KeyframeTraining, data, "test")


def frozen_parts(folder: Path) -> Path:
    """A run's folder with an autoencoder and text encoders, as the recipe leaves them."""
    torch.manual_seed(0)
    for place in ("tokenizer", "tokenizer_2"):
        tokenizer().save_pretrained(folder / "keyframes" / place)
    pooled_encoder().save_pretrained(folder / "keyframes" / "text_encoder")
    text_encoder().save_pretrained(folder / "keyframes" / "text_encoder_2")
    image_autoencoder().save_pretrained(folder / "keyframes" / "vae")
    return folder
