"""What this machine has for cinema, and the one thing to do for each thing that it lacks."""

import math
import os
import platform
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from typing import Literal

from cinema_cli.errors import CinemaError

State = Literal["ok", "missing", "warn"]

OLDEST_PYTHON = (3, 11)
GIB = 2**30
LEAST_DISK = GIB // 4
"""A film of the toy theatre with its keyframes and clips stays far below this."""
GOOD_DISK = 5 * GIB
"""Room for the checkpoints of a training run."""
GOOD_MEMORY = 4 * GIB
"""The embedded models sample in about 2 GiB; training wants more."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``advice`` is empty where there is nothing to do."""

    name: str
    state: State
    found: str
    advice: str = ""


def examine(folder: Path) -> list[Finding]:
    """Look at everything; ``folder`` is where films would be written."""
    toy = Path(str(resources.files("cinema_cli"))) / "toy"
    return [
        _python(),
        *_torch(),
        _torchvision(),
        _libraries(),
        _compiler(),
        _ffmpeg(),
        _disk(folder),
        _memory(),
        _weights("keyframes", toy),
        _weights("video", toy),
    ]


def _python() -> Finding:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST_PYTHON:
        return Finding("python", "missing", found, "Install Python 3.11 or newer.")
    return Finding("python", "ok", found)


def _torch() -> Iterator[Finding]:
    try:
        import torch
    except (ImportError, OSError) as error:  # OSError: a shared library that does not load
        yield Finding("torch", "missing", f"does not import ({error})", "pip install --force-reinstall torch")
        return
    yield Finding("torch", "ok", f"{torch.__version__}, {torch.get_num_threads()} threads")
    with warnings.catch_warnings(record=True) as told:  # an old driver is told as a warning
        warnings.simplefilter("always")
        usable = torch.cuda.is_available()
    if usable:
        index = torch.cuda.current_device()
        memory = torch.cuda.get_device_properties(index).total_memory / GIB
        numbers = "bfloat16" if torch.cuda.is_bf16_supported() else "no bfloat16"
        name = torch.cuda.get_device_name(index)
        yield Finding("device", "ok", f"{name}, {memory:.0f} GiB, {numbers}, CUDA {torch.version.cuda}")
        return
    driver = _nvidia_driver()
    if driver is None:
        from cinema_cli import runtime

        numbers = str(runtime.number_type(torch.device("cpu"))).removeprefix("torch.")
        yield Finding("device", "ok", f"CPU, computes in {numbers}; no NVIDIA driver is loaded")
        return
    built = f"CUDA {torch.version.cuda}" if torch.version.cuda else "the CPU only"
    why = f" ({told[0].message})" if told else ""
    yield Finding(
        "device",
        "warn",
        f"driver {driver}, but torch is built for {built} and sees no GPU{why}",
        "Install the torch build that fits the driver: see pytorch.org/get-started.",
    )


def _nvidia_driver() -> str | None:
    """The version of the loaded NVIDIA kernel module."""
    try:
        text = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    version = re.search(r"\d+\.\d+(\.\d+)?", text)
    return version.group() if version else "of unknown version"


def _torchvision() -> Finding:
    """Each torchvision is built for exactly one torch, and says which in its metadata."""
    torch, torchvision = _installed("torch"), _installed("torchvision")
    if torch is None or torchvision is None:
        lacking = "torch" if torch is None else "torchvision"
        return Finding("torchvision", "missing", f"{lacking} is not installed", f"pip install {lacking}")
    wanted = next(
        (
            match.group(1)
            for line in metadata.requires("torchvision") or ()
            if (match := re.match(r"torch\s*\(?==\s*([0-9][^;)\s]*)", line))
        ),
        None,
    )
    found = f"{torchvision} beside torch {torch}"
    if wanted is not None and wanted.partition("+")[0] != torch.partition("+")[0]:
        return Finding(
            "torchvision",
            "missing",
            f"{found}, but it is built for torch {wanted}",
            "Install both together: pip install --upgrade torch torchvision",
        )
    return Finding("torchvision", "ok", found)


