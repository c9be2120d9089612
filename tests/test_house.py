"""The import order of the house: each line of ``LEVELS`` imports only from lines above it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import cinema_cli

PACKAGE = Path(cinema_cli.__file__).parent
LEVELS = [
    ["errors"],
    ["config", "fields", "files", "progress", "runtime"],
    ["storyboard", "chat", "process"],
    ["ffmpeg", "dataset"],
    ["contact_sheet", "context", "models", "theatre"],
    ["plain_sheet", "footage", "captioning", "sampling"],
    ["training", "planning", "rendering"],
    ["evaluation", "doctor"],
    ["doctor_model"],
    ["cli"],
]
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem[0] != "_")


def imported_rooms(path: Path) -> set[str]:
    """The rooms of cinema_cli that a file imports, wherever in the file the import stands."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}, line {node.lineno}: imports are absolute here"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            package, _, rest = name.partition(".")
            if package == "cinema_cli" and rest.split(".")[0] != "__version__":
                rooms.add(rest.split(".")[0])
    return rooms


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_from_the_lines_above_it(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert room in LEVEL, f"{room} has no place in the import order"
    for other in imported_rooms(path) - {room}:
        assert LEVEL[other] < LEVEL[room], f"{path.relative_to(PACKAGE)} may not import {other}"


HEAVY = {
    "torch",
    "torchvision",
    "diffusers",
    "transformers",
    "accelerate",
    "numpy",
    "PIL",
    "ffmpeg",
    "scenedetect",
}


def test_help_loads_nothing_heavy() -> None:
    code = f"""
import sys
from cinema_cli.cli.app import app, main
for name in ["", *(command.callback.__name__.replace("_", "-") for command in app.registered_commands)]:
    sys.argv = ["cinema", *name.split(), "--help"]
    try:
        main()
    except SystemExit as stop:
        assert not stop.code
print(sorted({HEAVY!r} & set(sys.modules)))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.count("Usage: cinema") == 11
    assert ran.stdout.splitlines()[-1] == "[]"


def test_the_version_is_the_one_that_is_installed() -> None:
    from importlib.metadata import version

    assert version("cinema-cli") == cinema_cli.__version__
