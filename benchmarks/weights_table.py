"""How many bytes of weights lie on a device together, for models of true size and every way to lay them out.

The table of docs/hardware.md:

    python benchmarks/weights_table.py

Models are built without numbers, from the configs of their releases, and written as safetensors files that
are all header and hole; then ``models/thrift.py`` counts them as a command would.  FLUX.1-dev's transformer:
diffusers' defaults, which are its config, with guidance; its autoencoder, CLIP ViT-L and T5 1.1 XXL: by the
numbers of their configs, as known.  Wan2.2-TI2V-5B: ``video_cost.WAN_TI2V_5B``; UMT5 XXL and its autoencoder:
text_encoder/config.json of Wan's releases and vae/config.json of this one, as copies on the hub have them.
"""

import json
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderKLWan, FluxTransformer2DModel, WanTransformer3DModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel, UMT5Config, UMT5EncoderModel

from cinema_cli.models.contents import Part, read_contents
from cinema_cli.models.quantise import Quantise
from cinema_cli.models.thrift import Offload, component_bytes, group_bytes, lying
from cinema_cli.models.video_cost import WAN_TI2V_5B

WAYS: tuple[Offload, ...] = ("none", "sequential", "model", "group")
KINDS: tuple[tuple[str, Quantise], ...] = (("bf16", "none"), ("int8", "int8"), ("nf4", "nf4"))
XXL = {"d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_layers": 24, "num_heads": 64}

Builder = Callable[[], nn.Module]


def flux() -> dict[str, Builder]:
    """FLUX.1-dev's components."""
    clip = CLIPTextConfig(
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        vocab_size=49408,
    )
    return {
        "transformer": lambda: FluxTransformer2DModel(guidance_embeds=True),
        "vae": lambda: AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
            latent_channels=16,
            use_quant_conv=False,
            use_post_quant_conv=False,
        ),
        "text_encoder": lambda: CLIPTextModel(clip),
        "text_encoder_2": lambda: T5EncoderModel(
            T5Config(vocab_size=32128, feed_forward_proj="gated-gelu", **XXL)
        ),
    }


def wan() -> dict[str, Builder]:
    """Wan2.2-TI2V-5B's components."""
    names = (
        "num_layers",
        "attention_head_dim",
        "num_attention_heads",
        "ffn_dim",
        "in_channels",
        "out_channels",
    )
    sizes = {name: getattr(WAN_TI2V_5B, name) for name in (*names, "text_dim", "freq_dim", "patch_size")}
    return {
        "transformer": lambda: WanTransformer3DModel(**sizes),
        "vae": lambda: AutoencoderKLWan(
            base_dim=160,
            decoder_base_dim=256,
            z_dim=48,
            dim_mult=[1, 2, 4, 4],
            num_res_blocks=2,
            temperal_downsample=[False, True, True],
            is_residual=True,
            in_channels=12,
            out_channels=12,
            patch_size=2,
            scale_factor_temporal=4,
            scale_factor_spatial=16,
        ),
        "text_encoder": lambda: UMT5EncoderModel(UMT5Config(vocab_size=256384, **XXL)),
    }


MODELS: dict[str, tuple[Part, str, Callable[[], dict[str, Builder]]]] = {
    "FLUX.1-dev": ("keyframes", "FluxPipeline", flux),
    "Wan2.2-TI2V-5B": ("video", "WanPipeline", wan),
}


def hollow(folder: Path, pipeline: str, components: dict[str, Builder]) -> Path:
    """A model's folder whose weights take no room on the disk."""
    for name, build in components.items():
        with torch.device("meta"):
            model = build()
        place, tensors, end = folder / name, {}, 0
        for key, tensor in model.named_parameters():  # each once, however often it is used
            start, end = end, end + 2 * tensor.numel()
            tensors[key] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": [start, end]}
        head = json.dumps(tensors).encode()
        place.mkdir(parents=True)
        with (place / "model.safetensors").open("wb") as file:
            file.write(struct.pack("<Q", len(head)) + head)
            file.truncate(8 + len(head) + end)
        (place / "config.json").write_text(json.dumps({"_class_name": type(model).__name__}))
    for name in ("tokenizer", "tokenizer_2"):
        (folder / name).mkdir()
        (folder / name / "tokenizer.json").write_text("{}")
    (folder / "model_index.json").write_text(json.dumps({"_class_name": pipeline}))
    return folder


def counted(model: str) -> dict[str, Any]:
    """Parameters by component, and bytes at once by kind and way."""
    part, pipeline, components = MODELS[model]
    with tempfile.TemporaryDirectory() as place:
        folder = hollow(Path(place), pipeline, components())
        contents = read_contents(folder, part)
        at_once = {}
        for kind, quantise in KINDS:
            sizes = component_bytes(folder, contents, 2, quantise)
            groups = group_bytes(folder, contents, 2, quantise, sizes)
            at_once[kind] = {way: lying(sizes, way, groups) for way in WAYS}
        return {"parameters": {each.name: each.parameters for each in contents.components}, "bytes": at_once}


def rows() -> Iterator[str]:
    """The table in Markdown."""
    yield f"| model | kept as | {' | '.join(WAYS)} |"
    yield "|---|---|" + "---|" * len(WAYS)
    for model in MODELS:
        for kind, ways in counted(model)["bytes"].items():
            name = model if kind == KINDS[0][0] else ""
            yield f"| {name} | {kind} | {' | '.join(f'{ways[way] / 1e9:.1f}' for way in WAYS)} |"


def main() -> None:
    for model in MODELS:
        found = counted(model)["parameters"]
        print(model, ", ".join(f"{name} {count:,}" for name, count in found.items()))
    print("\n".join(rows()))


if __name__ == "__main__":
    main()
