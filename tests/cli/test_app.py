"""The exit codes and streams of the real command."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cinema_cli import __version__
from cinema_cli.cli.app import _all_commands, app
from cinema_cli.errors import CinemaError, InputError, Interrupted, MissingError

COMMANDS = [
    "plan", "render", "ingest", "caption", "sample", "theatre", "train-keyframes", "train-video", "doctor",
]  # fmt: skip


def process(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cinema_cli", *words], capture_output=True, text=True, cwd=cwd
    )


def test_the_version_in_a_real_process() -> None:
    ran = process("--version")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"cinema {__version__}\n", "")


def test_an_unknown_command_in_a_real_process() -> None:
    ran = process("projekt")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "Usage: cinema" in ran.stderr
    assert "projekt" in ran.stderr


def test_a_storyboard_that_is_missing_in_a_real_process(tmp_path: Path) -> None:
    ran = process("--debug", "render", "no-film", "--quiet", cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (3, "")
    assert "Traceback" in ran.stderr
    assert ran.stderr.splitlines()[-1].startswith("Error: no-film: cannot be read")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example(command: str) -> None:
    ran = CliRunner().invoke(app, [command, "--help"])
    assert ran.exit_code == 0
    assert f"cinema {command}" in ran.stdout.split("Options", 1)[1]


@pytest.mark.parametrize(
    "words",
    [
        ["plan"],
        ["plan", "story.txt", "--shots", "0"],
        ["plan", "story.txt", "--redo", "7,,9"],
        ["theatre", "out", "--minutes", "many"],
        ["theatre", "out", "--minutes", "nan"],
        ["train-keyframes"],
    ],
)
def test_wrong_usage_is_2_and_told_on_stderr(words: list[str], tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, words)
    assert ran.exit_code == 2
    assert "Usage:" in ran.stderr
    assert ran.stdout == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["render", "no-film"], "no-film"),
        (["plan", "no-story.txt"], "no-story.txt"),
        (["plan", "story.txt", "--set", "colour=red"], "colour"),
        (["plan", "story.txt", "--set", "colour"], "NAME=VALUE"),
        (["plan", "story.txt", "--out", "story.txt"], "story.txt"),
        (["theatre", "/proc/movies"], "/proc/movies"),
        (["theatre", "story.txt"], "story.txt"),
        (["train-video", "--preset", "none-such"], "Known presets"),
        (["train-keyframes", "--stage", "8", "--set", "colour=red"], "colour"),
    ],
)
def test_input_that_cannot_be_used_is_3_and_one_sentence(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("story.txt").write_text("Mira walks in the forest.")
    ran = CliRunner().invoke(app, [*words, "--quiet"])
    assert ran.exit_code == 3, ran.stderr
    assert ran.stderr.startswith("Error: ")
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""
    assert {path.name for path in tmp_path.iterdir()} == {"story.txt"}


def test_a_reader_that_leaves_early_is_no_error() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-m", "cinema_cli", "--help"], stdout=pipe, stderr=pipe
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.close()
        assert command.stderr.read() == b""


def test_doctor_as_json() -> None:
    ran = CliRunner().invoke(app, ["doctor", "--json"])
    told = json.loads(ran.stdout)
    lacking = [finding for finding in told["findings"] if finding["state"] == "missing"]
    assert told["ok"] == (not lacking)
    assert ran.exit_code == (4 if lacking else 0)


def fails_with(error: BaseException) -> Result:
    """The table itself, on a command that only fails."""
    failing = typer.Typer(cls=type(typer.main.get_command(app)), callback=_all_commands)

    @failing.command()
    def fail() -> None:
        raise error

    return CliRunner().invoke(failing, ["fail"])


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (CinemaError("odd"), 1, "Error: odd"),
        (InputError("a [b] c"), 3, "Error: a [b] c"),
        (MissingError("no weights"), 4, "Error: no weights"),
        (Interrupted("after shot 3"), 5, "Stopped: after shot 3"),
        (KeyboardInterrupt(), 5, "Stopped: stopped at once"),
        (OSError(errno.ENOSPC, "No space left on device", "film.mp4"), 4, "film.mp4: No space left"),
        (PermissionError(errno.EACCES, "Permission denied", "film.mp4"), 3, "film.mp4: Permission denied"),
        (
            ZeroDivisionError("x / 0"),
            1,
            "a fault in cinema, not in what you gave it (ZeroDivisionError: x / 0)",
        ),
        (MemoryError(), 4, "memory"),
        (ImportError("no libcudart", name="torch"), 4, "cinema doctor"),
        (ImportError("no such name", name="cinema_cli.plan"), 1, "a fault in cinema"),
    ],
)
def test_each_error_has_a_sentence_and_an_exit_code(error: BaseException, code: int, told: str) -> None:
    ran = fails_with(error)
    assert ran.exit_code == code
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""
