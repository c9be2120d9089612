"""Which models fit ``InterleavedFlux`` and ``InterleavedWan``, by their configs, before weights are read.

Both take the stock transformer of FLUX.1 or Wan as it is; what they cannot take has other inputs: an image
encoder, two transformers in turn, another patch.  Sizes of parts that belong together are compared as well.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cinema_cli.errors import InputError
from cinema_cli.models.contents import EDITORS, INDEX_NAME, RECORD_NAME, Part, read_config

PIPELINES: dict[str, Part] = {
    "FluxPipeline": "keyframes",
    "WanPipeline": "video",
    "WanImageToVideoPipeline": "video",
    **dict.fromkeys(EDITORS, "keyframes"),
}
"""What a folder is, by the pipeline that its ``model_index.json`` names."""
TRANSFORMERS: dict[Part, str] = {"keyframes": "FluxTransformer2DModel", "video": "WanTransformer3DModel"}
EDITOR_TRANSFORMERS = {
    "FluxKontextPipeline": "FluxTransformer2DModel",
    "Flux2Pipeline": "Flux2Transformer2DModel",
    "Flux2KleinPipeline": "Flux2Transformer2DModel",
    "QwenImageEditPlusPipeline": "QwenImageTransformer2DModel",
}
LIKE: dict[Part, str] = {
    "keyframes": "a FLUX.1 such as black-forest-labs/FLUX.1-dev",
    "video": "a Wan such as Wan-AI/Wan2.2-TI2V-5B-Diffusers",
}


def part_of(folder: Path) -> Part:
    """What a folder in diffusers' layout does.

    Raises:
        InputError: its pipeline is another one.
    """
    name = str(read_config(folder / INDEX_NAME).get("_class_name", "none"))
    if name not in PIPELINES:
        raise InputError(
            f"{folder}: {' or '.join(PIPELINES)} was wanted, found {name}. "
            f"Take {LIKE['keyframes']}, or {LIKE['video']}."
        )
    return PIPELINES[name]


def refuse_other_architectures(folder: Path, part: Part) -> None:
    """Compare the configs of a model's components.

    Raises:
        InputError: the transformer is one that ours cannot be, or the parts do not belong together.
    """
    found = part_of(folder)
    if found != part:
        verb, command = (
            ("makes clips", "cinema render") if found == "video" else ("draws keyframes", "cinema plan")
        )
        raise InputError(
            f"{folder}: {LIKE[part]} was wanted, found a model that {verb}: it is for {command}."
        )
    index, transformer = read_config(folder / INDEX_NAME), read_config(folder / "transformer" / "config.json")
    kind, pipeline = transformer.get("_class_name"), str(index.get("_class_name"))
    wanted = EDITOR_TRANSFORMERS.get(pipeline, TRANSFORMERS[part])
    if kind != wanted:
        raise InputError(f"{folder / 'transformer'}: {wanted} was wanted, found {kind}. Take {LIKE[part]}.")
    if pipeline in EDITORS:  # diffusers' own pipeline runs it, with whatever parts it has
        return
    vae = read_config(folder / "vae" / "config.json")
    if part == "keyframes":
        text, pooled = (
            _text(folder, "text_encoder_2", "d_model"),
            _text(folder, "text_encoder", "hidden_size"),
        )
        _refuse(folder, _flux(transformer, vae, text, pooled), part)
    else:
        _refuse(folder, _wan(index, transformer, vae, _text(folder, "text_encoder", "d_model")), part)


def pipeline_of(folder: Path) -> str:
    """The pipeline that a model's index names."""
    return str(read_config(folder / INDEX_NAME).get("_class_name", ""))


def refuse_editors(folder: Path) -> None:
    """Raise InputError where a model draws beside reference pictures, which is another task than ours."""
    if pipeline_of(folder) in EDITORS:
        raise InputError(
            f"{folder}: {LIKE['keyframes']} was wanted, found {pipeline_of(folder)}, which draws as it is "
            "and is not trained, adapted or estimated here. Use it with cinema plan --model."
        )


def starts_from_keyframes(folder: Path) -> bool:
    """Whether a video model was trained to go on from a clean first frame, by a timestep of its own.

    Wan2.2-TI2V was (its index says ``expand_timesteps``, and no other model has its autoencoder), as is what
    was trained here; Wan2.1 knows one timestep for all frames.
    """
    return (
        bool(read_config(folder / INDEX_NAME).get("expand_timesteps"))
        or bool(read_config(folder / "vae" / "config.json").get("is_residual"))
        or (folder / RECORD_NAME).is_file()
    )


def refuse_no_keyframes(folder: Path) -> None:
    """Raise InputError where a video model would not start from the keyframe that it is given."""
    if not starts_from_keyframes(folder):
        raise InputError(
            f"{folder}: a model that starts a clip from its keyframe was wanted, found one that knows text "
            f"alone, such as Wan2.1. Take {LIKE['video']}, give an --adapter, or train it: cinema "
            "train-video."
        )


def _text(folder: Path, name: str, field: str) -> Any:
    """Width of a text encoder."""
    return read_config(folder / name / "config.json").get(field)


Fault = tuple[str, Any, Any]
"""What, as it was wanted and as it was found."""


def _flux(transformer: Mapping[str, Any], vae: Mapping[str, Any], text: Any, pooled: Any) -> list[Fault]:
    channels = 4 * int(vae.get("latent_channels", 0))
    out = transformer.get("out_channels") or transformer.get("in_channels")
    axes = sum(transformer.get("axes_dims_rope") or ())
    return [
        ("transformer: patch_size", 1, transformer.get("patch_size", 1)),
        ("transformer: in_channels", channels, transformer.get("in_channels")),
        ("transformer: out_channels", channels, out),
        ("transformer: sum of axes_dims_rope", transformer.get("attention_head_dim"), axes),
        ("text_encoder_2: d_model", transformer.get("joint_attention_dim"), text),
        ("text_encoder: hidden_size", transformer.get("pooled_projection_dim"), pooled),
    ]


def _wan(
    index: Mapping[str, Any], transformer: Mapping[str, Any], vae: Mapping[str, Any], text: Any
) -> list[Fault]:
    second = [each for each in index.get("transformer_2") or () if each]
    return [
        ("model_index.json: transformer_2", None, second or None),
        ("transformer: image_dim", None, transformer.get("image_dim")),
        ("transformer: added_kv_proj_dim", None, transformer.get("added_kv_proj_dim")),
        ("transformer: patch_size", [1, 2, 2], list(transformer.get("patch_size", (1, 2, 2)))),
        ("transformer: in_channels", vae.get("z_dim", 16), transformer.get("in_channels")),
        ("transformer: out_channels", vae.get("z_dim", 16), transformer.get("out_channels")),
        ("text_encoder: d_model", transformer.get("text_dim"), text),
    ]


def _refuse(folder: Path, faults: list[Fault], part: Part) -> None:
    for what, wanted, found in faults:
        if wanted != found:
            told = "nothing" if wanted is None else wanted
            raise InputError(f"{folder}: {what}: {told} was wanted, found {found}. Take {LIKE[part]}.")
