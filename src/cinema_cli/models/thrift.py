"""How memory is saved while a film is made: which components lie on the device together, by arithmetic.

``none``: all of them.  ``sequential``: the text encoders are read first, asked for every caption of the run
and freed; then transformer and autoencoder are read.  ``model``: all lie in the machine's memory and take
turns on the device.  ``group``: so they do, and of transformer and T5 only a few layers lie there at once.
Counted are weights, and a share of the device is left to what a step needs beside them: a rule of thumb, for
that depends on the film (``cinema plan --dry-run`` tells it).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cinema_cli.config import Config
from cinema_cli.errors import MissingError
from cinema_cli.models.contents import EDITORS, Contents, TensorFact, read_config, size_words, tensors_of
from cinema_cli.models.gguf_header import read_gguf_header
from cinema_cli.models.quantise import BYTES, Quantise
from cinema_cli.models.room import device_memory, machine_memory

if TYPE_CHECKING:
    import torch

Offload = Literal["none", "sequential", "model", "group"]

TEXT = ("text_encoder", "text_encoder_2")
"""Components that read words."""
TURNS = ("model", "group")
"""Ways in which components wait in the machine's memory for the device; the CPU is no other place."""
WORKING = 0.15
"""The share of a device that is left to what a step needs beside weights (ours)."""
DECODING = {"AutoencoderKL": 1200, "AutoencoderKLWan": 6900}
"""Numbers that an autoencoder of FLUX's and of Wan2.2's size needs at once for a pixel of a frame: measured
in fp32 on a CPU with random weights, 1162 to 1214 and 6730 to 7130; on a GPU it may be others."""
_IN_A_BLOCK = re.compile(
    r"(.*\.)?(block|blocks|transformer_blocks|single_transformer_blocks)\.\d+\..*(?<!attention_bias)\.weight"
)
"""Weights of two dimensions of such names are linear layers; T5's table of distances is none."""
_BLOCK = re.compile(r"(?:.*\.)?(?:blocks|\w+_blocks)\.\d+\.")
"""How the name of a transformer's weight begins that lies in a block, in GGUF files as well."""


class ThriftConfig(Config):
    """How the memory of the machine is saved while keyframes are drawn and clips are made."""

    offload: Offload | Literal["auto"] = "auto"
    """Which components lie on the device together; ``auto``: as many as fit."""
    tile: bool | Literal["auto"] = "auto"
    """Decode in tiles, whose seams are blended; ``auto``: where a whole frame would not fit."""
    quantise: Quantise = "none"
    """Keep the linear layers of transformer and T5 in few bits; pictures change a little."""
    transformer: str | None = None
    """A GGUF file in place of the model's transformer, which ``quantise`` then leaves as it is."""

    @property
    def gguf(self) -> Path | None:
        """That file."""
        return None if self.transformer is None else Path(self.transformer).expanduser()


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
    groups = group_bytes(folder, contents, dtype.itemsize, config.quantise, sizes)
    memory = device_memory(device)
    editor = contents.pipeline in EDITORS
    offload = _offload(sizes, groups, config, device.type, memory, machine_memory(), str(folder), editor)
    left = memory - lying(sizes, offload, groups, decoding=True)
    wanted = decoding_bytes(folder, frame_size, dtype.itemsize)
    tile = wanted > left if config.tile == "auto" else config.tile
    told = (
        f"memory: offload {offload}{_idle(config.offload, offload)}, "
        f"{size_words(lying(sizes, offload, groups))} of {size_words(sum(sizes.values()))} of weights"
        f"{_kept(contents, config.quantise)} at once on {device.type}, which has {size_words(memory)}; "
        f"{'in tiles' if tile else 'whole frames'} decoded"
    )
    return Thrift(offload, tile, config.quantise, told)


def _idle(asked: str, taken: Offload) -> str:
    return f" ({asked} saves nothing on a CPU)" if asked in TURNS and taken == "none" else ""


def _kept(contents: Contents, quantise: Quantise) -> str:
    """How weights are kept, where it is not as they are computed."""
    kinds = ["GGUF"] if contents.gguf is not None else []
    kinds += [] if quantise == "none" else [quantise]
    return f" in {' and '.join(kinds)}" if kinds else ""


def component_bytes(folder: Path, contents: Contents, itemsize: int, quantise: Quantise) -> dict[str, int]:
    """Of each component's weights in memory."""
    sizes = contents.bytes_as(itemsize)
    if quantise != "none":
        for name in set(sizes) & {"transformer", quantised_text(contents)}:
            sizes[name] = sum(_tensor_bytes(folder, contents, name, itemsize, quantise).values())
    return sizes


