"""Adapters beside a model: found in a file or a checkpoint, and compared with the weights that they adapt.

They are what ``training/lora.py`` exports, as stock pipelines know it: ``transformer.NAME.lora_A.weight`` of
shape (r, I) and ``lora_B`` of shape (O, r) beside the linear layer NAME of shape (O, I).

Shapes:  O outputs   I inputs   r rank
"""

import re
from pathlib import Path

from cinema_cli.errors import InputError, MissingError
from cinema_cli.models.contents import PICKLES, read_header, tensors_of

ADAPTER_NAME = "pytorch_lora_weights.safetensors"
PLACES = ("", "ema/lora", "lora")
"""In a folder: the file itself, or those of a checkpoint, whose average is the better one."""
PREFIX = "transformer."
_KEY = re.compile(r"transformer\.(.+)\.lora_([AB])\.weight")


def adapter_file(adapter: str | Path) -> Path:
    """The file of an adapter that is named by itself, by its folder or by a checkpoint's.

    Raises:
        InputError: it is a pickle or another kind of file.
        MissingError: there is none.
    """
    path = Path(adapter).expanduser()
    if path.suffix in PICKLES:
        raise InputError(
            f"{path}: an adapter as safetensors was wanted, found a pickle, which runs code when it is read."
        )
    if path.is_file():
        return path
    for place in PLACES:
        if (path / place / ADAPTER_NAME).is_file():
            return path / place / ADAPTER_NAME
    raise MissingError(
        f"{path}: {ADAPTER_NAME} was wanted, in it or in its lora/, found none. Give --adapter the file, or "
        "a checkpoint of a run with adapters."
    )


def check_adapter(file: Path, model: Path) -> int:
    """Compare an adapter with the transformer in a model's folder.

    Returns:
        Its rank; the largest where layers differ.

    Raises:
        InputError: it adapts layers that the model lacks or that have other sizes, or is of another kind.
    """
    layers = {
        name.removesuffix(".weight"): fact.shape for name, fact in tensors_of(model / "transformer").items()
    }
    ranks: dict[str, dict[str, int]] = {}
    for key, fact in read_header(file).items():
        found = _KEY.fullmatch(key)
        if found is None:
            if key.endswith(".alpha"):
                continue
            raise InputError(
                f"{file}: keys such as transformer.NAME.lora_A.weight were wanted, found {key}. Take an "
                "adapter in diffusers' layout."
            )
        name, side = found.groups()
        shape = layers.get(name)
        if shape is None:
            raise InputError(f"{file}: it adapts {name}, which {model} does not have. {_ADVICE}")
        rank, width = (fact.shape[0], fact.shape[-1]) if side == "A" else (fact.shape[-1], fact.shape[0])
        wanted = shape[-1] if side == "A" else shape[0]
        if len(fact.shape) != 2 or width != wanted:
            raise InputError(
                f"{file}: for {name} an adapter of {wanted} {'inputs' if side == 'A' else 'outputs'} was "
                f"wanted, as {model} has, found {width}. {_ADVICE}"
            )
        ranks.setdefault(name, {})[side] = rank
    for name, sides in ranks.items():
        if len(sides) != 2 or sides["A"] != sides["B"]:
            raise InputError(f"{file}: lora_A and lora_B of one rank were wanted for {name}, found {sides}.")
    if not ranks:
        raise InputError(f"{file}: adapted layers were wanted, found none.")
    return max(sides["A"] for sides in ranks.values())


_ADVICE = "Give the model that it was trained on with --model."
