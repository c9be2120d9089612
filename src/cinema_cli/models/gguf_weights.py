"""A transformer from a GGUF file, as diffusers reads it: weights stay in few bits, each restored when used.

The file holds the transformer alone; config, autoencoder and text encoders come from the model's folder.
diffusers does the work (``from_single_file`` with ``GGUFQuantizationConfig``); it leaves out without a word
what a file lacks, so names are compared here before.
"""

from pathlib import Path
from typing import Any, TypeVar

import torch
from accelerate import init_empty_weights
from diffusers.loaders.single_file_utils import convert_wan_transformer_to_diffusers
from diffusers.models.model_loading_utils import load_gguf_checkpoint
from diffusers.quantizers.quantization_config import GGUFQuantizationConfig
from torch import Tensor

from cinema_cli.errors import InputError
from cinema_cli.models.contents import read_config
from cinema_cli.models.flux_names import as_diffusers
from cinema_cli.models.gguf_fit import PREFIX, check_gguf

Model = TypeVar("Model")


def load_gguf(kind: type[Model], file: Path, folder: Path, dtype: torch.dtype) -> Model:
    """A transformer of a GGUF file, on the CPU.

    Args:
        kind: a class of diffusers for FLUX or Wan, or one made from it.
        file: with the weights.
        folder: of the model, whose ``transformer/config.json`` counts.
        dtype: in which it computes, and in which numbers of full precision are kept.

    Raises:
        InputError: it is another model, or lacks tensors.
        MissingError: it is not there, or the ``gguf`` package is not.
    """
    check_gguf(file, folder)
    tensors = _named(_read(file), folder)
    _compare(kind, tensors, file, folder)
    few = {name: tensor if tensor.ndim == 2 else _restored(tensor) for name, tensor in tensors.items()}
    model: Model = kind.from_single_file(  # type: ignore[attr-defined]
        few,
        config=str(folder),
        subfolder="transformer",
        quantization_config=GGUFQuantizationConfig(compute_dtype=dtype),
        dtype=dtype,
        local_files_only=True,
    )
    return model


def _read(file: Path) -> dict[str, Tensor]:
    """All tensors, by the names of the file."""
    try:
        return dict(load_gguf_checkpoint(str(file)))
    except (ValueError, KeyError) as error:  # what our look at the header let through
        raise InputError(
            f"{file}: a GGUF file was wanted, its reader says: {error}. Take another."
        ) from error


def _named(tensors: dict[str, Tensor], folder: Path) -> dict[str, Tensor]:
    """By diffusers' names."""
    config = read_config(folder / "transformer" / "config.json")
    plain = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()}
    if config["_class_name"] == "WanTransformer3DModel":
        return dict(convert_wan_transformer_to_diffusers(plain))
    return as_diffusers(plain, config["num_attention_heads"] * config["attention_head_dim"])


def _compare(kind: Any, tensors: dict[str, Tensor], file: Path, folder: Path) -> None:
    """Every tensor of the model is there, in its shape, and no other."""
    with init_empty_weights():
        model = kind.from_config(kind.load_config(folder / "transformer"))
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name: _shape(tensor) for name, tensor in tensors.items()}
    wrong = sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
    if wrong:
        name = wrong[0]
        raise InputError(
            f"{file}: {name}: {wanted.get(name, 'no such tensor')} was wanted, as in {folder}, found "
            f"{found.get(name, 'none')} ({len(wrong)} such tensors). Take the GGUF file of that very model."
        )


def _shape(tensor: Tensor) -> tuple[int, ...]:
    """Of the numbers that a tensor stands for."""
    return tuple(getattr(tensor, "quant_shape", tensor.shape))


def _restored(tensor: Tensor) -> Tensor:
    """In full precision, what is no weight of a linear layer: diffusers would take its bytes for numbers."""
    from diffusers.quantizers.gguf.utils import dequantize_gguf_tensor  # imports gguf, which may not be there

    return dequantize_gguf_tensor(tensor)