def _libraries() -> Finding:
    """Every library against the lower bound that cinema declares for it."""
    lacking, fine = [], []
    for name, bound in _lower_bounds().items():
        installed = _installed(name)
        if installed is None or _numbers(installed) < _numbers(bound):
            lacking.append(f"{name}>={bound} (found {installed or 'none'})")
        else:
            fine.append(f"{name} {installed}")
    if lacking:
        names = " ".join(f"'{entry.split(' ')[0]}'" for entry in lacking)
        return Finding("libraries", "missing", ", ".join(lacking), f"pip install {names}")
    return Finding("libraries", "ok", ", ".join(fine))


def _lower_bounds() -> dict[str, str]:
    bounds = {}
    for line in metadata.requires("cinema-cli") or ():
        match = re.fullmatch(r"([A-Za-z0-9._-]+)>=([0-9.]+)", line.replace(" ", ""))
        if match:  # lines of the extras carry a marker and do not match
            bounds[match.group(1)] = match.group(2)
    return bounds


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])


def _compiler() -> Finding:
    """torch.compile builds with ``$CXX``, else g++."""
    wanted = os.environ.get("CXX", "g++").split()[0]
    path = shutil.which(wanted)
    if path is None:
        return Finding(
            "compiler",
            "warn",
            f"no {wanted}: training on the CPU runs without compiled blocks, at about half the speed",
            "Install a C++ compiler (Debian, Ubuntu: apt install g++).",
        )
    return Finding("compiler", "ok", path)


def _ffmpeg() -> Finding:
    try:
        from cinema_cli.ffmpeg import ffmpeg_version, find_ffmpeg

        return Finding("ffmpeg", "ok", f"{ffmpeg_version()} ({find_ffmpeg()})")
    except (CinemaError, ImportError) as error:
        return Finding("ffmpeg", "missing", str(error), "pip install imageio-ffmpeg")


def _disk(folder: Path) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding(
            "disk",
            "missing",
            f"{folder} cannot be written ({error.strerror})",
            "Change to a folder of yours.",
        )
    found = f"{free / GIB:.1f} GiB free in {folder}"
    if free < LEAST_DISK:
        return Finding("disk", "missing", found, f"Make room: {LEAST_DISK / GIB:.2f} GiB are needed.")
    if free < GOOD_DISK:
        return Finding("disk", "warn", found, f"Enough for films; training wants {GOOD_DISK // GIB} GiB.")
    return Finding("disk", "ok", found)


def _memory() -> Finding:
    from cinema_cli.models.room import machine_memory

    total = machine_memory()
    found = f"{total / GIB:.1f} GiB"
    if total < GOOD_MEMORY:
        return Finding("memory", "warn", found, f"{GOOD_MEMORY // GIB} GiB are good; close other programs.")
    return Finding("memory", "ok", found)


def _weights(part: str, toy: Path) -> Finding:
    """The embedded weights of one model: there, and each file whole."""
    name = f"weights: {part}"
    advice = "Reinstall cinema, or train them with examples/toy-weights."
    files = sorted((toy / part).rglob("*.safetensors"))
    if not files:
        return Finding(name, "missing", "none are installed", advice)
    try:
        parameters = sum(_parameters(file) for file in files)
    except Exception as error:  # safetensors has an error type of its own for damage
        return Finding(name, "missing", f"damaged ({error})", advice)
    size = sum(file.stat().st_size for file in files)
    return Finding(name, "ok", f"{parameters / 1e6:.1f} M parameters, {size / 1e6:.1f} MB")


def _parameters(file: Path) -> int:
    from safetensors import safe_open

    with safe_open(file, framework="numpy") as tensors:
        return sum(math.prod(tensors.get_slice(key).get_shape()) for key in tensors.keys())  # noqa: SIM118
