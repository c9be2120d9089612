"""What a dataset knows while commands work in it: which movies it has, who is at which, what failed.

dataset/
├── night-train/            a film: when this folder is there, it is whole
├── ingest-failures.json    what could not be read, and why
└── .ingest/                locks, hashes, and films in the making

A movie is known by its content.  Several commands may work in one dataset: a lock per movie keeps
them apart, and ends with the process that holds it, however that ends.
"""

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from cinema_cli.dataset import RECORD, Ingested
from cinema_cli.errors import InputError
from cinema_cli.files import read_json, sha256_file, sha256_json, write_atomic

FAILURES = "ingest-failures.json"
WORKSHOP = ".ingest"
FRESH = "film"
"""In a movie's workshop: a film that is whole and has not found its place yet."""
MAX_FAILURE_BYTES = 64 * 2**20
RACY_SECONDS = 2.0
"""A file that changed so shortly before it was hashed may change again within the same tick of its clock."""


class Ledger:
    """The books of one dataset."""

    def __init__(self, dataset: Path) -> None:
        """Nothing is read yet."""
        self.dataset = dataset
        self._workshop = dataset / WORKSHOP
        self._films: dict[str, str] = {}
        self._seen: set[str] = set()

    # -- films ----------------------------------------------------------------------------------

    def film(self, sha256: str) -> tuple[Path, Ingested] | None:
        """The film that was made of a movie's content; looks for folders that came since the last time."""
        for _ in range(2):
            name = self._films.get(sha256)
            if name is None:
                self._look()
                name = self._films.get(sha256)
            if name is None:
                return None
            folder = self.dataset / name
            if (folder / RECORD).is_file() and (record := Ingested.load(folder)).sha256 == sha256:
                return folder, record
            del self._films[sha256]  # removed or replaced since
            self._seen.discard(name)
        return None

    def _look(self) -> None:
        for entry in os.scandir(self.dataset):
            if entry.name.startswith(".") or entry.name in self._seen:
                continue
            if (self.dataset / entry.name / RECORD).is_file():
                self._films[Ingested.load(self.dataset / entry.name).sha256] = entry.name
                self._seen.add(entry.name)

    # -- locks ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def hold(self, sha256: str) -> Iterator[Path | None]:
        """A folder to work in on one movie alone; None where another process is at it.

        It goes at the end, unless a whole film waits in it; so what a killed command left is still there.
        """
        handle = _lock(self._workshop / f"{sha256}.lock", wait=False)
        if handle is None:
            yield None
            return
        folder = self._workshop / sha256
        try:
            folder.mkdir(exist_ok=True)
            yield folder
        finally:
            if not (folder / FRESH).exists():
                shutil.rmtree(folder)
                (self._workshop / f"{sha256}.lock").unlink()
            os.close(handle)

    # -- hashes ---------------------------------------------------------------------------------

    def sha256(self, movie: Path) -> str:
        """Of a movie's bytes; read again only where the file may have changed since.

        Size and time of modification can be set at will, the time of change and the number of the
        file cannot: a file with all of them unchanged has the bytes that were hashed.
        """
        note = self._workshop / "hashes" / f"{sha256_json(str(movie))}.json"
        state = _state(movie)
        with contextlib.suppress(InputError, OSError):
            known = read_json(note, 4096)
            if isinstance(known, dict) and known.get("state") == state:
                return str(known["sha256"])
        found = sha256_file(movie)
        # A file that is being written has no content yet that could be remembered.
        if _state(movie) == state and time.time() - movie.stat().st_ctime > RACY_SECONDS:
            write_atomic(note, json.dumps({"path": str(movie), "state": state, "sha256": found}) + "\n")
        return found

    # -- failures -------------------------------------------------------------------------------

    def failures(self) -> dict[str, str]:
        """Path and reason of every movie that could not be read when it was last tried."""
        file = self.dataset / FAILURES
        if not file.exists():
            return {}
        data = read_json(file, MAX_FAILURE_BYTES)
        try:
            return {entry["path"]: entry["reason"] for entry in data["failures"]}
        except (TypeError, KeyError) as error:
            raise InputError(
                f"{file}: a list of failures was wanted, found other data. Remove it."
            ) from error

    def settle(self, path: Path, reason: str | None) -> None:
        """Note why a movie could not be read, or, with None, that it could."""
        if reason is None and not (self.dataset / FAILURES).exists():
            return
        handle = _lock(self._workshop / "failures.lock", wait=True)
        assert handle is not None
        try:
            failures = self.failures()
            if reason is None:
                failures.pop(str(path), None)
            else:
                failures[str(path)] = reason
            self._write(failures)
        finally:
            os.close(handle)

    def _write(self, failures: dict[str, str]) -> None:
        file = self.dataset / FAILURES
        if not failures:
            file.unlink(missing_ok=True)
            return
        entries = [{"path": path, "reason": reason} for path, reason in sorted(failures.items())]
        write_atomic(
            file, json.dumps({"format": "cinema-ingest-failures", "failures": entries}, indent=2) + "\n"
        )


def _lock(path: Path, wait: bool) -> int | None:
    """An open, locked file; None where another process holds it and we do not wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        os.close(handle)  # its last holder removed the file: what we hold locks nothing


def _state(movie: Path) -> list[int]:
    facts = movie.stat()
    return [facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino, facts.st_dev]
