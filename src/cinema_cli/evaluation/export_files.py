"""Files for other people's benchmarks: linked or copied into a folder, and nobody else's file is touched.

What was written stands in ``cinema-export.json``, so that the same command again, or with a film more, gives
what it would give in a new folder.
"""

import contextlib
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cinema_cli.config import Config, build
from cinema_cli.errors import InputError
from cinema_cli.fields import RelativePath, inside
from cinema_cli.files import atomic_path, locked, read_json, sha256_file, write_atomic

RECORD = "cinema-export.json"
MAX_RECORD_BYTES = 64 * 2**20
Kind = Literal["vbench", "vistorybench"]


class Export(Config):
    """What an export wrote, as a file in its folder."""

    format: Literal["cinema-export"] = "cinema-export"
    """Says what the file is."""
    version: Literal[1] = 1
    """Of the format."""
    kind: Kind
    """For which benchmark."""
    files: tuple[RelativePath, ...]
    """All that was written, this record apart."""


@dataclass
class Plan:
    """What a folder is to hold; nothing is written before ``carry_out``."""

    linked: dict[str, Path] = field(default_factory=dict)
    """By path inside the folder, the file that is to lie there."""
    written: dict[str, str] = field(default_factory=dict)
    """By path inside the folder, the text."""

    def link(self, relative: str, source: Path) -> None:
        """Have a file there; symlinks are followed, so none is ever made."""
        assert relative not in self.linked, relative
        self.linked[relative] = source.resolve()

    def write(self, relative: str, text: str) -> None:
        """Have a text there."""
        assert relative not in self.written, relative
        self.written[relative] = text

    def carry_out(self, out: Path, kind: Kind) -> None:
        """Make the folder hold this and nothing older of our own.

        Raises:
            InputError: somebody else's file lies where one is to be, or the folder holds another export.
        """
        names = sorted([*self.linked, *self.written])
        with locked(out):
            before = _before(out, kind)
            self._refuse_foreign(out, before)
            # The record comes first: what a killed export has written is known to be ours.
            _note(out, kind, sorted({*before, *names}))
            _sweep({inside(out, name).parent for name in names})
            for relative, source in self.linked.items():
                _place(source, inside(out, relative))
            for relative, text in self.written.items():
                write_atomic(inside(out, relative), text)
            for relative in sorted(before - set(names)):
                _remove(out, relative)
            _note(out, kind, names)

    def _refuse_foreign(self, out: Path, before: set[str]) -> None:
        for relative in [*self.linked, *self.written]:
            path = inside(out, relative)
            if relative in before or not os.path.lexists(path):
                continue
            source = self.linked.get(relative)
            if source is not None and path.is_file() and _same(source, path):
                continue
            raise InputError(
                f"{path}: an export was to be written here, but this file is not one of its own. Choose "
                "another folder with --out, or move the file away."
            )


def _before(out: Path, kind: Kind) -> set[str]:
    """What an earlier export has written into a folder."""
    path = out / RECORD
    if not path.exists():
        return set()
    record = build(Export, read_json(path, MAX_RECORD_BYTES), str(path))
    if record.kind != kind:
        raise InputError(
            f"{out}: a folder for {kind} was wanted, but it holds an export for {record.kind}. "
            "Choose another folder with --out."
        )
    return set(record.files)


def _note(out: Path, kind: Kind, names: list[str]) -> None:
    record = Export(kind=kind, files=tuple(names))
    write_atomic(out / RECORD, record.model_dump_json(indent=2) + "\n")


def _place(source: Path, path: Path) -> None:
    """A hard link, which takes no room; a copy where the disk is another one."""
    if path.is_file() and not path.is_symlink() and _same(source, path):
        return
    with atomic_path(path) as temporary:
        try:
            os.link(source, temporary)
        except OSError:  # another disk, or one without hard links
            shutil.copyfile(source, temporary)


def _sweep(folders: set[Path]) -> None:
    """Remove what a killed export left half-written: a benchmark would take it for a picture."""
    for folder in folders:
        for leftover in folder.glob(".*.part*"):
            leftover.unlink()


def _same(source: Path, path: Path) -> bool:
    if os.path.samefile(source, path):
        return True
    return source.stat().st_size == path.stat().st_size and sha256_file(source) == sha256_file(path)


def _remove(out: Path, relative: str) -> None:
    """A file of ours that is no longer wanted, and folders that it leaves empty."""
    path = inside(out, relative)
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == out or (folder.is_dir() and any(folder.iterdir())):
            return
        with contextlib.suppress(FileNotFoundError):
            folder.rmdir()
