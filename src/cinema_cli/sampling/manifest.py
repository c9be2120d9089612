"""The manifest: the sequences of a dataset for one K and one epoch, in one file.

sequences/
└── pairs-16/
    ├── epoch-000.safetensors
    └── epoch-001.safetensors      only with --epochs 2

Two tensors: ``sequences`` (A, K) uint16, places among the kept keyframes of their film, and ``ends`` (films)
int64, where each film's sequences end.  The rest is the ``Header``, JSON in the file's metadata: what was
asked for, and which films with which kept keyframes: a manifest of another state of the dataset is told.
The format can be read from a stranger: it holds numbers and text, and all of it is checked.

Shapes:  A sequences   K keyframes in a sequence   N kept keyframes of a film
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictInt, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from cinema_cli.config import Config
from cinema_cli.errors import InputError, MissingError
from cinema_cli.fields import MAX_PATH, Line, Sha256
from cinema_cli.files import write_atomic
from cinema_cli.sampling.stride import shared_keyframes
from cinema_cli.storyboard import MAX_SHOTS

FOLDER = "sequences"
"""Where the manifests of a dataset lie."""
MAX_BYTES = 4 * 2**30
"""Fifty times the sequences of 500 hours of film."""

Count = Annotated[StrictInt, Field(ge=0)]


class SampledFilm(Config):
    """A film as it was when it was sampled."""

    name: Annotated[str, Field(max_length=MAX_PATH)]
    """Of its folder."""
    kept: Annotated[Count, Field(le=MAX_SHOTS)]
    """Kept keyframes."""
    sha256: Sha256
    """Of the movie and the ids of the kept shots."""


class Header(Config):
    """What a manifest was made from; another header makes other sequences."""

    format: Literal["cinema-sequences"] = "cinema-sequences"
    """Says what the file is."""
    version: Literal[1] = 1
    """Of the format, and of the way sequences are drawn."""
    pairs: Annotated[StrictInt, Field(ge=1, le=MAX_SHOTS)]
    """Keyframes in a sequence (K)."""
    span: Annotated[StrictInt, Field(ge=1)]
    """Last minus first plus one, at most."""
    overlap: Annotated[float, Field(ge=0, lt=1)]
    """Share of K that two sequences of a film may have in common."""
    seed: Count
    """Of the candidates."""
    effort: Count
    """Candidates for every naive sequence."""
    allow: tuple[Line, ...] = ()
    """Flags that did not count."""
    epoch: Count
    """Which of the epochs."""
    epochs: Annotated[StrictInt, Field(ge=1)]
    """How many there are."""
    films: tuple[SampledFilm, ...]
    """In the order of the dataset."""

    @property
    def shared(self) -> int:
        """Keyframes that two sequences may share."""
        return shared_keyframes(self.pairs, self.overlap)


@dataclass(frozen=True)
class Manifest:
    """Sequences with what they were made from."""

    header: Header
    sequences: NDArray[np.uint16]  # (A, K)
    ends: NDArray[np.int64]  # (films)

    def of_film(self, number: int) -> NDArray[np.uint16]:
        """The sequences of one film (any, K)."""
        return self.sequences[self.ends[number - 1] if number else 0 : self.ends[number]]

    def only(self, films: Collection[int]) -> "Manifest":
        """The sequences of some films; their numbers stay what they are."""
        numbers = range(len(self.ends))
        rows = [self.of_film(number)[: None if number in films else 0] for number in numbers]
        ends = np.cumsum([len(own) for own in rows], dtype=np.int64)
        return replace(self, sequences=np.concatenate(rows), ends=ends)

    def film_of(self, sequence: int) -> int:
        """Which film a sequence is of."""
        return int(np.searchsorted(self.ends, sequence, side="right"))

    def save(self, folder: Path) -> Path:
        """Write it to its place below the folder of manifests."""
        path = manifest_path(folder, self.header.pairs, self.header.epoch)
        tensors: dict[str, NDArray[Any]] = {
            "sequences": np.ascontiguousarray(self.sequences),
            "ends": self.ends,
        }
        write_atomic(path, save(tensors, {"header": self.header.model_dump_json()}))
        return path

    @classmethod
    def load(cls, path: Path) -> "Manifest":
        """Read a manifest and check all but the overlap, which takes longer (``check_overlap``).

        Raises:
            InputError: it is no manifest, or one that breaks its own definition.
        """
        header, tensors = _read(path)
        if header is None or set(tensors) != {"sequences", "ends"}:
            raise InputError(f"{path}: a manifest of `cinema sample` was wanted, found other data.")
        manifest = cls(header, tensors["sequences"], tensors["ends"])
        fault = _fault(manifest)
        if fault:
            raise InputError(f"{path}: {fault} Run `cinema sample` again.")
        return manifest


def manifest_path(folder: Path, pairs: int, epoch: int) -> Path:
    """Where the manifest of so many pairs and that epoch lies."""
    return folder / f"pairs-{pairs:02d}" / f"epoch-{epoch:03d}.safetensors"


def load_epochs(folder: Path, pairs: int) -> list[Manifest]:
    """The manifests of all epochs for sequences of so many pairs.

    Raises:
        MissingError: there are none.
        InputError: one of them cannot be used, or was made from something else than the first.
    """
    first = manifest_path(folder, pairs, 0)
    if not first.is_file():
        raise MissingError(
            f"{first}: sequences of {pairs} keyframes were wanted, but there is no manifest of them. "
            f"Run `cinema sample` with --pairs {pairs} first."
        )
    manifests = [Manifest.load(first)]
    header = manifests[0].header
    if header.pairs != pairs or header.epoch != 0:
        raise InputError(
            f"{first}: {pairs} pairs and epoch 0 were wanted, found {header.pairs} and {header.epoch}."
        )
    for epoch in range(1, header.epochs):
        path = manifest_path(folder, pairs, epoch)
        if not path.is_file():
            raise MissingError(f"{path}: epoch {epoch} of {header.epochs} is missing. Run `cinema sample`.")
        manifests.append(Manifest.load(path))
        if manifests[-1].header != header.model_copy(update={"epoch": epoch}):
            raise InputError(
                f"{path}: was made from other settings or films than {first.name}. Run `cinema sample` again."
            )
    return manifests


def remove_later(folder: Path, pairs: int, epochs: int) -> list[Path]:
    """Remove epochs beyond the last that was asked for, left by an earlier run that asked for more."""
    removed = []
    for path in sorted(manifest_path(folder, pairs, 0).parent.glob("epoch-*.safetensors")):
        number = re.fullmatch(r"epoch-(\d{3,})\.safetensors", path.name)
        if number and int(number.group(1)) >= epochs:
            path.unlink()
            removed.append(path)
    return removed


def _read(path: Path) -> tuple[Header | None, dict[str, NDArray[Any]]]:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(f"{path}: a manifest of at most {MAX_BYTES} bytes was wanted, found {size}.")
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get("header", "")
            header = Header.model_validate_json(text) if text else None
            return header, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValidationError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path}: a manifest was wanted, found a file that cannot be used ({reason}). "
            "Run `cinema sample` again."
        ) from error


def _fault(manifest: Manifest) -> str | None:
    """What breaks the definition (formats.md, Sequences), the overlap left out; None where nothing does."""
    header, sequences, ends = manifest.header, manifest.sequences, manifest.ends
    if sequences.dtype != np.uint16 or ends.dtype != np.int64 or sequences.ndim != 2 or ends.ndim != 1:
        return "sequences as uint16 (A, K) and ends as int64 were wanted, found other numbers."
    if sequences.shape[1] != header.pairs or len(ends) != len(header.films):
        return f"{header.pairs} keyframes a sequence and {len(header.films)} films were wanted."
    counts = np.diff(ends, prepend=0)
    if (counts < 0).any() or (ends[-1] if len(ends) else 0) != len(sequences):
        return "the ends of the films do not add up to the number of sequences."
    wide = sequences.astype(np.int32)
    kept = np.repeat([film.kept for film in header.films], counts)
    for wrong, what in (
        ((np.diff(wide, axis=1) <= 0).any(axis=1), "is not in the order of the film"),
        (wide[:, -1] >= kept, "names a keyframe that its film does not have"),
        (wide[:, -1] - wide[:, 0] + 1 > header.span, f"spans more than {header.span} keyframes"),
    ):
        if wrong.any():
            number = int(wrong.argmax())
            return f"sequence {number} {what}: {wide[number].tolist()}."
    return None
