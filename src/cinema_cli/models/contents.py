"""What lies in a model's folder: its parts with their tensors, read from headers, and whether they are whole.

A safetensors file begins with the length of a JSON header, which tells name, type, shape and place of every
tensor.  So a model of 34 GB is counted and checked in milliseconds, and without torch.  Weights as pickle
(``.bin``, ``.pt``, ``.ckpt``) run code when they are read: they are refused, not read.
"""

import math
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cinema_cli.errors import InputError, MissingError
from cinema_cli.files import read_json
from cinema_cli.models.gguf_header import read_gguf_header

Part = Literal["keyframes", "video"]
"""What a model does: draw keyframes, or make clips of them."""

INDEX_NAME = "model_index.json"
RECORD_NAME = "cinema.json"
"""Beside the weights of a model that was trained here."""
MAX_JSON_BYTES = 16 << 20
MAX_HEADER_BYTES = 100_000_000
"""The limit of the safetensors library itself."""
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
"""Of one number of a type; the types of eight bits beside these begin with F8."""
WEIGHTS: dict[Part, tuple[str, ...]] = {
    "keyframes": ("transformer", "vae", "text_encoder", "text_encoder_2"),
    "video": ("transformer", "vae", "text_encoder"),
}
"""Folders with weights, as ``FluxPipeline`` and ``WanPipeline`` name them."""
TOKENIZERS: dict[Part, tuple[str, ...]] = {
    "keyframes": ("tokenizer", "tokenizer_2"),
    "video": ("tokenizer",),
}
EDITORS: dict[str, tuple[str, ...]] = {
    "FluxKontextPipeline": ("tokenizer", "tokenizer_2"),
    "Flux2Pipeline": ("tokenizer",),
    "Flux2KleinPipeline": ("tokenizer",),
    "QwenImageEditPlusPipeline": ("tokenizer", "processor"),
}
"""Pipelines that draw a picture beside reference pictures, and the tokenizers of each."""
STEMS = ("diffusion_pytorch_model", "model")
"""How diffusers and transformers name a file of weights."""


@dataclass(frozen=True)
class TensorFact:
    """A tensor, unread."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """Numbers in it."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Component:
    """One folder of weights."""

    name: str
    kind: str
    """The class that its config names."""
    parameters: int
    bytes: int
    """On the disk, headers left out."""
    dtypes: tuple[str, ...]
    """Types of its tensors as safetensors or GGUF names them, the commonest first."""
    packed: int = 0
    """Parameters that stay in few bits in memory, as a GGUF file has them."""
    packed_bytes: int = 0
    """Of those."""

    def bytes_as(self, itemsize: int) -> int:
        """In memory, in numbers of so many bytes."""
        return (self.parameters - self.packed) * itemsize + self.packed_bytes


@dataclass(frozen=True)
class Contents:
    """A model that is whole: what is loaded of it, and how large that is."""

    folder: Path
    part: Part
    pipeline: str
    components: tuple[Component, ...]
    gguf: Path | None = None
    """The file that holds the transformer instead of the folder."""

    @property
    def parameters(self) -> int:
        """Of all components."""
        return sum(component.parameters for component in self.components)

    @property
    def bytes(self) -> int:
        """Of all components, on the disk."""
        return sum(component.bytes for component in self.components)

    def bytes_as(self, itemsize: int) -> dict[str, int]:
        """By component, in memory, in numbers of so many bytes."""
        return {component.name: component.bytes_as(itemsize) for component in self.components}


def read_contents(folder: Path, part: Part, gguf: Path | None = None) -> Contents:
    """Everything that is loaded from a model's folder.

    Args:
        folder: of the model.
        part: what is wanted of it.
        gguf: a file with the transformer, whose weights in the folder then need not be there.

    Raises:
        InputError: its weights are pickles, or damaged.
        MissingError: it is half there.
    """
    index = read_config(folder / INDEX_NAME)
    pipeline = str(index.get("_class_name", ""))
    components = tuple(
        _component(folder, name, gguf if name == "transformer" else None)
        for name in weight_folders(pipeline, part)
    )
    for name in tokenizer_folders(pipeline, part):
        if not (folder / name).is_dir() or not any((folder / name).iterdir()):
            raise MissingError(f"{folder / name}: a tokenizer was wanted, found none. {_again(folder)}")
    return Contents(folder, part, pipeline, components, gguf)


def weight_folders(pipeline: str, part: Part) -> tuple[str, ...]:
    """Folders with weights of a pipeline that does this part."""
    if pipeline in EDITORS and "tokenizer_2" not in EDITORS[pipeline]:
        return WEIGHTS[part][:3]
    return WEIGHTS[part]


