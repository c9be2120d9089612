"""From a model's name to a folder that is whole and fits, before anything heavy starts.

A model is named by ``toy``; by a folder with ``keyframes/`` and ``video/``, or one of them; by a folder in
diffusers' own layout, which is the part that its pipeline is; or by a name on the hub, ``org/name`` or
``org/name@revision``.  A folder goes before a name on the hub.
"""

from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Literal

from cinema_cli.errors import InputError, MissingError
from cinema_cli.models import hub
from cinema_cli.models.adapters import adapter_file, check_adapter
from cinema_cli.models.architecture import (
    part_of,
    pipeline_of,
    refuse_editors,
    refuse_no_keyframes,
    refuse_other_architectures,
)
from cinema_cli.models.contents import INDEX_NAME, Contents, Part, read_contents, weight_folders
from cinema_cli.models.gguf_fit import check_gguf
from cinema_cli.models.gguf_header import SUFFIX
from cinema_cli.models.licences import Licence, card_licence, known_licence, licence_of

TOY = "toy"
"""The name that stands for the embedded weights."""
PARTS: tuple[Part, ...] = ("keyframes", "video")
Source = Literal["embedded", "folder", "hub"]


@dataclass(frozen=True)
class Place:
    """Where one part of a model lies."""

    name: str
    """As it was given; one of the hub with its commit."""
    folder: Path
    part: Part
    source: Source
    commit: str | None = None


@dataclass(frozen=True)
class Wanted:
    """A model of the hub that is not here, or not whole."""

    remote: hub.Remote
    part: Part

    @property
    def name(self) -> str:
        """With its commit."""
        return self.remote.name


def look_up(model: str, part: Part, gguf: Path | None = None) -> Place | Wanted:
    """Where a part of a model lies, or what would have to be fetched; nothing is fetched.

    Args:
        model: its name.
        part: what is wanted of it.
        gguf: a file with the transformer, whose weights are then neither missed nor fetched.

    Raises:
        InputError: it is no model, or another kind.
        MissingError: it is not here and the hub does not have it, or cannot be asked.
    """
    local = _local(model, part)
    if local is not None:
        return Place(model, local, part, "embedded" if model == TOY else "folder")
    snapshot = hub.cached_snapshot(model)
    if snapshot is not None:
        place = _cached(model, snapshot, part)
        try:
            _checked(place, gguf)
            return place
        except MissingError:
            if hub.is_offline():
                raise
    remote = hub.ask_hub(model if snapshot is None else _pinned(model, snapshot), part)
    if gguf is not None:
        remote = _without_transformer(remote)
    folder = hub.cached_snapshot(remote.name)
    if not remote.lacking and folder is not None:
        return _cached(model, folder, part)
    return Wanted(remote, part)


def model_folder(model: str, part: Part) -> Path:
    """The folder of a part of a model that is here: embedded, a path, or a snapshot in the hub's cache.

    Raises:
        InputError: it is no model, or another kind.
        MissingError: it is not here.
    """
    local = _local(model, part)
    if local is not None:
        return local
    snapshot = hub.cached_snapshot(model)
    if snapshot is None:
        raise MissingError(
            f"Weights for {part} were wanted in {model}, which is no folder here and not in the local cache. "
            f"If it is a model of the hub, fetch it: cinema doctor --model {model} --fetch"
        )
    return snapshot


def pinned(model: str) -> str:
    """A model's name as it is noted: one of the hub with the commit that is here."""
    snapshot = None if _root(model).exists() or not hub.is_hub_name(model) else hub.cached_snapshot(model)
    return model if snapshot is None else _pinned(model, snapshot)


def same_model(noted: str, named: str) -> bool:
    """Whether a name means the model that was noted; without a revision it means the one that was taken."""
    return named == noted or (hub.is_hub_name(noted) and named == noted.partition("@")[0])


def check_model(
    place: Place, adapter: str | None = None, to_train: bool = False, gguf: Path | None = None
) -> Contents:
    """Refuse a model that could not be loaded or would not do what is asked.

    Args:
        place: Where it lies.
        adapter: What is put beside it.
        to_train: It is only trained from: a video model need not know keyframes yet.
        gguf: A file that takes the place of its transformer.

    Raises:
        InputError: another architecture, pickles, an adapter or a GGUF file for another model.
        MissingError: it is half there.
    """
    if gguf is not None:
        check_gguf(gguf, place.folder)
    contents = _checked(place, gguf)
    if adapter is not None and gguf is not None:
        raise InputError(
            f"{gguf}: --transformer alone was wanted, found --adapter beside it: adapters are put beside the "
            "model's own transformer. Leave one of them out; --set quantise=nf4 saves memory as well."
        )
    if adapter is not None:
        refuse_editors(place.folder)
    if place.part == "video" and adapter is None and not to_train:
        refuse_no_keyframes(place.folder)
    if adapter is not None:
        check_adapter(adapter_file(adapter), place.folder)
    return contents


