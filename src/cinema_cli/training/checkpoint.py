"""Checkpoints: folders that explain themselves, written aside, verified and renamed (formats.md).

    step-001000/
    ├── <module>/             each trained module in its own library's layout (``pieces.py``)
    ├── ema/<module>/         the same, averaged
    ├── optimizer.safetensors tensors of the optimizers' state
    ├── random.safetensors    states of the libraries' random numbers, of every rank
    ├── state.json            step, loop, guards, tracker's run and the rest of the optimizers' state
    ├── config.yaml           the expanded config
    ├── README.md             the model card (``card.py``)
    └── manifest.json         size and sha256 of every file above

Only safetensors, JSON and YAML are written or read: a checkpoint can be taken from a stranger.  The main rank
writes everything, whole: what was saved by eight processes goes on with two.
"""

import contextlib
import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from cinema_cli.errors import InputError
from cinema_cli.files import atomic_folder, sha256_file
from cinema_cli.training.averages import Averages
from cinema_cli.training.card import CARD_NAME
from cinema_cli.training.pieces import load_tensors, module_weights, save_module, write_pieces, write_tensors
from cinema_cli.training.randomness import library_states, restore_libraries
from cinema_cli.training.ranks import Ranks
from cinema_cli.training.sharding import like

__all__ = ["faults", "list_checkpoints", "module_weights", "newest_checkpoint", "save_module"]

NAME = re.compile(r"step-(\d{6,})$")
MAX_JSON_BYTES = 64 << 20


@dataclass(frozen=True)
class Live:
    """What is trained, as it lies in memory."""

    modules: Mapping[str, nn.Module]
    averages: Averages
    optimizers: list[torch.optim.Optimizer]
    ranks: Ranks


def save_checkpoint(
    folder: Path,
    step: int,
    live: Live,
    facts: Mapping[str, Any],
    config_yaml: str,
    card: str,
    keep: int,
    best: int = -1,
) -> Path:
    """Write ``folder/step-NNNNNN`` whole or not at all, then remove the oldest beyond ``keep``.

    Every rank calls it; the main one writes.

    Args:
        folder: of the checkpoints.
        step: steps taken.
        live: what to save.
        facts: what else ``state.json`` says.
        config_yaml: the expanded config.
        card: the model card.
        keep: newest checkpoints that stay.
        best: step of one more that stays.
    """
    target = folder / f"step-{step:06d}"
    ranks = live.ranks
    random = ranks.gather(library_states())
    with atomic_folder(target) if ranks.main else contextlib.nullcontext() as aside:
        for name, module in live.modules.items():
            save_module(module, aside and aside / name)
            save_module(module, aside and aside / "ema" / name, live.averages.weights[name])
        tensors, rest = _pack_optimizers(live.optimizers)
        write_pieces(aside, "optimizer", tensors)
        if aside is not None:
            states = {f"{rank}.{key}": value for rank, own in enumerate(random) for key, value in own.items()}
            write_tensors(states, aside / "random.safetensors")
            state = {"step": step, "optimizers": rest, **facts}
            (aside / "state.json").write_text(json.dumps(state, indent=1))
            (aside / "config.yaml").write_text(config_yaml)
            (aside / CARD_NAME).write_text(card, encoding="utf-8")
            (aside / "manifest.json").write_text(json.dumps(_manifest(aside), indent=1))
    if ranks.main:
        for old in list_checkpoints(folder)[:-keep]:
            if step_of(old) != best:
                # Renamed first: a kill in the middle must not leave half a checkpoint behind.
                shutil.rmtree(old.rename(old.with_name(f".{old.name}.part")))
    ranks.wait()
    return target


def list_checkpoints(folder: Path) -> list[Path]:
    """Checkpoints in a folder, oldest first, verified or not."""
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if NAME.match(path.name) and path.is_dir()), key=step_of)


def step_of(checkpoint: Path) -> int:
    """The step in a checkpoint's name."""
    found = NAME.match(checkpoint.name)
    assert found is not None, checkpoint
    return int(found[1])


def newest_checkpoint(folder: Path, tell: Callable[[str], None] | None = None) -> Path | None:
    """The newest checkpoint that verifies; None when there is none at all.

    Args:
        folder: of the checkpoints.
        tell: hears a line about each newer one that does not.

    Raises:
        InputError: there are checkpoints and none verifies.
    """
    wrong: list[str] = []
    for path in reversed(list_checkpoints(folder)):
        found = faults(path)
        if not found:
            if wrong and tell is not None:
                tell(f"Skipped {'; '.join(wrong)}. Taken instead: {path.name}.")
            return path
        wrong.append(f"{path.name}: {found[0]}")
    if wrong:
        raise InputError(
            f"{folder}: no checkpoint here is whole ({'; '.join(wrong)}). "
            "Remove the folder to start anew, or restore it."
        )
    return None


