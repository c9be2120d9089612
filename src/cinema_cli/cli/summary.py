"""What a command says at its end, on stdout: aligned lines for a person, or one JSON document."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def show(facts: Mapping[str, Any], as_json: bool) -> None:
    """Print the facts of a finished command."""
    if as_json:
        print(json.dumps(facts, default=_plain, ensure_ascii=False, allow_nan=False))
        return
    lines = {
        name.replace("_", " "): _line(value) for name, value in facts.items() if value not in ((), [], {}, "")
    }
    width = max(map(len, lines), default=0)
    for name, text in lines.items():
        print(f"{name:<{width}}  {text}")


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a JSON document")


def _line(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_line(inner)}" for name, inner in value.items())
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, list | tuple):
        return "; ".join(_line(inner) for inner in value)
    return str(value)
