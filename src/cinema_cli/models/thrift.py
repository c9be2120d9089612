"""How memory is saved while a film is made: which components lie on the device together, by arithmetic.

``none``: all of them.  ``sequential``: the text encoders are read first, asked for every caption of the run
and freed; then transformer and autoencoder are read.  ``model``: all lie in the machine's memory and take
turns on the device.  Counted are weights, and a share of the device is left to what a step needs beside them:
a rule of thumb, for that depends on the film (``cinema plan --dry-run`` tells it).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cinema_cli.config import Config
from cinema_cli.errors import MissingError
from cinema_cli.models.contents import Contents, read_config, size_words, tensors_of
from cinema_cli.models.quantise import BYTES, Quantise
from cinema_cli.models.room import device_memory, machine_memory

if TYPE_CHECKING:
    import torch

Offload = Literal["none", "sequential", "model"]

TEXT = ("text_encoder", "text_encoder_2")
"""Components that read words."""
WORKING = 0.15
"""The share of a device that is left to what a step needs beside weights (ours)."""
DECODING = {"AutoencoderKL": 1200, "AutoencoderKLWan": 6900}
"""Numbers that an autoencoder of FLUX's and of Wan2.2's size needs at once for a pixel of a frame: measured
in fp32 on a CPU with random weights, 1162 to 1214 and 6730 to 7130; on a GPU it may be others."""
_IN_A_BLOCK = re.compile(
    r"(.*\.)?(block|blocks|transformer_blocks|single_transformer_blocks)\.\d+\..*(?<!attention_bias)\.weight"
)
"""Weights of two dimensions of such names are linear layers; T5's table of distances is none."""


class ThriftConfig(Config):
    """How the memory of the machine is saved while keyframes are drawn and clips are made."""

    offload: Offload | Literal["auto"] = "auto"
    """Which components lie on the device together; ``auto``: as many as fit."""
    tile: bool | Literal["auto"] = "auto"
    """Decode in tiles, whose seams are blended; ``auto``: where a whole frame would not fit."""
    quantise: Quantise = "none"
    """Keep the linear layers of transformer and T5 in few bits; pictures change a little."""


@dataclass(frozen=True)
class Thrift:
    """What was chosen."""

    offload: Offload = "none"
    tile: bool = False
    quantise: Quantise = "none"
    told: str = ""
    """In one line, with the reason."""


def choose_thrift(
    folder: Path,
    contents: Contents,
    config: ThriftConfig,
    device: "torch.device",
    dtype: "torch.dtype",
    frame_size: tuple[int, int],
) -> Thrift:
    """How a model is laid out on a device.

    Raises:
        MissingError: it does not fit, however it is laid out, or not as the config asks.
    """
    sizes = component_bytes(folder, contents, dtype.itemsize, config.quantise)
    memory = device_memory(device)
    offload = _offload(sizes, config, device.type, memory, machine_memory(), str(folder))
    left = memory - lying(sizes, offload, decoding=True)
    wanted = decoding_bytes(folder, frame_size, dtype.itemsize)
    tile = wanted > left if config.tile == "auto" else config.tile
    kept = "" if config.quantise == "none" else f" in {config.quantise}"
    told = (
        f"memory: offload {offload}, {size_words(lying(sizes, offload))} of "
        f"{size_words(sum(sizes.values()))} of weights{kept} at once on {device.type}, which has "
        f"{size_words(memory)}; {'in tiles' if tile else 'whole frames'} decoded"
    )
    return Thrift(offload, tile, config.quantise, told)


def component_bytes(folder: Path, contents: Contents, itemsize: int, quantise: Quantise) -> dict[str, int]:
    """Of each component's weights in memory."""
    sizes = contents.bytes_as(itemsize)
    if quantise != "none":
        for name in set(sizes) & {"transformer", quantised_text(contents)}:
            few = sum(
                fact.count
                for tensor, fact in tensors_of(folder / name).items()
                if _IN_A_BLOCK.fullmatch(tensor) and len(fact.shape) == 2
            )
            sizes[name] -= few * itemsize - round(few * BYTES[quantise])
    return sizes


def quantised_text(contents: Contents) -> str:
    """The component that is T5: CLIP beside it is small."""
    return TEXT[1] if any(part.name == TEXT[1] for part in contents.components) else TEXT[0]


def lying(sizes: Mapping[str, int], offload: Offload, decoding: bool = False) -> int:
    """Bytes of weights that lie on the device together: at most, or while latents are decoded."""
    text = sum(size for name, size in sizes.items() if name in TEXT)
    others = sum(sizes.values()) - text
    if offload == "none":
        return text + others
    if offload == "sequential":
        return others if decoding else max(text, others)
    return sizes["vae"] if decoding else max(sizes.values())


def decoding_bytes(folder: Path, frame_size: tuple[int, int], itemsize: int) -> int:
    """What decoding a whole frame, or the frames of one latent frame, needs beside weights: about."""
    kind = str(read_config(folder / "vae" / "config.json").get("_class_name"))
    return DECODING.get(kind, max(DECODING.values())) * itemsize * frame_size[0] * frame_size[1]


def _offload(
    sizes: Mapping[str, int], config: ThriftConfig, device: str, memory: int, ram: int, what: str
) -> Offload:
    """The fastest that fits with room to work, else the thriftiest that fits at all."""
    if config.offload != "auto":
        _require(sizes, config.offload, device, memory, what)
        return config.offload
    ways: list[Offload] = ["none", "sequential"]
    if device != "cpu" and sum(sizes.values()) <= ram:  # on the CPU they have only one place to lie
        ways.append("model")
    for way in ways:
        if lying(sizes, way) <= (1 - WORKING) * memory:
            return way
    thriftiest = min(ways, key=lambda way: lying(sizes, way))
    _require(sizes, thriftiest, device, memory, what)
    return thriftiest


def _require(sizes: Mapping[str, int], offload: Offload, device: str, memory: int, what: str) -> None:
    needed = lying(sizes, offload)
    if needed > memory:
        largest = max(sizes, key=lambda name: sizes[name])
        raise MissingError(
            f"{what}: room for {size_words(needed)} of weights at once (offload={offload}) was wanted, but "
            f"{device} has {size_words(memory)}; the largest part is {largest} with "
            f"{size_words(sizes[largest])}. Take --set offload=auto, --set quantise=int8 or nf4, or a larger "
            "device."
        )
