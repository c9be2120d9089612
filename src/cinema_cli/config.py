"""Config: the base of every config, and the road from a preset, a YAML file and ``--set`` into one.

A config is a small frozen model beside the thing that it configures.  Data arrives as plain
mappings, is changed as plain mappings, and becomes a config once, in ``build``: that is where an
unknown name or a wrong value is found and told.
"""

import copy
import difflib
from collections.abc import Hashable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from cinema_cli.errors import InputError

MAX_YAML_BYTES = 1 << 20
"""A config is a page of text; a larger file is a mistake and is not read."""

MAX_TOLD = 5
"""Faults told at once; the rest is counted."""


class Config(BaseModel):
    """Frozen, closed to unknown fields; the sentence under a field is its description."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )


AnyConfig = TypeVar("AnyConfig", bound=Config)


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader, and a key given twice is an error: plain YAML lets the last one win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"the key {key.value!r} is given twice", problem_mark=key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds."""
    try:
        size = path.stat().st_size
        if size > MAX_YAML_BYTES:
            raise InputError(f"{path}: a config of at most {MAX_YAML_BYTES} bytes was wanted, found {size}.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: the config cannot be read ({error.strerror}). Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: UTF-8 text was wanted, found other bytes at {error.start}.") from error
    return _parse_mapping(text, str(path))


def _parse_mapping(text: str, where: str) -> dict[str, Any]:
    data = _parse(text, where)
    if data is None:
        return {}
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise InputError(f"{where}: lines of `name: value` were wanted, found {_shown(data)}.")
    return data


def _parse(text: str, where: str) -> Any:
    try:
        return yaml.load(text, Loader=_StrictLoader)  # a SafeLoader: plain values only
    except RecursionError as error:
        raise InputError(f"{where}: nested too deeply to be a config.") from error
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error)
        raise InputError(f"{where}{line}: this is not valid YAML: {problem}.") from error


def with_overrides(data: Mapping[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """A copy of ``data`` with settings such as ``optimizer.lr=1e-4`` put in; values are YAML."""
    result = copy.deepcopy(dict(data))
    for setting in settings:
        name, equals, text = setting.partition("=")
        keys = name.strip().split(".")
        if not equals or not all(keys):
            raise InputError(f"--set {setting}: wanted NAME=VALUE, for example --set optimizer.lr=1e-4.")
        inner = result
        for depth, key in enumerate(keys[:-1], start=1):
            inner = inner.setdefault(key, {})
            if not isinstance(inner, dict):
                parent = ".".join(keys[:depth])
                raise InputError(f"--set {setting}: {parent} is a value ({_shown(inner)}), not a group.")
        inner[keys[-1]] = _parse(text, f"--set {setting}")
    return result


def build(cls: type[AnyConfig], data: Mapping[str, Any], where: str) -> AnyConfig:
    """The config that ``data`` describes; ``where`` tells the reader which file or option it came from."""
    try:
        return cls.model_validate(dict(data))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        told = [_sentence(cls, fault) for fault in faults[:MAX_TOLD]]
        if len(faults) > MAX_TOLD:
            told.append(f"... and {len(faults) - MAX_TOLD} more.")
        start = f"{where}: " if len(told) == 1 else f"{where}:\n  "
        raise InputError(start + "\n  ".join(told)) from error


def _sentence(cls: type[Config], fault: Any) -> str:
    """One fault of pydantic as a sentence: which field, what was wanted, what was found."""
    name = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, cls.model_fields, n=1) if len(fault["loc"]) == 1 else []
        hint = f" Did you mean {near[0]}?" if near else ""
        return f"unknown field {name} (found {_shown(fault['input'])}).{hint}"
    if fault["type"] == "missing":
        return f"the field {name} is missing."
    if fault["type"] == "value_error":  # raised by a check of our own, which says it all
        own = str(fault["ctx"]["error"])
        return f"{name}: {own}" if name else own
    return f"{name}: {fault['msg']}, found {_shown(fault['input'])}."


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def preset_names() -> list[str]:
    """The presets that are shipped."""
    folder = resources.files("cinema_cli") / "presets"
    if not folder.is_dir():
        return []
    return sorted(
        entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")
    )


def load_preset(name: str) -> dict[str, Any]:
    """The shipped preset of that name, as plain data; one that ``extends`` another only says what differs."""
    known = preset_names()
    if name not in known:
        raise InputError(f"There is no preset {name!r}. Known presets: {', '.join(known) or 'none'}.")
    text = (resources.files("cinema_cli") / "presets" / f"{name}.yaml").read_text(encoding="utf-8")
    own = _parse_mapping(text, f"preset {name}")
    base = own.pop("extends", None)
    return own if base is None else _changed(load_preset(base), own)


def _changed(data: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``data`` with the values of ``changes`` put in, group by group."""
    return {
        **data,
        **{
            name: _changed(data.get(name, {}), value) if isinstance(value, dict) else value
            for name, value in changes.items()
        },
    }


def to_yaml(config: Config) -> str:
    """The expanded config, every default spelled out, in the order of its fields."""
    data = config.model_dump(mode="json")
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100))
