"""Folders of stock models in their true layouts, as diffusers' own pipelines save them; tiny and random."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLFlux2,
    AutoencoderKLQwenImage,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Pipeline,
    Flux2Transformer2DModel,
    FluxKontextPipeline,
    FluxTransformer2DModel,
    QwenImageEditPlusPipeline,
    QwenImageTransformer2DModel,
    UniPCMultistepScheduler,
    WanPipeline,
    WanTransformer3DModel,
)
from transformers import (
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    PixtralImageProcessor,
    PixtralProcessor,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLImageProcessor,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
    Qwen3Config,
    Qwen3ForCausalLM,
    UMT5Config,
    UMT5EncoderModel,
)

from tiny_models import (
    POOLED,
    TEXT,
    VOCABULARY,
    image_autoencoder,
    pooled_encoder,
    text_encoder,
    tokenizer,
    video_autoencoder,
)


def build_stock_wan(folder: Path, seed: int = 0) -> Path:
    """Wan2.2-TI2V: its index gives timesteps to tokens, its scheduler is UniPC with a shift of 5."""
    torch.manual_seed(seed)
    WanPipeline(
        tokenizer=tokenizer(),
        text_encoder=UMT5EncoderModel(
            UMT5Config(
                vocab_size=VOCABULARY,
                d_model=TEXT,
                d_kv=8,
                d_ff=24,
                num_layers=1,
                num_heads=2,
                pad_token_id=0,
            )
        ),
        vae=video_autoencoder(),
        scheduler=UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0, num_train_timesteps=1000
        ),
        transformer=WanTransformer3DModel(
            num_attention_heads=2,
            attention_head_dim=12,
            in_channels=4,
            out_channels=4,
            text_dim=TEXT,
            freq_dim=16,
            ffn_dim=32,
            num_layers=1,
        ),
        expand_timesteps=True,
    ).save_pretrained(folder)
    return folder


def build_stock_kontext(folder: Path, seed: int = 0) -> Path:
    """FLUX.1-Kontext."""
    torch.manual_seed(seed)
    FluxKontextPipeline(
        scheduler=flow_scheduler(),
        vae=image_autoencoder(),
        text_encoder=pooled_encoder(),
        tokenizer=tokenizer(),
        text_encoder_2=text_encoder(),
        tokenizer_2=tokenizer(),
        transformer=FluxTransformer2DModel(
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=12,
            num_attention_heads=2,
            joint_attention_dim=TEXT,
            pooled_projection_dim=POOLED,
            axes_dims_rope=(4, 4, 4),
            guidance_embeds=True,
        ),
    ).save_pretrained(folder)
    return folder


def flow_scheduler() -> FlowMatchEulerDiscreteScheduler:
    return FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True)


def build_stock_klein(folder: Path, seed: int = 0) -> Path:
    """FLUX.2 klein: its words are three layers of Qwen3, the last of them the 27th."""
    torch.manual_seed(seed)
    language = Qwen3Config(
        vocab_size=len(chatting_tokenizer()),
        hidden_size=8,
        intermediate_size=16,
        num_hidden_layers=27,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=4,
    )
    Flux2KleinPipeline(
        scheduler=flow_scheduler(),
        vae=flux_2_autoencoder(),
        text_encoder=Qwen3ForCausalLM(language),
        tokenizer=chatting_tokenizer(),
        transformer=flux_2_transformer(guidance_embeds=False),
        is_distilled=True,
    ).save_pretrained(folder)
    return folder


def build_stock_flux_2(folder: Path, seed: int = 0) -> Path:
    """FLUX.2 [dev]: its words are three layers of Mistral 3, the last of them the 30th."""
    torch.manual_seed(seed)
    words = chatting_tokenizer()
    language = {
        "model_type": "mistral",
        "vocab_size": len(words),
        "hidden_size": 8,
        "intermediate_size": 16,
        "num_hidden_layers": 30,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 4,
    }
    sight = {
        "model_type": "pixtral",
        "hidden_size": 8,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 28,
        "patch_size": 14,
    }
    config = Mistral3Config(text_config=language, vision_config=sight, image_token_index=PICTURE_TOKEN)
    Flux2Pipeline(
        scheduler=flow_scheduler(),
        vae=flux_2_autoencoder(),
        text_encoder=Mistral3ForConditionalGeneration(config),
        tokenizer=PixtralProcessor(
            PixtralImageProcessor(), words, patch_size=14, chat_template=words.chat_template
        ),
        transformer=flux_2_transformer(guidance_embeds=True),
    ).save_pretrained(folder)
    return folder


def flux_2_transformer(guidance_embeds: bool) -> Flux2Transformer2DModel:
    return Flux2Transformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=3 * 8,
        timestep_guidance_channels=16,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=guidance_embeds,
    )


def flux_2_autoencoder() -> AutoencoderKLFlux2:
    return AutoencoderKLFlux2(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=2,
        mid_block_add_attention=False,
    )


def build_stock_qwen(folder: Path, seed: int = 0) -> Path:
    """Qwen-Image-Edit-2509: words and pictures by Qwen2.5-VL, pictures by an autoencoder of clips."""
    torch.manual_seed(seed)
    words = chatting_tokenizer()
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(words),
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [1, 1, 2]},
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 3,
        },
        vision_config={
            "depth": 1,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 2,
            "out_hidden_size": 16,
        },
        image_token_id=words.convert_tokens_to_ids("<|image_pad|>"),
        video_token_id=words.convert_tokens_to_ids("<|video_pad|>"),
        vision_start_token_id=words.convert_tokens_to_ids("<|vision_start|>"),
        vision_end_token_id=words.convert_tokens_to_ids("<|vision_end|>"),
    )
    QwenImageEditPlusPipeline(
        scheduler=flow_scheduler(),
        vae=AutoencoderKLQwenImage(
            base_dim=4,
            z_dim=4,
            dim_mult=[1, 1, 1],
            num_res_blocks=1,
            temperal_downsample=[False, True],
            latents_mean=[0.0] * 4,
            latents_std=[1.0] * 4,
        ),
        text_encoder=Qwen2_5_VLForConditionalGeneration(config),
        tokenizer=words,
        processor=Qwen2VLProcessor(Qwen2VLImageProcessor(), words, Qwen2VLVideoProcessor()),
        transformer=QwenImageTransformer2DModel(
            in_channels=16,
            out_channels=4,
            num_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=16,
            axes_dims_rope=(4, 6, 6),
        ),
    ).save_pretrained(folder)
    return folder


PICTURE_TOKEN = VOCABULARY
"""The first token behind the tiny tokenizer's own."""


def chatting_tokenizer() -> PreTrainedTokenizerFast:
    """The tiny tokenizer with a chat template, and the marks of pictures that FLUX.2 and Qwen read."""
    words = tokenizer()
    pictures = ["[IMG]", "[IMG_BREAK]", "[IMG_END]"]
    marks = ["<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"]
    words.add_special_tokens(
        {"additional_special_tokens": [*pictures, *marks, "<|image_pad|>", "<|video_pad|>"]}
    )
    words.chat_template = (
        "{% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}"
        "{% for c in m.content %}{{ c.text }}{% endfor %}{% endif %}{% endfor %}"
    )
    return words


BUILDERS = {
    "kontext": build_stock_kontext,
    "klein": build_stock_klein,
    "flux-2": build_stock_flux_2,
    "qwen": build_stock_qwen,
}
"""Editors."""