def take_checkpoint(folder: Path, name: str | None, tell: Callable[[str], None]) -> Path | None:
    """The checkpoint to go on from; newer ones are put aside, so that their steps can be taken again.

    Args:
        folder: of the checkpoints.
        name: of the one that is wanted; none: the newest that verifies.
        tell: hears what is skipped and put aside.

    Returns:
        None where there is none at all.

    Raises:
        InputError: the one that is wanted is missing or not whole, or none is whole.
    """
    there = list_checkpoints(folder)
    if name is None:
        taken = newest_checkpoint(folder, tell)
    else:
        taken = folder / name
        wrong = faults(taken) if taken in there else ["it is not there"]
        if wrong:
            names = ", ".join(path.name for path in there) or "none"
            raise InputError(f"{taken}: a whole checkpoint was wanted, but {wrong[0]}. There are: {names}.")
    for path in there:
        if taken is not None and step_of(path) > step_of(taken):
            aside = next(free for n in range(len(there) + 99) if not (free := _aside(path, n)).exists())
            path.rename(aside)
            tell(f"Put {path.name} aside as {aside.name}; remove it when nobody wants it.")
    return taken


def faults(checkpoint: Path) -> list[str]:
    """What is wrong with a checkpoint: missing, truncated or changed files; empty when it is whole."""
    try:
        manifest = json.loads((checkpoint / "manifest.json").read_bytes()[:MAX_JSON_BYTES])
        listed = {str(name): (int(f["bytes"]), str(f["sha256"])) for name, f in manifest["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ["manifest.json is missing or unreadable"]
    found = []
    for name, (size, digest) in listed.items():
        path = checkpoint / name
        if ".." in Path(name).parts or not path.is_file():
            found.append(f"{name} is missing")
        elif path.stat().st_size != size:
            found.append(f"{name} has {path.stat().st_size} bytes instead of {size}")
        elif sha256_file(path) != digest:
            found.append(f"{name} was changed")
    return found


def load_checkpoint(checkpoint: Path, live: Live) -> dict[str, Any]:
    """Put a verified checkpoint back into live objects; returns what ``state.json`` says.

    Raises:
        InputError: it holds another model, or other parts of it were trained.
    """
    if (trained := {path.name for path in (checkpoint / "ema").iterdir()}) != set(live.modules):
        raise InputError(
            f"{checkpoint}: {', '.join(sorted(live.modules))} were to be trained, found what trained "
            f"{', '.join(sorted(trained))}. Train the same parts as before, or choose another --run folder."
        )
    for name, module in live.modules.items():
        load_tensors(module.state_dict(), checkpoint / name)
        load_tensors(live.averages.weights[name], checkpoint / "ema" / name)
    state: dict[str, Any] = json.loads((checkpoint / "state.json").read_text())
    _unpack_optimizers(
        live.optimizers, sorted(checkpoint.glob("optimizer*.safetensors")), state["optimizers"]
    )
    # A rank that was not there when it was saved keeps its own, as all do where cinema 0.1 saved none: what a
    # step draws does not depend on them.
    random = checkpoint / "random.safetensors"
    states = load_file(random) if random.is_file() else {}
    own = {key.partition(".")[2]: v for key, v in states.items() if key.startswith(f"{live.ranks.rank}.")}
    if own:
        restore_libraries(own)
    return state


def _pack_optimizers(optimizers: list[torch.optim.Optimizer]) -> tuple[dict[str, Tensor], list[Any]]:
    tensors: dict[str, Tensor] = {}
    rest = []
    for i, optimizer in enumerate(optimizers):
        state = optimizer.state_dict()
        for index, entry in state["state"].items():
            tensors |= {f"{i}.{index}.{key}": value for key, value in entry.items()}
        rest.append(state["param_groups"])
    return tensors, rest


def _unpack_optimizers(optimizers: list[torch.optim.Optimizer], paths: list[Path], rest: list[Any]) -> None:
    held = [[p for group in optimizer.param_groups for p in group["params"]] for optimizer in optimizers]
    states: list[dict[int, dict[str, Tensor]]] = [{} for _ in optimizers]
    for path in paths:
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118 - an open safetensors file is no mapping
                i, index, key = name.split(".", 2)
                parameter = held[int(i)][int(index)]
                states[int(i)].setdefault(int(index), {})[key] = like(parameter, file, name)
    for optimizer, state, groups in zip(optimizers, states, rest, strict=True):
        optimizer.load_state_dict({"state": state, "param_groups": groups})


def _aside(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.aside{number or ''}")


def _manifest(folder: Path) -> dict[str, Any]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        "files": {
            path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
            for path in files
        }
    }
