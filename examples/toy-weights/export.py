"""Last step of the recipe: checkpoints and frozen parts become one folder of half-precision weights.

    python examples/toy-weights/export.py --run runs/toy --out src/cinema_cli/toy

The keyframe transformer is the mean of two stages' averaged weights (model soups, arXiv 2203.05482), or with
``--last`` what another run made of it.
``OUT/keyframes`` loads in a stock ``FluxPipeline``, ``OUT/video`` in Wan's layout.  ``keyframes/cinema.json``
tells on how many pairs the transformer was trained, and from which model the run started, if from any.
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from safetensors.torch import load_file, save_file
from torch import Tensor

from cinema_cli.config import load_preset
from cinema_cli.training.base import BASE_NAME, TRAINED_NAME
from cinema_cli.training.checkpoint import module_weights, newest_checkpoint

FLUX = {
    "_class_name": "FluxPipeline",
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "text_encoder_2": ["transformers", "T5EncoderModel"],
    "tokenizer": ["transformers", "PreTrainedTokenizerFast"],
    "tokenizer_2": ["transformers", "PreTrainedTokenizerFast"],
    "transformer": ["diffusers", "FluxTransformer2DModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
WAN = {
    "_class_name": "WanPipeline",
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "text_encoder": ["transformers", "T5EncoderModel"],
    "tokenizer": ["transformers", "PreTrainedTokenizerFast"],
    "transformer": ["diffusers", "WanTransformer3DModel"],
    "vae": ["diffusers", "AutoencoderKLWan"],
}


def mean_of(checkpoints: Sequence[Path]) -> dict[str, Tensor]:
    """The mean of the transformers' averaged weights."""
    each = [module_weights(checkpoint / "ema" / "transformer") for checkpoint in checkpoints]
    return {key: torch.stack([weights[key] for weights in each]).mean(dim=0) for key in each[0]}


def pairs_of(stage: Path) -> int:
    """Of a stage's folder, ``stage-16``."""
    return int(stage.name.rpartition("-")[2])


def export(
    frozen: Path,
    trained: list[Path],
    index: dict[str, object],
    shift: float,
    out: Path,
    soup: Sequence[Path] = (),
) -> None:
    """Frozen parts and what checkpoints trained of them, in bf16 for transformers and fp16 for the rest.

    Args:
        frozen: folder of the parts that the run started with.
        trained: checkpoints, the later ones over the earlier.
        index: ``model_index.json``.
        shift: of the noise levels.
        out: folder, made anew.
        soup: checkpoints whose mean is the transformer, if not that of the last of ``trained``.
    """
    if out.exists():
        shutil.rmtree(out)
    shutil.copytree(frozen, out)
    for checkpoint in trained:
        for part in (checkpoint / "ema").iterdir():
            if part.name in index:
                shutil.copytree(part, out / part.name, dirs_exist_ok=True)
    FlowMatchEulerDiscreteScheduler(shift=shift).save_pretrained(out / "scheduler")
    if soup:
        save_file(mean_of(soup), out / "transformer" / "diffusion_pytorch_model.safetensors")
    for path in out.rglob("*.safetensors"):
        dtype = torch.bfloat16 if path.parent.name == "transformer" else torch.float16
        save_file({k: v.to(dtype) for k, v in load_file(path).items()}, path, {"format": "pt"})
    (out / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")


def main() -> None:
    """Export whatever the run has."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, default=Path("runs/toy"))
    parser.add_argument("--out", type=Path, default=Path("src/cinema_cli/toy"))
    parser.add_argument("--stage", type=int, default=16, help="the keyframe stage to export")
    parser.add_argument("--soup", type=int, nargs="*", default=[8, 16], help="stages whose mean is exported")
    parser.add_argument("--last", type=Path, help="a run that went on from it: its longest stage")
    options = parser.parse_args()
    checkpoints = options.run / "checkpoints"
    stages = sorted({1, options.stage})
    keyframes = [newest_checkpoint(checkpoints / "keyframes" / f"stage-{n}") for n in stages]
    preset = load_preset("toy")
    soup = [newest_checkpoint(checkpoints / "keyframes" / f"stage-{n}") for n in options.soup]
    if options.last:
        longest = max((options.last / "checkpoints" / "keyframes").iterdir(), key=pairs_of)
        soup = [newest_checkpoint(longest)]
    for name, trained, mixed, index, shift in (
        ("keyframes", keyframes, soup, FLUX, preset["train_keyframes"]["shift"]),
        ("video", [newest_checkpoint(checkpoints / "video")], [], WAN, preset["train_video"]["shift"]),
    ):
        found = [checkpoint for checkpoint in trained if checkpoint is not None]
        if not found:
            print(f"{name}: no checkpoint yet, left out")
            continue
        blended = [checkpoint for checkpoint in mixed if checkpoint is not None]
        export(options.run / name, found, index, shift, options.out / name, blended)
        if name == "keyframes":
            noted = options.run / BASE_NAME
            started = json.loads(noted.read_text()) if noted.is_file() else {}
            record = {"pairs": options.stage} | ({"base": started[name]} if name in started else {})
            (options.out / name / TRAINED_NAME).write_text(json.dumps(record) + "\n")
    size = sum(path.stat().st_size for path in options.out.rglob("*") if path.is_file())
    print(f"{options.out}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
