"""Headers of GGUF files: true ones as the gguf package reads them, broken ones in one sentence."""

import random
import struct
from collections import Counter
from pathlib import Path

import gguf
import pytest
import torch
from diffusers.quantizers.gguf.utils import SUPPORTED_GGUF_QUANT_TYPES
from gguf import GGMLQuantizationType as Kind

from cinema_cli.errors import InputError, MissingError
from cinema_cli.models.gguf_header import TYPES, read_gguf_header
from cinema_cli.models.gguf_weights import _read
from gguf_files import original_flux, wide_flux, write_gguf


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "flux.gguf"
    write_gguf(path, original_flux(wide_flux()), Kind.Q8_0)
    return path


def test_our_table_of_types_is_that_of_gguf_and_diffusers() -> None:
    readable = {*SUPPORTED_GGUF_QUANT_TYPES, Kind.F32, Kind.F16}
    assert {Kind(number) for number in TYPES} == readable
    for number, (name, block, size) in TYPES.items():
        assert (Kind(number).name, gguf.GGML_QUANT_SIZES[Kind(number)]) == (name, (block, size))


def test_a_header_tells_what_the_package_reads(tmp_path: Path) -> None:
    def more(writer: gguf.GGUFWriter) -> None:
        writer.add_array("comfy.gguf.orig_shape.some", [1, 2, 3])
        writer.add_array("some.words", ["a", "b"])
        writer.add_float64("some.number", 0.5)
        writer.add_bool("some.switch", True)

    path = tmp_path / "flux.gguf"
    write_gguf(path, original_flux(wide_flux()), Kind.Q8_0, change=more)
    found = read_gguf_header(path)
    assert found.architecture == "flux"
    read = gguf.GGUFReader(path).tensors
    assert list(found.tensors) == [tensor.name for tensor in read]
    for tensor in read:
        fact = found.tensors[tensor.name]
        assert fact.shape == tuple(reversed(tensor.shape.tolist()))
        assert (fact.dtype, fact.count, fact.bytes) == (
            tensor.tensor_type.name,
            tensor.n_elements,
            tensor.n_bytes,
        )
    assert {fact.dtype for fact in found.tensors.values() if fact.packed} == {"Q8_0"}


def changed(file: Path, place: int, letter: str, number: int) -> Path:
    data = bytearray(file.read_bytes())
    struct.pack_into(f"<{letter}", data, place, number)
    file.write_bytes(data)
    return file


@pytest.mark.parametrize(
    ("place", "letter", "number", "said"),
    [
        (0, "I", 0, "a GGUF file was wanted, found other data"),
        (4, "I", 1, "version 2 or 3 of GGUF, of this byte order, was wanted, found 1"),
        (4, "I", 3 << 24, "of this byte order, was wanted"),
        (8, "Q", 0, "1 to 65536 tensors"),
        (8, "Q", 1 << 40, "1 to 65536 tensors"),
        (16, "Q", 1 << 40, "at most 4096 values were wanted"),
        (24, "Q", 1 << 62, "a header of at most"),
        (24, "Q", 1 << 25, "bytes at least were wanted"),
    ],
)
def test_a_header_that_lies_is_refused(file: Path, place: int, letter: str, number: int, said: str) -> None:
    with pytest.raises((InputError, MissingError), match=said):
        read_gguf_header(changed(file, place, letter, number))


def place_of(file: Path, name: str) -> int:
    """Where the facts of a tensor begin, behind its name."""
    return file.read_bytes().index(name.encode()) + len(name)


@pytest.mark.parametrize(
    ("offset", "letter", "number", "said"),
    [
        (0, "I", 0, "1 to 8 sides were wanted, found one of 0"),
        (0, "I", 1 << 30, "1 to 8 sides"),
        (4, "Q", 0, "rows of whole blocks of 1 were wanted for F16"),
        (4, "Q", 1 << 60, "bytes at least were wanted, found"),
        (20, "I", 8, "rows of whole blocks of 32 were wanted for Q8_0"),
        (20, "I", 16, "which diffusers reads, found type 16"),
        (24, "Q", 1 << 62, "bytes at least were wanted, found"),
        (24, "Q", 1, "tensors at multiples of 32 were wanted, found one at 1"),
    ],
)
def test_facts_of_a_tensor_that_cannot_be_are_refused(
    file: Path, offset: int, letter: str, number: int, said: str
) -> None:
    place = place_of(file, "img_in.weight")  # (32, 16): F16
    with pytest.raises((InputError, MissingError), match=said):
        read_gguf_header(changed(file, place + offset, letter, number))


def test_values_that_cannot_be_are_refused(tmp_path: Path) -> None:
    for add, said in (
        (lambda writer: writer.add_uint32("general.alignment", 48), "power of two was wanted, found 48"),
        (lambda writer: writer.add_array("long", [1] * 65537), "lists of at most 65536 plain values"),
        (lambda writer: writer.add_array("deep", [[1], [2]]), "plain values were wanted, found one of 2"),
    ):
        path = tmp_path / "odd.gguf"
        write_gguf(path, {"img_in.weight": torch.zeros(2, 32)}, Kind.F16, change=add)
        with pytest.raises(InputError, match=said):
            read_gguf_header(path)
    path = tmp_path / "twice.gguf"
    write_gguf(path, {"same": torch.zeros(2, 32), "sama": torch.zeros(2, 32)}, Kind.F16)
    path.write_bytes(path.read_bytes().replace(b"sama", b"same"))
    with pytest.raises(InputError, match="every name once was wanted, found 'same' twice"):
        read_gguf_header(path)


def test_a_spoilt_header_is_told_or_read_and_never_anything_else(tmp_path: Path) -> None:
    """Random bytes in the header: an error of ours, or numbers; of the file's reader no other error."""

    def more(writer: gguf.GGUFWriter) -> None:
        writer.add_array("some.list", [1, 2, 3])
        writer.add_array("some.words", ["a", "b"])

    path, chance, found = tmp_path / "flux.gguf", random.Random(0), Counter()
    write_gguf(path, dict(list(original_flux(wide_flux()).items())[:6]), Kind.Q8_0, change=more)
    whole = path.read_bytes()
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 1, 2))):
            data[chance.randrange(600)] = chance.choice((0, 1, 8, 9, 255, chance.randrange(256)))
        path.write_bytes(data)
        try:
            read_gguf_header(path)
            _read(path)
            found["read"] += 1
        except (InputError, MissingError) as error:
            found[type(error).__name__] += 1
    assert min(found.values()) > 20
    assert len(found) == 3


def test_a_cut_file_is_told_wherever_it_ends(file: Path) -> None:
    whole = file.read_bytes()
    for length in (0, 3, 10, 30, len(whole) // 3, len(whole) - 64):
        file.write_bytes(whole[:length])
        with pytest.raises(MissingError, match="the download was cut"):
            read_gguf_header(file)
    with pytest.raises(MissingError, match=r"found none. Download it, for example with hf download city96"):
        read_gguf_header(file.parent / "none.gguf")
