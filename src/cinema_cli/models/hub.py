"""Models on the hub: found in the local cache first, then asked for, and only what is loaded is fetched.

A name is ``org/name`` or ``org/name@revision``.  What is there is told before it is fetched: its commit, how
much is lacking, how much disk is free, whether access must be asked for.  Files that are done stay in the
cache of ``huggingface_hub``, so the same command again fetches the rest; where the line breaks within one
command, only the rest of the file in hand is asked for again (in steps of 10 MB).
``HF_HUB_OFFLINE``, ``HF_HOME``, ``HF_TOKEN`` and ``HF_ENDPOINT`` hold.
"""

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cinema_cli.errors import InputError, Interrupted, MissingError
from cinema_cli.models.architecture import part_of, pipeline_of, refuse_other_architectures
from cinema_cli.models.contents import (
    INDEX_NAME,
    PICKLES,
    RECORD_NAME,
    Part,
    size_words,
    tokenizer_folders,
    weight_folders,
)
from cinema_cli.progress import Progress

NAME = re.compile(r"([\w-][\w.-]*/[\w-][\w.-]*?)(?:@([\w./-]+))?", re.ASCII)
"""What can be a name on the hub: two words."""
WHOLE = re.compile(r"(diffusion_pytorch_model|model)\.safetensors")
PIECES = re.compile(
    r"(diffusion_pytorch_model|model)(-\d{5}-of-\d{5}\.safetensors|\.safetensors\.index\.json)"
)
BESIDE = (INDEX_NAME, "README.md", "LICENSE", "LICENSE.md", "LICENSE.txt", RECORD_NAME)
"""Of the root: what is read, and what one should have read."""
SMALL = (".json", ".txt", ".model", ".jinja")
"""Configs and tokenizers."""
SPARE = 1 << 30
"""Bytes that stay free on the disk."""


TIMEOUT = 20.0
"""Seconds to wait for an answer of the hub."""


@dataclass(frozen=True)
class Remote:
    """A model as the hub has it, and what of it would be fetched."""

    repository: str
    commit: str
    files: Mapping[str, int] = field(default_factory=dict)
    """Bytes by name, of what is loaded."""
    lacking: tuple[str, ...] = ()
    """Names of those that are not here yet."""
    card: Mapping[str, Any] = field(default_factory=dict)
    """The head of its card."""

    @property
    def name(self) -> str:
        """With its commit, so that it stays the same."""
        return f"{self.repository}@{self.commit}"

    @property
    def bytes(self) -> int:
        """Still to be fetched."""
        return sum(self.files[name] for name in self.lacking)


def is_hub_name(model: str) -> bool:
    """Whether a model's name can be one on the hub."""
    return NAME.fullmatch(model) is not None


def split_name(model: str) -> tuple[str, str | None]:
    """Repository and revision."""
    found = NAME.fullmatch(model)
    assert found is not None, model
    return found[1], found[2]


def is_offline() -> bool:
    """Whether ``HF_HUB_OFFLINE`` is set."""
    from huggingface_hub import constants

    return bool(constants.is_offline_mode())


def cached_snapshot(model: str) -> Path | None:
    """The folder of a model in the local cache, whole or not; its name is the commit."""
    from huggingface_hub import try_to_load_from_cache

    repository, revision = split_name(model)
    with _told(model):
        index = try_to_load_from_cache(repository, INDEX_NAME, revision=revision)
    return Path(index).parent if isinstance(index, str) else None


def fetch_index(model: str) -> Path:
    """Fetch a model's index alone, by which the cache learns its commit; the folder where it lies.

    Raises:
        InputError: it is not in diffusers' layout, or there is no such revision.
        MissingError: it is not there, may not be read, or the hub is not reached.
    """
    from huggingface_hub import HfApi, errors, hf_hub_download

    repository, revision = split_name(model)
    with _told(model):
        # Where nothing answers this fails at once; what follows would try again for half a minute.
        HfApi().model_info(repository, revision=revision, timeout=TIMEOUT)
        try:
            return Path(
                hf_hub_download(repository, INDEX_NAME, revision=revision, tqdm_class=_silent())
            ).parent
        except errors.RemoteEntryNotFoundError as error:
            raise InputError(
                f"{repository}: a model in diffusers' layout was wanted, found no {INDEX_NAME} in it. "
                "Look for its release that diffusers loads, such as Wan-AI/Wan2.2-TI2V-5B-Diffusers."
            ) from error


def ask_hub(model: str, part: Part) -> Remote:
    """What the hub has under a name, and what is lacking here.

    Raises:
        InputError: it is another kind of model, or there is no such revision.
        MissingError: it is not there, may not be read, or the hub is not reached.
    """
    from huggingface_hub import HfApi, try_to_load_from_cache

    snapshot = fetch_index(model)  # first: it is what tells that access must be asked for
    if part_of(snapshot) != part:
        refuse_other_architectures(snapshot, part)
    repository, commit = split_name(model)[0], snapshot.name
    with _told(model):
        info = HfApi().model_info(repository, revision=commit, files_metadata=True, timeout=TIMEOUT)
    sizes = {sibling.rfilename: sibling.size or 0 for sibling in info.siblings or ()}
    files = {name: sizes[name] for name in needed_files(sizes, part, pipeline_of(snapshot))}
    lacking = tuple(
        name
        for name in files
        if not isinstance(try_to_load_from_cache(repository, name, revision=commit), str)
    )
    card = info.card_data.to_dict() if info.card_data is not None else {}
    return Remote(repository, commit, files, lacking, card)


