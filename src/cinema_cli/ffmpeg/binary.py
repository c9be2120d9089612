"""Which ffmpeg runs: the system's when it is able, else the one that imageio-ffmpeg ships."""

import re
import shutil
import subprocess
from functools import cache
from typing import Any

import ffmpeg
import imageio_ffmpeg

from cinema_cli.errors import MissingError

OLDEST = (6, 1)
"""The first ffmpeg that knows every option used here (``-enc_time_base demux``)."""


@cache
def find_ffmpeg() -> str:
    """The system's ffmpeg when it is new enough and can write H.264, else the one of imageio-ffmpeg."""
    if not hasattr(ffmpeg, "input"):
        raise MissingError(
            f"Wanted the package ffmpeg-python, found another one named ffmpeg ({ffmpeg.__file__}). "
            "Uninstall that one, then: pip install --force-reinstall ffmpeg-python"
        )
    system = shutil.which("ffmpeg")
    if system is not None and is_capable(_version_text(system)):
        return system
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        found = f"only an older one, {system}" if system else "none"
        raise MissingError(
            f"Wanted ffmpeg {OLDEST[0]}.{OLDEST[1]} or newer with libx264, found {found}. "
            "Install ffmpeg, or: pip install --force-reinstall imageio-ffmpeg"
        ) from error


def ffmpeg_version() -> str:
    """The version of the ffmpeg in use, as it states it."""
    return _version_text(find_ffmpeg()).split()[2]


@cache
def has_filter(name: str) -> bool:
    """Whether the ffmpeg in use knows a filter; builds differ."""
    return re.search(rf"^ \S+ {re.escape(name)} ", _said(find_ffmpeg(), "-filters"), re.MULTILINE) is not None


def compile_command(output: Any, level: str = "error") -> list[str]:
    """The argument list of a graph of ffmpeg-python."""
    flags = ("-hide_banner", "-nostdin", "-nostats", "-loglevel", level)
    return list(ffmpeg.compile(output.global_args(*flags), cmd=find_ffmpeg(), overwrite_output=True))


def is_capable(version: str) -> bool:
    """Whether the ffmpeg that prints such a version can do all that is asked of it here."""
    if "--enable-libx264" not in version:
        return False
    release = re.match(r"ffmpeg version n?(\d+)\.(\d+)", version)
    # A build from the development branch ("N-12345-g...") carries no release number.
    return (
        (int(release[1]), int(release[2])) >= OLDEST if release else version.startswith("ffmpeg version N-")
    )


@cache
def _version_text(binary: str) -> str:
    return _said(binary, "-version")


def _said(binary: str, *question: str) -> str:
    try:
        done = subprocess.run([binary, *question], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingError(f"Wanted ffmpeg at {binary}, but it does not run: {error}") from error
    return done.stdout
