"""Which movies a command means: files as they are named, and what folders hold.

A file that is named is taken, whatever its name.  A folder is searched for the endings below; what
lies in it comes from strangers, so a link that leads out of it, a link to a folder and what is no plain
file are refused, each by itself and with its reason.
"""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cinema_cli.storyboard import FILE_NAME as STORYBOARD

ENDINGS = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts"})


@dataclass(frozen=True)
class Input:
    """A movie to read."""

    path: Path
    bytes: int
    name: str
    """Of the folder that it is to become."""


@dataclass(frozen=True)
class Refused:
    """Something that is not read, and why."""

    path: Path
    reason: str


def find_movies(given: Sequence[Path], out: Path) -> tuple[list[Input], list[Refused]]:
    """All movies that files and folders name, each once, and what was refused.

    Args:
        given: Files and folders.
        out: The dataset, which is not searched.
    """
    found: dict[Path, Path] = {}
    refused: list[Refused] = []
    for entry in _entries(given, out):
        if isinstance(entry, Refused):
            refused.append(Refused(entry.path.absolute(), entry.reason))
        elif (reason := _fault(entry)) is not None:
            refused.append(Refused(entry.absolute(), reason))
        else:
            found.setdefault(entry.resolve(), entry.absolute())
    paths = list(found.values())
    names = _names(paths)
    return [Input(path, path.stat().st_size, name) for path, name in zip(paths, names, strict=True)], refused


def _entries(given: Iterable[Path], out: Path) -> Iterator[Path | Refused]:
    for path in given:
        if path.is_dir():
            yield from _inside(path, out)
        elif not os.path.lexists(path):
            yield Refused(path, "wanted a movie file or a folder on this machine, found nothing there")
        else:
            yield path


def _inside(root: Path, out: Path) -> Iterator[Path | Refused]:
    """Movies of a folder and all below it, by name; hidden ones, the dataset and made clips left out."""
    inner = _real(root)
    for folder, below, files in os.walk(root):
        here = Path(folder)
        links = [name for name in below if (here / name).is_symlink() and not name.startswith(".")]
        yield from (Refused(here / name, "a link to a folder is not followed") for name in sorted(links))
        below[:] = sorted(
            name
            for name in below
            if not name.startswith(".")
            and _real(here / name) != _real(out)
            and not (name == "clips" and STORYBOARD in files)
        )
        for name in sorted(files):
            path = here / name
            if name.startswith(".") or path.suffix.lower() not in ENDINGS:
                continue
            if path.is_symlink() and not _real(path).is_relative_to(inner):
                yield Refused(path, f"a link that leads out of {root}; name the file itself if it is meant")
            else:
                yield path


def _real(path: Path) -> Path:
    """Where links lead; a ring of them is no error here."""
    return Path(os.path.realpath(path))


def _fault(path: Path) -> str | None:
    """Why an entry cannot be a movie; None where it may be one."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return "its name is not written in UTF-8; rename it"
    if not path.exists():
        return "a link that leads nowhere"
    if not path.is_file():
        return "wanted a plain file, found something else"
    if path.stat().st_size == 0:
        return "the file is empty"
    return None


def _names(paths: Sequence[Path]) -> list[str]:
    """A name for each, from that of its file; files that share one are told apart by folders above them."""
    names = [slug(path.stem) for path in paths]
    for depth in range(1, max((len(path.parts) for path in paths), default=1)):
        shared = {name for name, count in Counter(names).items() if count > 1}
        if not shared:
            break
        names = [
            slug("-".join([*path.parts[-1 - depth : -1], path.stem])) if name in shared else name
            for name, path in zip(names, paths, strict=True)
        ]
    seen: Counter[str] = Counter()
    for index, name in enumerate(names):  # paths that differ in signs alone: "a b.mp4" and "a-b.mp4"
        seen[name] += 1
        names[index] = f"{name}-{seen[name]}" if seen[name] > 1 else name
    return names


def slug(text: str) -> str:
    """A folder's name out of a title: small letters and digits of any script, joined by hyphens."""
    plain = unicodedata.normalize("NFC", text).lower()
    parts = re.sub(r"[\W_]+", "-", plain).strip("-")
    while len(parts.encode("utf-8")) > 96:
        parts = parts[:-1].strip("-")
    return parts or "movie"
