"""Complete model folders, made of the true classes, tiny and with random weights."""

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, AutoencoderKLWan
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import CLIPTextConfig, CLIPTextModel, PreTrainedTokenizerFast, T5Config, T5EncoderModel

from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.video import InterleavedWan
from cinema_cli.theatre.screenplay import write_movie

FRAME_SIZE = (32, 64)
"""Height and width that the tiny models draw; 8 x 16 and 2 x 4 latents."""

VOCABULARY, TEXT, POOLED, LENGTH = 400, 16, 12, 96
SPECIAL = ["<pad>", "<s>", "<unk>", "</s>"]


def build_tiny_models(folder: Path, seed: int = 0) -> Path:
    """``keyframes`` as FluxPipeline lays it out, ``video`` as WanPipeline does, ``clip`` as open_clip."""
    torch.manual_seed(seed)
    words, t5 = tokenizer(), text_encoder()
    keyframes, video = folder / "keyframes", folder / "video"
    for place in (keyframes / "tokenizer", keyframes / "tokenizer_2", video / "tokenizer"):
        words.save_pretrained(place)
    for place in (keyframes / "text_encoder_2", video / "text_encoder"):
        t5.save_pretrained(place)
    pooled_encoder().save_pretrained(keyframes / "text_encoder")
    image_autoencoder().save_pretrained(keyframes / "vae")
    keyframe_transformer().save_pretrained(keyframes / "transformer")
    video_autoencoder().save_pretrained(video / "vae")
    video_transformer().save_pretrained(video / "transformer")
    for place, name in ((keyframes, "FluxPipeline"), (video, "WanPipeline")):
        (place / "model_index.json").write_text(json.dumps({"_class_name": name}))
    build_tiny_clip(folder / "clip")
    return folder


def build_tiny_clip(folder: Path) -> Path:
    """As open_clip's ``local-dir:`` reads it."""
    import open_clip  # takes seconds, and most tests of tiny models are done without

    config = {
        "embed_dim": 8,
        "vision_cfg": {"image_size": [16, 32], "patch_size": 8, "width": 16, "head_width": 8, "layers": 1},
        "text_cfg": {
            "context_length": LENGTH,
            "vocab_size": VOCABULARY,
            "hf_tokenizer_name": "tokenizer.json",
            "width": 16,
            "heads": 2,
            "layers": 1,
            "pool_type": "eos",
            "eos_id": SPECIAL.index("</s>"),
        },
    }
    tokenizer().save_pretrained(folder)
    save_file(open_clip.CLIP(**config).state_dict(), folder / "open_clip_model.safetensors")
    preprocess = {"mean": [0.5] * 3, "std": [0.25] * 3}
    written = json.dumps({"model_cfg": config, "preprocess_cfg": preprocess})
    (folder / "open_clip_config.json").write_text(written)
    return folder


def tokenizer() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(
        (s.caption for seed in range(20) for s in write_movie(seed, 8).shots), trainer
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", SPECIAL.index("</s>"))]
    )
    names = {"pad_token": "<pad>", "bos_token": "<s>", "unk_token": "<unk>", "eos_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=LENGTH, **names)


def pooled_encoder() -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=VOCABULARY,
        hidden_size=POOLED,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=LENGTH,
        projection_dim=POOLED,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=3,
    )
    return CLIPTextModel(config)


def text_encoder() -> T5EncoderModel:
    config = T5Config(
        vocab_size=VOCABULARY,
        d_model=TEXT,
        d_kv=8,
        d_ff=24,
        num_layers=1,
        num_heads=2,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
        pad_token_id=0,
        eos_token_id=3,
    )
    return T5EncoderModel(config)


def image_autoencoder() -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=2,
        mid_block_add_attention=False,
        use_quant_conv=False,
        use_post_quant_conv=False,
        shift_factor=0.0,
        scaling_factor=1.0,
    )


def keyframe_transformer() -> InterleavedFlux:
    return InterleavedFlux(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=12,
        num_attention_heads=2,
        joint_attention_dim=TEXT,
        pooled_projection_dim=POOLED,
        axes_dims_rope=(4, 4, 4),
    )


def video_autoencoder() -> AutoencoderKLWan:
    return AutoencoderKLWan(
        base_dim=4,
        decoder_base_dim=4,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_temporal=4,
        scale_factor_spatial=16,
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    )


def video_transformer() -> InterleavedWan:
    return InterleavedWan(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=4,
        out_channels=4,
        text_dim=TEXT,
        freq_dim=16,
        ffn_dim=32,
        num_layers=1,
    )