def tokenizer_folders(pipeline: str, part: Part) -> tuple[str, ...]:
    """Folders with its tokenizers."""
    return EDITORS.get(pipeline, TOKENIZERS[part])


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of one component, all there.

    Where an index stands it counts, as it does for diffusers and transformers.

    Raises:
        InputError: there are pickles in their place.
        MissingError: there are none, or an index names files that are not there.
    """
    for stem in STEMS:
        index = folder / f"{stem}.safetensors.index.json"
        if index.is_file():
            return _shards(index)
        if (folder / f"{stem}.safetensors").is_file():
            return [folder / f"{stem}.safetensors"]
    pickles = sorted(path.name for path in folder.glob("*") if path.suffix in PICKLES)
    if pickles:
        raise InputError(
            f"{folder}: weights as safetensors were wanted, found {pickles[0]}, a pickle, which runs code "
            "when it is read. Take a release with safetensors, or convert it where you trust it."
        )
    raise MissingError(f"{folder}: weights were wanted, found none. {_again(folder.parent)}")


def read_header(file: Path) -> dict[str, TensorFact]:
    """Name, type and shape of every tensor of a safetensors file; the file must be as long as they need.

    Raises:
        InputError: it is no safetensors file.
        MissingError: it is shorter than its header says.
    """
    size = file.stat().st_size
    with file.open("rb") as opened:
        start = opened.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if len(start) == 8 and 8 + length > size and length <= MAX_HEADER_BYTES:
            raise MissingError(f"{file}: {_short(size, 8 + length)}")
        header = _parsed(file, opened.read(length)) if 2 <= length <= MAX_HEADER_BYTES else _no_header(file)
    try:
        tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
        ends = [int(entry["data_offsets"][1]) for entry in tensors.values()]
        facts = {
            name: TensorFact(str(entry["dtype"]), tuple(int(side) for side in entry["shape"]))
            for name, entry in tensors.items()
        }
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return _no_header(file)
    wanted = 8 + length + max(ends, default=0)
    if size < wanted:
        raise MissingError(f"{file}: {_short(size, wanted)}")
    return facts


def tensors_of(folder: Path) -> dict[str, TensorFact]:
    """All tensors of one component."""
    return {name: fact for file in weight_files(folder) for name, fact in read_header(file).items()}


def read_config(path: Path) -> dict[str, Any]:
    """A JSON file that holds an object."""
    found = read_json(path, MAX_JSON_BYTES)
    if not isinstance(found, dict):
        raise InputError(f"{path}: the config of a model was wanted, found other data.")
    return found


def size_words(count: float) -> str:
    """Bytes as people write them."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e3:.1f} kB"


def _component(folder: Path, name: str, gguf: Path | None) -> Component:
    config = folder / name / "config.json"
    if not config.is_file():
        raise MissingError(f"{config}: a part of the model was wanted, found none. {_again(folder)}")
    told = read_config(config)
    if gguf is not None:
        return _packed(name, _kind(told), gguf)
    tensors = tensors_of(folder / name).values()
    counts: Counter[str] = Counter()
    for fact in tensors:
        counts[fact.dtype] += fact.count
    return Component(
        name,
        _kind(told),
        sum(counts.values()),
        sum(count * _itemsize(dtype) for dtype, count in counts.items()),
        tuple(dtype for dtype, _ in counts.most_common()),
    )


def _packed(name: str, kind: str, gguf: Path) -> Component:
    """A component whose weights a GGUF file holds."""
    tensors = read_gguf_header(gguf).tensors.values()
    few = [tensor for tensor in tensors if tensor.packed]
    return Component(
        name,
        kind,
        sum(tensor.count for tensor in tensors),
        sum(tensor.bytes for tensor in tensors),
        tuple(dtype for dtype, _ in Counter(tensor.dtype for tensor in tensors).most_common()),
        sum(tensor.count for tensor in few),
        sum(tensor.bytes for tensor in few),
    )


def _kind(config: Mapping[str, Any]) -> str:
    architectures = config.get("architectures")
    first = architectures[0] if isinstance(architectures, list) and architectures else ""
    return str(config.get("_class_name") or first or config.get("model_type", "unknown"))


def _itemsize(dtype: str) -> int:
    return 1 if dtype.startswith("F8") else BYTES.get(dtype, 4)


def _shards(index: Path) -> list[Path]:
    named = read_config(index).get("weight_map")
    if not isinstance(named, dict) or not all(
        isinstance(name, str) and Path(name).name == name for name in named.values()
    ):
        raise InputError(f"{index}: a weight_map of files beside it was wanted, found other data.")
    shards = sorted(set(named.values()))
    lacking = [name for name in shards if not (index.parent / name).is_file()]
    if lacking:
        raise MissingError(
            f"{index.parent}: {len(shards)} files of weights were wanted, {len(lacking)} of them are missing "
            f"({lacking[0]}). {_again(index.parent.parent)}"
        )
    return [index.parent / name for name in shards]


def _parsed(file: Path, text: bytes) -> dict[str, Any]:
    import json

    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        return _no_header(file)
    return header if isinstance(header, dict) else _no_header(file)


def _no_header(file: Path) -> Any:
    raise InputError(
        f"{file}: a safetensors file was wanted, found other data. If git made it, fetch the true file with "
        "git lfs pull; else download it again."
    )


def _short(found: int, wanted: int) -> str:
    return (
        f"{wanted:,} bytes were wanted, found {found:,}: the download was cut. Remove the file and download "
        "it again."
    )


def _again(folder: Path) -> str:
    """What to do about a model that is half there."""
    cut = next(iter(folder.rglob("*.incomplete")), None)
    told = f" (a download was cut: {cut.name})" if cut is not None else ""
    return f"The model is half there{told}: download it again into the same place, what is done is kept."
