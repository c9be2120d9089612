"""The command ``cinema``, and the one table from what went wrong to a sentence and an exit code.

0  done                        3  input or config invalid
1  a fault in cinema itself    4  something is missing (weights, ffmpeg, disk, a device)
2  wrong usage                 5  stopped half way; run again to continue
"""

import contextlib
import errno
import os
import shlex
import sys
import traceback
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from cinema_cli import __version__
from cinema_cli.cli import (
    caption,
    doctor,
    evaluate,
    ingest,
    plan,
    render,
    sample,
    theatre,
    train_keyframes,
    train_video,
)
from cinema_cli.errors import CinemaError, InputError, Interrupted, MissingError

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}


class _Commands(TyperGroup):
    """Runs a command and ends with one sentence on stderr where it fails."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # the reader of stdout has seen enough
            raise typer.Exit(0) from None
        except (CinemaError, OSError, KeyboardInterrupt) as error:
            raise typer.Exit(_tell(error, debug=ctx.params["debug"])) from None
        except Exception as error:
            if type(error).__module__.partition(".")[0] in ("typer", "click"):  # wrong usage, or an exit
                raise
            raise typer.Exit(_tell(error, debug=ctx.params["debug"])) from None


def _tell(error: BaseException, debug: bool) -> int:
    """Say what went wrong; the exit code."""
    if debug:
        traceback.print_exception(error)
    told = _as_cinema_error(error)
    head, style = ("Stopped", "bold yellow") if isinstance(told, Interrupted) else ("Error", "bold red")
    console = Console(stderr=True, highlight=False)
    console.print(f"[{style}]{head}:[/]", end=" ")
    console.print(str(told), markup=False, soft_wrap=True)
    return told.exit_code


def _as_cinema_error(error: BaseException) -> CinemaError:
    if isinstance(error, CinemaError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("stopped at once. The same command goes on where it stopped.")
    if isinstance(error, OSError) and error.errno in _DISK:
        return MissingError(f"{_about(error)}. Make room, or write elsewhere, and run it again.")
    if isinstance(error, OSError) and error.filename:
        return InputError(f"{_about(error)}. Check the path and what you may do there.")
    if isinstance(error, MemoryError) or "out of memory" in str(error):
        return MissingError(f"there is not enough memory ({error}). Close other programs, or ask for less.")
    if isinstance(error, ImportError) and not (error.name or "").startswith("cinema_cli"):
        return MissingError(f"a library does not load ({error}). `cinema doctor` tells what to install.")
    return CinemaError(
        f"this is a fault in cinema, not in what you gave it ({type(error).__name__}: {error}). "
        f"Please report it; `{_with_debug(sys.argv)}` shows where it happened."
    )


def _about(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)


def _with_debug(argv: list[str]) -> str:
    return shlex.join(["cinema", "--debug", *(word for word in argv[1:] if word != "--debug")])


def _version(wanted: bool) -> None:
    if wanted:
        print(f"cinema {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="cinema",
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="[bold]cinema plan story.txt --out film[/]  and then  [bold]cinema render film[/]",
)


@app.callback()
def _all_commands(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Turns a story into a film, and films into the models that do it.

    Every command can be run again: it skips what is done. Progress goes to stderr, results to stdout.
    """


_STORY, _TRAIN = "From story to film", "From films to models"
_QUALITY, _HERE = "How good it is", "This machine"

app.command("plan", rich_help_panel=_STORY, epilog=plan.EXAMPLES)(plan.plan)
app.command("render", rich_help_panel=_STORY, epilog=render.EXAMPLES)(render.render)
app.command("theatre", rich_help_panel=_TRAIN, epilog=theatre.EXAMPLES)(theatre.theatre)
app.command("ingest", rich_help_panel=_TRAIN, epilog=ingest.EXAMPLES)(ingest.ingest)
app.command("caption", rich_help_panel=_TRAIN, epilog=caption.EXAMPLES)(caption.caption)
app.command("sample", rich_help_panel=_TRAIN, epilog=sample.EXAMPLES)(sample.sample)
app.command("train-keyframes", rich_help_panel=_TRAIN, epilog=train_keyframes.EXAMPLES)(
    train_keyframes.train_keyframes
)
app.command("train-video", rich_help_panel=_TRAIN, epilog=train_video.EXAMPLES)(train_video.train_video)
app.command("evaluate", rich_help_panel=_QUALITY, epilog=evaluate.EXAMPLES)(evaluate.evaluate)
app.command("doctor", rich_help_panel=_HERE, epilog=doctor.EXAMPLES)(doctor.doctor)


def main() -> None:
    """Run ``cinema``; where the reader of stdout has gone, end in silence."""
    try:
        app(prog_name="cinema")  # not the name of __main__.py
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            with contextlib.suppress(OSError):  # nothing is left to write to at the exit of Python
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
