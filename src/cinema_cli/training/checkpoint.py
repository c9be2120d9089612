"""Checkpoints: folders that explain themselves, written aside, verified and renamed (formats.md).

    step-001000/
    ├── <module>/             each trained module in its own library's layout
    ├── ema/<module>/         the same, averaged
    ├── optimizer.safetensors tensors of the optimizers' state
    ├── state.json            step, seed and the rest of the optimizers' state
    ├── config.yaml           the expanded config
    └── manifest.json         size and sha256 of every file above

Only safetensors, JSON and YAML are written or read: a checkpoint can be taken from a stranger.
"""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from cinema_cli.errors import InputError
from cinema_cli.files import atomic_folder, sha256_file

NAME = re.compile(r"step-(\d{6,})$")
MAX_JSON_BYTES = 64 << 20


def save_checkpoint(
    folder: Path,
    step: int,
    modules: Mapping[str, nn.Module],
    averages: Mapping[str, Mapping[str, Tensor]],
    optimizers: list[torch.optim.Optimizer],
    facts: Mapping[str, Any],
    config_yaml: str,
    keep: int,
) -> Path:
    """Write ``folder/step-NNNNNN`` whole or not at all, then remove the oldest beyond ``keep``."""
    target = folder / f"step-{step:06d}"
    with atomic_folder(target) as aside:
        for name, module in modules.items():
            save_module(module, aside / name)
            save_module(module, aside / "ema" / name, averages[name])
        tensors, rest = _pack_optimizers(optimizers)
        save_file(tensors, aside / "optimizer.safetensors")
        state = {"step": step, "optimizers": rest, **facts}
        (aside / "state.json").write_text(json.dumps(state, indent=1))
        (aside / "config.yaml").write_text(config_yaml)
        (aside / "manifest.json").write_text(json.dumps(_manifest(aside), indent=1))
    for old in list_checkpoints(folder)[:-keep]:
        shutil.rmtree(old)
    return target


def list_checkpoints(folder: Path) -> list[Path]:
    """Checkpoints in a folder, oldest first, verified or not."""
    if not folder.is_dir():
        return []
    found = [(int(m.group(1)), p) for p in folder.iterdir() if (m := NAME.match(p.name)) and p.is_dir()]
    return [path for _, path in sorted(found)]


def newest_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that verifies; None when there is none at all.

    Raises:
        InputError: there are checkpoints and none verifies.
    """
    found = list_checkpoints(folder)
    for path in reversed(found):
        if not faults(path):
            return path
    if found:
        told = "; ".join(f"{path.name}: {faults(path)[0]}" for path in found)
        raise InputError(
            f"{folder}: no checkpoint here is whole ({told}). Remove the folder to start anew, or restore it."
        )
    return None


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


def load_checkpoint(
    checkpoint: Path,
    modules: Mapping[str, nn.Module],
    averages: Mapping[str, Mapping[str, Tensor]],
    optimizers: list[torch.optim.Optimizer],
) -> dict[str, Any]:
    """Put a verified checkpoint back into live objects; returns what ``state.json`` says."""
    for name, module in modules.items():
        module.load_state_dict(module_weights(checkpoint / name))
        for key, value in module_weights(checkpoint / "ema" / name).items():
            averages[name][key].copy_(value)
    state: dict[str, Any] = json.loads((checkpoint / "state.json").read_text())
    _unpack_optimizers(optimizers, load_file(checkpoint / "optimizer.safetensors"), state["optimizers"])
    return state


def save_module(module: Any, folder: Path, weights: Mapping[str, Tensor] | None = None) -> None:
    """Save a module of diffusers or transformers in its own layout, with other weights if given."""
    folder.mkdir(parents=True, exist_ok=True)
    # Cloned, because tied weights share memory and safetensors stores no ties.
    given = {k: v.detach().clone().contiguous() for k, v in (weights or module.state_dict()).items()}
    if hasattr(module, "save_config"):
        module.save_config(folder)
        save_file(given, folder / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    else:
        module.config.save_pretrained(folder)
        save_file(given, folder / "model.safetensors", {"format": "pt"})


def module_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a module's folder."""
    return {k: v for path in sorted(folder.glob("*.safetensors")) for k, v in load_file(path).items()}


def _pack_optimizers(optimizers: list[torch.optim.Optimizer]) -> tuple[dict[str, Tensor], list[Any]]:
    tensors: dict[str, Tensor] = {}
    rest = []
    for i, optimizer in enumerate(optimizers):
        state = optimizer.state_dict()
        for index, entry in state["state"].items():
            tensors |= {f"{i}.{index}.{key}": value.contiguous() for key, value in entry.items()}
        rest.append(state["param_groups"])
    return tensors, rest


def _unpack_optimizers(
    optimizers: list[torch.optim.Optimizer], tensors: Mapping[str, Tensor], rest: list[Any]
) -> None:
    states: list[dict[int, dict[str, Tensor]]] = [{} for _ in optimizers]
    for name, value in tensors.items():
        i, index, key = name.split(".", 2)
        states[int(i)].setdefault(int(index), {})[key] = value
    for optimizer, state, groups in zip(optimizers, states, rest, strict=True):
        optimizer.load_state_dict({"state": state, "param_groups": groups})


def _manifest(folder: Path) -> dict[str, Any]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        "files": {
            path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
            for path in files
        }
    }
