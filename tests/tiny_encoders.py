"""Encoders as transformers saves them, made of the true classes, tiny and with random weights."""

from pathlib import Path

import torch
import transformers
from transformers import PreTrainedModel

from tiny_models import LENGTH, SPECIAL, VOCABULARY, tokenizer

SIDE = 16
"""Pixels along each side of what the models see."""

_SMALL = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}


def build_clip(folder: Path, seed: int = 0) -> Path:
    """CLIP, with its image processor and its tokenizer."""
    config = transformers.CLIPConfig(
        text_config={
            **_SMALL,
            "vocab_size": VOCABULARY,
            "max_position_embeddings": LENGTH,
            "pad_token_id": SPECIAL.index("<pad>"),
            "bos_token_id": SPECIAL.index("<s>"),
            "eos_token_id": SPECIAL.index("</s>"),
        },
        vision_config={**_SMALL, "image_size": SIDE, "patch_size": 8},
        projection_dim=12,
    )
    _save(transformers.CLIPModel, config, folder, seed)
    size = {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}}
    transformers.CLIPImageProcessor(**size).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def build_dinov2(folder: Path, seed: int = 0) -> Path:
    """DINOv2, which crops as its processor says."""
    config = transformers.Dinov2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, mlp_ratio=2, image_size=SIDE, patch_size=8
    )
    _save(transformers.Dinov2Model, config, folder, seed)
    size = {"size": {"shortest_edge": 20}, "crop_size": {"height": SIDE, "width": SIDE}}
    transformers.BitImageProcessor(**size).save_pretrained(folder)
    return folder


def build_dino(folder: Path, seed: int = 0) -> Path:
    """DINO: a ViT without a pooling layer."""
    config = transformers.ViTConfig(**_SMALL, image_size=SIDE, patch_size=8)
    _save(transformers.ViTModel, config, folder, seed, add_pooling_layer=False)
    transformers.ViTImageProcessor(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


def _save(
    cls: type[PreTrainedModel],
    config: transformers.PreTrainedConfig,
    folder: Path,
    seed: int,
    **options: bool,
) -> None:
    torch.manual_seed(seed)
    cls(config, **options).save_pretrained(folder)