def needed_files(names: Iterable[str], part: Part, pipeline: str = "") -> list[str]:
    """What is loaded of a repository: configs, tokenizers and safetensors, each tensor once, no pickle.

    Raises:
        InputError: the weights of a component are there as pickles alone.
    """
    all_names = sorted(names)
    chosen = [name for name in all_names if name in BESIDE]
    weights_in = weight_folders(pipeline, part)
    for component in (*weights_in, *tokenizer_folders(pipeline, part), "scheduler"):
        inside = [name.partition("/")[2] for name in all_names if name.startswith(f"{component}/")]
        weights = [name for name in inside if PIECES.fullmatch(name)] or [
            name for name in inside if WHOLE.fullmatch(name)
        ]
        if component in weights_in and not weights:
            pickles = [name for name in inside if name.endswith(PICKLES)]
            found = (
                f"found {pickles[0]}, a pickle, which runs code when it is read" if pickles else "found none"
            )
            raise InputError(
                f"{component}/: weights as safetensors were wanted, {found}. Take another release of the "
                "model."
            )
        small = [name for name in inside if name.endswith(SMALL) and "/" not in name and name not in weights]
        other = [name for name in small if not name.endswith(".index.json")]
        chosen += [f"{component}/{name}" for name in sorted({*weights, *other})]
    return chosen


def free_bytes() -> int:
    """Free on the disk of the cache."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE)
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def fetch(remote: Remote, progress: Progress) -> Path:
    """Fetch what is lacking; the folder of the model.

    Raises:
        Interrupted: the hub broke off; what is done stays.
        MissingError: the disk is too small, or the hub is not reached.
    """
    from huggingface_hub import hf_hub_download

    free = free_bytes()
    if remote.lacking and remote.bytes + SPARE > free:
        raise MissingError(
            f"{remote.repository}: {size_words(remote.bytes + SPARE)} of free disk were wanted to fetch it, "
            f"found {size_words(free)}. Make room, or set HF_HOME to a larger disk."
        )
    task = progress.task(f"fetching {remote.repository}", _mb(remote.bytes), "MB")
    done = 0
    for name in remote.lacking:
        with _told(remote.name, fetching=name):
            hf_hub_download(
                remote.repository, name, revision=remote.commit, tqdm_class=_counting(task.advance, done)
            )
        done += remote.files[name]
        task.advance(_mb(done) - task.count, name)
    folder = cached_snapshot(remote.name)
    assert folder is not None, remote
    return folder


def _mb(count: int) -> int:
    return round(count / 1e6)


def _silent() -> Any:
    """A bar that shows nothing: ours stand on stderr."""
    from huggingface_hub.utils.tqdm import tqdm

    class Silent(tqdm):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "disable": True})

    return Silent


def _counting(advance: Callable[[int], None], before: int) -> Any:
    """A bar that shows nothing and hands on whole megabytes; ``before``: bytes that are counted already."""
    silent = _silent()

    class Counting(silent):  # type: ignore[misc,valid-type]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.bytes, self.told = before + int(options.get("initial") or 0), _mb(before)

        def update(self, n: float | None = 1) -> None:
            self.bytes += int(n or 0)
            if _mb(self.bytes) > self.told:
                advance(_mb(self.bytes) - self.told)
                self.told = _mb(self.bytes)

    return Counting


@contextmanager
def _told(model: str, fetching: str | None = None) -> Iterator[None]:
    """Turn what ``huggingface_hub`` raises into one sentence.

    Args:
        model: Its name.
        fetching: The file in hand, where files are fetched.
    """
    import httpx2
    from huggingface_hub import constants, errors
    from huggingface_hub.utils import logging

    logging.set_verbosity_error()  # it tells each attempt anew
    repository = split_name(model)[0]
    page = f"{constants.ENDPOINT}/{repository}"
    try:
        yield
    except errors.GatedRepoError as error:
        raise MissingError(
            f"{repository}: access was wanted, but it must be asked for. Accept the terms on {page} with "
            "your account, make this machine known with `hf auth login`, and run it again."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise InputError(
            f"{model}: there is no such revision of {repository}. Take a branch, a tag or a commit of {page}."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise MissingError(
            f"{model}: neither a folder here nor a model on {constants.ENDPOINT}. Check the name; if it is "
            "private, `hf auth login` first."
        ) from error
    except errors.HFValidationError as error:
        raise InputError(f"{model}: a name such as org/name was wanted ({_first_line(error)}).") from error
    except (httpx2.HTTPError, OSError, RuntimeError) as error:
        if is_offline():
            raise MissingError(
                f"{model}: not in the local cache, and HF_HUB_OFFLINE is set. Unset it, or fetch the model "
                "where there is a network and copy the cache."
            ) from error
        reached = _first_line(error)
        if fetching is not None:
            raise Interrupted(
                f"{repository}: the hub broke off at {fetching} ({reached}). What is done stays: the same "
                "command goes on."
            ) from error
        raise MissingError(
            f"{model}: not in the local cache, and {constants.ENDPOINT} is not reached ({reached}). Check "
            "the network and run it again."
        ) from error


def _first_line(error: BaseException) -> str:
    """What went wrong, at its root and without an address book of details."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
