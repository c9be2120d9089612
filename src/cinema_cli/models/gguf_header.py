"""What a GGUF file holds, told by its header: each tensor's type, sides and place, before any is read.

GGUF is llama.cpp's format; transformers of FLUX and Wan are shared in it for ComfyUI-GGUF and diffusers.
A file is ``GGUF``, a version, the number of tensors and of pairs of key and value, the pairs, the tensors'
facts, and from the next multiple of an alignment on the tensors themselves.  Such files come from strangers,
so every length is compared with the file's before it is believed; the library that reads them does less.
"""

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

from cinema_cli.errors import InputError, MissingError

SUFFIX = ".gguf"
MAGIC = b"GGUF"
VERSIONS = (2, 3)
MAX_HEADER_BYTES = 64 << 20
MAX_TENSORS = 1 << 16
MAX_PAIRS = 1 << 12
MAX_SIDES = 8
MAX_LIST = 1 << 16
"""Items of a list among the pairs; models of words have long ones, their vocabularies, and are refused."""
ALIGNMENT = 32

TYPES = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    20: ("IQ4_NL", 32, 18),
    23: ("IQ4_XS", 256, 136),
    30: ("BF16", 1, 2),
}
"""Types that diffusers reads: name, numbers in a block, and bytes of a block (ggml's table)."""
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}
"""Types of values, by the letter that ``struct`` has for them."""
_TEXT, _LIST = 8, 9


@dataclass(frozen=True)
class GgufTensor:
    """A tensor, unread."""

    dtype: str
    shape: tuple[int, ...]
    """As torch has it: outputs first."""
    bytes: int

    @property
    def count(self) -> int:
        """Numbers in it."""
        return math.prod(self.shape)

    @property
    def packed(self) -> bool:
        """Whether it stays in the bits it has when it is read."""
        return self.dtype not in ("F32", "F16")


@dataclass(frozen=True)
class GgufFile:
    """A file that is what its header says."""

    path: Path
    architecture: str
    """As its maker calls it: ``flux``, ``wan``."""
    tensors: dict[str, GgufTensor]


def read_gguf_header(path: Path) -> GgufFile:
    """The facts of a GGUF file.

    Raises:
        InputError: it is no such file, or its header contradicts itself.
        MissingError: there is none, or it is shorter than its header says.
    """
    if not path.is_file():
        raise MissingError(
            f"{path}: a GGUF file of a transformer was wanted, found none. Download it, for example with "
            "hf download city96/FLUX.1-dev-gguf flux1-dev-Q4_K_S.gguf --local-dir ."
        )
    with path.open("rb") as opened:
        return _Header(path, opened, path.stat().st_size).read()


class _Header:
    """Reads a header from the front to its end."""

    def __init__(self, path: Path, opened: IO[bytes], size: int) -> None:
        self.path, self.opened, self.size = path, opened, size

    def read(self) -> GgufFile:
        if self._take(4) != MAGIC:
            self._refuse("a GGUF file was wanted, found other data. If git made it, use git lfs pull")
        version = self._number("I")
        if version not in VERSIONS:
            self._refuse(f"version 2 or 3 of GGUF, of this byte order, was wanted, found {version}")
        tensors, pairs = self._number("Q"), self._number("Q")
        if not 0 < tensors <= MAX_TENSORS or pairs > MAX_PAIRS:
            self._refuse(
                f"1 to {MAX_TENSORS} tensors and at most {MAX_PAIRS} values were wanted, found {tensors} and "
                f"{pairs}"
            )
        values = self._once((self._name(), self._value()) for _ in range(pairs))
        facts = self._once((self._name(), self._tensor()) for _ in range(tensors))
        self._check_places(facts.values(), values.get("general.alignment", ALIGNMENT))
        architecture = str(values.get("general.architecture", "unknown"))
        return GgufFile(self.path, architecture, {name: fact for name, (fact, _) in facts.items()})

    def _check_places(self, facts: Iterable[tuple[GgufTensor, int]], alignment: Any) -> None:
        """Every tensor lies inside the file."""
        if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
            self._refuse(f"an alignment that is a power of two was wanted, found {alignment}")
        start = -(-self.opened.tell() // alignment) * alignment
        end = start
        for fact, place in facts:
            if place % alignment:
                self._refuse(f"tensors at multiples of {alignment} were wanted, found one at {place}")
            end = max(end, start + place + fact.bytes)
        if end > self.size:
            raise MissingError(f"{self.path}: {_short(self.size, end)}")

    def _tensor(self) -> tuple[GgufTensor, int]:
        """A tensor's facts, and its place behind the header."""
        count = self._number("I")
        if not 0 < count <= MAX_SIDES:
            self._refuse(f"tensors of 1 to {MAX_SIDES} sides were wanted, found one of {count}")
        sides = [self._number("Q") for _ in range(count)]
        kind, place = self._number("I"), self._number("Q")
        if kind not in TYPES:
            known = ", ".join(name for name, _, _ in TYPES.values())
            self._refuse(
                f"tensors of the types {known} were wanted, which diffusers reads, found type {kind}"
            )
        name, block, size = TYPES[kind]
        if not all(sides) or sides[0] % block:
            self._refuse(f"rows of whole blocks of {block} were wanted for {name}, found sides {sides}")
        return GgufTensor(name, tuple(reversed(sides)), math.prod(sides) // block * size), place

    def _value(self) -> Any:
        """The value of a pair; a list is passed over, for none is needed."""
        kind = self._number("I")
        if kind != _LIST:
            return self._single(kind)
        inner, count = self._number("I"), self._number("Q")
        if count > MAX_LIST or inner == _LIST:
            self._refuse(f"lists of at most {MAX_LIST} plain values were wanted, found one of {count}")
        for _ in range(count):
            self._single(inner)
        return None

    def _single(self, kind: int) -> Any:
        if kind == _TEXT:
            return self._text()
        if kind not in _SCALARS:
            self._refuse(f"a value of a known type was wanted, found type {kind}")
        return self._number(_SCALARS[kind])

    def _name(self) -> str:
        told = self._take(self._number("Q"))
        try:
            return told.decode("utf-8")
        except UnicodeDecodeError:
            self._refuse(f"names in UTF-8 were wanted, found {told[:40]!r}")

    def _text(self) -> str:
        return self._take(self._number("Q")).decode("utf-8", "replace")

    def _number(self, letter: str) -> Any:
        return struct.unpack(f"<{letter}", self._take(struct.calcsize(f"<{letter}")))[0]

    def _take(self, count: int) -> bytes:
        end = self.opened.tell() + count
        if end > MAX_HEADER_BYTES:
            self._refuse(f"a header of at most {MAX_HEADER_BYTES:,} bytes was wanted, found a longer one")
        if end > self.size:
            raise MissingError(f"{self.path}: {_short(self.size, end)}")
        return self.opened.read(count)

    def _once(self, pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                self._refuse(f"every name once was wanted, found {name!r} twice")
            found[name] = value
        return found

    def _refuse(self, what: str) -> NoReturn:
        raise InputError(f"{self.path}: {what}. Download it again, or take another file.")


def _short(found: int, wanted: int) -> str:
    return (
        f"{wanted:,} bytes at least were wanted, found {found:,}: the download was cut. Remove the file and "
        "download it again."
    )