def licence_at(found: Place | Wanted) -> Licence:
    """The licence of what was found."""
    if isinstance(found, Place):
        return licence_of(found.name, found.folder)
    card = dict(found.remote.card)
    return known_licence(found.name) or card_licence(card) or licence_of(found.name, None)


def parts_of(model: str) -> tuple[Part, ...]:
    """Which parts a name stands for; of a model that is not here its index is fetched.

    Raises:
        InputError, MissingError: as ``look_up``.
    """
    root = _root(model)
    if not root.exists() and hub.is_hub_name(model):
        root = hub.cached_snapshot(model) or hub.fetch_index(model)
    if (root / INDEX_NAME).is_file():
        return (part_of(root),)
    there = tuple(part for part in PARTS if (root / part).is_dir())
    return there or PARTS


def _root(model: str) -> Path:
    return Path(str(resources.files("cinema_cli"))) / TOY if model == TOY else Path(model).expanduser()


def _local(model: str, part: Part) -> Path | None:
    """The folder of a part, checked for what it is; none where the name may be one of the hub."""
    root = _root(model)
    if (root / part / INDEX_NAME).is_file():
        return root / part
    if (root / INDEX_NAME).is_file():
        if part_of(root) != part:
            refuse_other_architectures(root, part)
        return root
    if root.suffix == SUFFIX and root.is_file():
        raise InputError(
            f"{root}: a model's folder was wanted, found a GGUF file, which holds a transformer alone. Give "
            "it as --transformer, beside --model with the rest, such as black-forest-labs/FLUX.1-dev."
        )
    if root.is_file():
        raise InputError(
            f"{root}: a model's folder was wanted, found a single file. Take the folder in diffusers' layout "
            f"({INDEX_NAME} and a folder for each part); an adapter is given with --adapter."
        )
    if not root.exists() and hub.is_hub_name(model):
        return None
    if (root / "manifest.json").is_file() and (root / "ema").is_dir():
        raise InputError(
            f"{root}: a model was wanted, found a checkpoint, which holds only what was trained. Give one "
            "with adapters as --adapter; one of a whole model is exported as examples/toy-weights/README.md "
            "says."
        )
    if root.is_dir() and not any((root / each).is_dir() for each in PARTS):
        raise MissingError(
            f"Weights for {part} were wanted in {root}, but it holds neither {INDEX_NAME} nor keyframes/ nor "
            "video/. Give a folder in diffusers' layout, or a name on the hub such as "
            "black-forest-labs/FLUX.1-dev."
        )
    raise MissingError(
        f"Weights for {part} were wanted in {root / part}, but there is no {INDEX_NAME}. "
        "Run `cinema doctor`, or train them as examples/toy-weights/README.md says."
    )


def _cached(model: str, snapshot: Path, part: Part) -> Place:
    return Place(_pinned(model, snapshot), snapshot, part, "hub", snapshot.name)


def _pinned(model: str, snapshot: Path) -> str:
    return f"{hub.split_name(model)[0]}@{snapshot.name}"


def _weight_folders(place: Place) -> tuple[str, ...]:
    return weight_folders(pipeline_of(place.folder), place.part)


def _without_transformer(remote: hub.Remote) -> hub.Remote:
    """What is to be fetched where a GGUF file holds the transformer's weights: of that folder the config."""
    files = {
        name: size
        for name, size in remote.files.items()
        if not name.startswith("transformer/") or name == "transformer/config.json"
    }
    return replace(remote, files=files, lacking=tuple(name for name in remote.lacking if name in files))


def _checked(place: Place, gguf: Path | None = None) -> Contents:
    configs = [place.folder / name / "config.json" for name in _weight_folders(place)]
    if all(config.is_file() for config in configs):  # else it is told below which one is missing
        refuse_other_architectures(place.folder, place.part)
    return read_contents(place.folder, place.part, gguf)
