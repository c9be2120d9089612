"""Reading strictly, and writing so that a killed command leaves the old file or the new one, never half.

Everything is written aside, in the folder where it will live, brought to the disk and renamed.
What costs minutes per item is noted in a ``Journal``, so that the same command goes on where it
stopped; ``locked`` keeps two commands from working in one folder.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cinema_cli.errors import CinemaError, InputError, MissingError

LOCK_NAME = ".cinema.lock"

_FULL = {errno.ENOSPC, errno.EDQUOT}


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write a whole file, making its folder where needed."""
    content = data.encode("utf-8") if isinstance(data, str) else data
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(content)


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path with the same suffix to write to; it becomes ``path`` if the block ends well, else it goes."""
    temporary = _aside(path, path.suffix)
    try:
        with _told(path, temporary):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            if not temporary.is_file():
                raise CinemaError(f"{path}: a file was to be written, but nothing was.")
            _to_disk(temporary)
            os.replace(temporary, path)
            _to_disk(path.parent)
    finally:
        with contextlib.suppress(OSError):  # the error that brought us here says more
            temporary.unlink()


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A new folder to fill; it becomes ``path`` if the block ends well, else it goes.

    A folder cannot be exchanged for another in one step, so a ``path`` that exists is refused.
    """
    if os.path.lexists(path):
        raise InputError(f"{path}: a new folder was wanted, but it exists. Remove it or choose another name.")
    temporary = _aside(path, "")
    try:
        with _told(path, temporary):
            temporary.mkdir(parents=True)
            yield temporary
            for entry in temporary.rglob("*"):
                _to_disk(entry)
            _to_disk(temporary)
            os.rename(temporary, path)
            _to_disk(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _aside(path: Path, suffix: str) -> Path:
    return path.with_name(f".{path.stem[:40]}.{secrets.token_hex(4)}.part{suffix}")


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _told(path: Path, temporary: Path) -> Iterator[None]:
    """Turn what the disk refuses into a sentence about ``path``; errors about other files pass."""
    try:
        yield
    except OSError as error:
        told = [str(name) for name in (path, temporary, path.parent)]
        above = [str(parent) for parent in path.parents]
        ours = error.filename is None or str(error.filename) in told + above
        inside = error.filename is not None and str(error.filename).startswith(f"{temporary}{os.sep}")
        if error.errno in _FULL:
            raise MissingError(f"{path}: the disk is full. Free some space and run it again.") from error
        if isinstance(error, BlockingIOError) or not (ours or inside) or error.errno is None:
            raise
        raise InputError(
            f"{path}: cannot be written ({error.strerror}). Choose a folder that you may write to."
        ) from error


def read_json(path: Path, max_bytes: int) -> Any:
    """The data of a JSON file, read strictly: no NaN, no key twice, nothing larger than it can rightly be."""
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise InputError(f"{path}: a file of at most {max_bytes} bytes was wanted, found {size}.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: UTF-8 text was wanted, found other bytes at {error.start}.") from error
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_double_keys)
    except RecursionError as error:
        raise InputError(f"{path}: nested too deeply to be read.") from error
    except ValueError as error:
        raise InputError(f"{path}: this is not valid JSON: {error}.") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number that JSON has")


def _refuse_double_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is given twice")
    return result


def sha256_file(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_json(value: Any) -> str:
    """The SHA-256 of plain data, the same whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for this command alone; the lock ends with the process, however it ends."""
    lock = folder / LOCK_NAME
    with _told(folder, lock):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            with _told(folder, lock):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"{folder}: another cinema is working in this folder. Wait until it ends, or choose another."
            ) from error
        _sweep(folder)
        yield
    finally:
        os.close(handle)


def _sweep(folder: Path) -> None:
    """Remove what killed commands left half-written; only called with the lock held."""
    for leftover in [*folder.glob(".*.part*"), *folder.glob("*/.*.part*")]:
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


class Journal:
    """Done items, one JSON line each, on the disk before the next item starts.

    A line is whole when it ends in a newline: the torn last line of a killed command does not count.
    """

    def __init__(self, path: Path) -> None:
        """Read what is there; nothing is written before the first ``record``."""
        self.path = path
        self._facts: dict[str, dict[str, Any]] = {}
        self._whole = 0
        content = path.read_bytes() if path.exists() else b""
        for number, line in enumerate(content.splitlines(keepends=True), start=1):
            if line.endswith(b"\n"):
                self._take(line, number)
                self._whole += len(line)

    def _take(self, line: bytes, number: int) -> None:
        try:
            entry = json.loads(line)
            self._facts[entry.pop("key")] = entry
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise InputError(
                f"{self.path}, line {number}: a journal entry was wanted, found {line[:60]!r}. "
                "Remove that line: its item will be made again."
            ) from error

    def get(self, key: str) -> dict[str, Any] | None:
        """What was recorded last about an item; None when it is not done."""
        return self._facts.get(key)

    def record(self, key: str, **facts: Any) -> None:
        """Note that an item is done."""
        line = json.dumps({"key": key, **facts}, ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n"
        with _told(self.path, self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.truncate(self._whole)
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        self._whole += len(line)
        self._facts[key] = facts
