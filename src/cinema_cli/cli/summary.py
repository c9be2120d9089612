"""What a command says at its end, on stdout: aligned lines for a person, or one JSON document."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def show(facts: Mapping[str, Any], as_json: bool) -> None:
    """Print the facts of a finished command; of several processes the first one speaks."""
    if os.environ.get("RANK", "0") != "0":
        return
    if as_json:
        print(json.dumps(facts, default=_plain, ensure_ascii=False, allow_nan=False))
        return
    rows = [(name.replace("_", " "), text) for name, value in facts.items() for text in _lines(value)]
    width = max((len(name) for name, _ in rows), default=0)
    before = ""
    for name, text in rows:  # a name is said once, beside the first of its lines
        print(f"{name if name != before else '':<{width}}  {text}")
        before = name


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a JSON document")


def _lines(value: Any) -> list[str]:
    """A line for each entry of a list, one line for anything else, none for nothing."""
    if isinstance(value, list | tuple):
        return [line for entry in value for line in _lines(entry)]
    if isinstance(value, Mapping):
        parts = [f"{name} {line}" for name, inner in value.items() for line in _lines(inner)]
        return [", ".join(parts)] if parts else []
    return [f"{value:.1f}" if isinstance(value, float) else str(value)]