def group_bytes(
    folder: Path, contents: Contents, itemsize: int, quantise: Quantise, sizes: Mapping[str, int]
) -> dict[str, int]:
    """Of each component's weights that lie on the device together where layers come one by one: about.

    Of a transformer what is outside its blocks and two blocks, one of which is on its way; of T5 two layers.
    """
    blocks: Counter[str] = Counter()
    for tensor, size in _tensor_bytes(folder, contents, "transformer", itemsize, quantise).items():
        found = _BLOCK.match(tensor)
        blocks[found[0] if found else ""] += size
    outside = blocks.pop("", 0)
    text = quantised_text(contents)
    layers = _tensor_bytes(folder, contents, text, itemsize, quantise).values()
    few = {"transformer": outside + _two_largest(blocks.values()), text: _two_largest(layers)}
    return {**sizes, **few}


def _two_largest(sizes: Iterable[int]) -> int:
    return sum(sorted(sizes)[-2:])


def _tensor_bytes(
    folder: Path, contents: Contents, name: str, itemsize: int, quantise: Quantise
) -> dict[str, int]:
    """Of each tensor of a component, as it is kept in memory."""
    if name == "transformer" and contents.gguf is not None:
        found = read_gguf_header(contents.gguf).tensors
        return {key: fact.bytes if fact.packed else fact.count * itemsize for key, fact in found.items()}

    def kept(key: str, fact: TensorFact) -> int:
        few = quantise != "none" and _IN_A_BLOCK.fullmatch(key) and len(fact.shape) == 2
        return round(fact.count * BYTES[quantise]) if few else fact.count * itemsize

    return {key: kept(key, fact) for key, fact in tensors_of(folder / name).items()}


def quantised_text(contents: Contents) -> str:
    """The component that is T5: CLIP beside it is small."""
    return TEXT[1] if any(part.name == TEXT[1] for part in contents.components) else TEXT[0]


def lying(
    sizes: Mapping[str, int],
    offload: Offload,
    groups: Mapping[str, int] | None = None,
    decoding: bool = False,
) -> int:
    """Bytes of weights that lie on the device together: at most, or while latents are decoded."""
    text = sum(size for name, size in sizes.items() if name in TEXT)
    others = sum(sizes.values()) - text
    if offload == "none":
        return text + others
    if offload == "sequential":
        return others if decoding else max(text, others)
    if decoding:
        return sizes["vae"]
    return max((sizes if offload == "model" or groups is None else groups).values())


def decoding_bytes(folder: Path, frame_size: tuple[int, int], itemsize: int) -> int:
    """What decoding a whole frame, or the frames of one latent frame, needs beside weights: about."""
    kind = str(read_config(folder / "vae" / "config.json").get("_class_name"))
    return DECODING.get(kind, max(DECODING.values())) * itemsize * frame_size[0] * frame_size[1]


def _offload(
    sizes: Mapping[str, int],
    groups: Mapping[str, int],
    config: ThriftConfig,
    device: str,
    memory: int,
    ram: int,
    what: str,
    editor: bool,
) -> Offload:
    """The fastest that fits with room to work, else the thriftiest that fits at all."""
    if config.offload != "auto":
        asked: Offload = "none" if device == "cpu" and config.offload in TURNS else config.offload
        _require(sizes, groups, asked, device, memory, what)
        return asked
    ways: list[Offload] = ["none"] if editor else ["none", "sequential"]
    if device != "cpu" and sum(sizes.values()) <= ram:  # on the CPU they have only one place to lie
        ways += ["model", "group"]
    for way in ways:
        if lying(sizes, way, groups) <= (1 - WORKING) * memory:
            return way
    thriftiest = min(ways, key=lambda way: lying(sizes, way, groups))
    _require(sizes, groups, thriftiest, device, memory, what)
    return thriftiest


def _require(
    sizes: Mapping[str, int], groups: Mapping[str, int], offload: Offload, device: str, memory: int, what: str
) -> None:
    needed = lying(sizes, offload, groups)
    if needed > memory:
        largest = max(sizes, key=lambda name: sizes[name])
        raise MissingError(
            f"{what}: room for {size_words(needed)} of weights at once (offload={offload}) was wanted, but "
            f"{device} has {size_words(memory)}; the largest part is {largest} with "
            f"{size_words(sizes[largest])}. Take --set offload=auto, --set quantise=int8 or nf4, a "
            "--transformer in few bits, or a larger device."
        )
