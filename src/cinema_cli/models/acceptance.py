"""Licences that the user has accepted: noted once in the folder of settings, never asked again."""

import datetime
import json
import os
from pathlib import Path

from cinema_cli import __version__
from cinema_cli.errors import InputError, MissingError
from cinema_cli.files import read_json, write_atomic
from cinema_cli.models.licences import Licence

FILE_NAME = "licences.json"
MAX_BYTES = 1 << 20


def settings_file() -> Path:
    """Where it is noted: ``$XDG_CONFIG_HOME/cinema``, else ``~/.config/cinema``."""
    root = os.environ.get("XDG_CONFIG_HOME")
    return (Path(root) if root else Path.home() / ".config") / "cinema" / FILE_NAME


def is_accepted(model: str, licence: Licence) -> bool:
    """Whether nothing is to be asked: the licence lets one do everything, is unknown, or was accepted."""
    wanted = {"model": model.partition("@")[0], "licence": licence.name}
    return licence.permissive is not False or any(
        {"model": entry.get("model"), "licence": entry.get("licence")} == wanted for entry in _noted()
    )


def accept(model: str, licence: Licence) -> None:
    """Note that the user has accepted it, with the day."""
    entry = {
        "model": model.partition("@")[0],
        "licence": licence.name,
        "address": licence.address,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "version": __version__,
    }
    write_atomic(settings_file(), json.dumps({"accepted": [*_noted(), entry]}, indent=2) + "\n")


def require_accepted(model: str, licence: Licence) -> None:
    """Raise MissingError where a licence is still to be accepted."""
    if not is_accepted(model, licence):
        raise MissingError(
            f"{model} is under the {licence.line}. That was to be accepted once, and was not: read it, then "
            f"say `cinema doctor --model {model} --accept-licence`, or give --accept-licence to the command "
            "that has it."
        )


def _noted() -> list[dict[str, str]]:
    path = settings_file()
    if not path.is_file():
        return []
    found = read_json(path, MAX_BYTES)
    entries = found.get("accepted") if isinstance(found, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(
            f"{path}: a list of accepted licences was wanted, found other data. Remove the file."
        )
    return entries
