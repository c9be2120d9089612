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
from dataclasses import dataclass, replace
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cinema_cli.errors import CinemaError
from cinema_cli.models.contents import size_words

if TYPE_CHECKING:
    from cinema_cli.models.contents import Contents, Part
    from cinema_cli.models.licences import Licence
    from cinema_cli.models.resolve import Wanted

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


def examine_model(model: str, adapter: str | None = None) -> list[Finding]:
    """Look at a model: where it lies, what it is, its licence, its parts, and whether they fit here."""
    from cinema_cli.models.licences import known_licence
    from cinema_cli.models.resolve import parts_of

    try:
        return [finding for part in parts_of(model) for finding in _part(model, part, adapter)]
    except CinemaError as error:
        known = known_licence(model)
        return [*([] if known is None else [_licence("licence", model, known)]), _at_fault("model", error)]


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


def _part(model: str, part: "Part", adapter: str | None) -> Iterator[Finding]:
    """One part of a model; a name on the hub that is the other part says so and nothing else."""
    from cinema_cli.models.resolve import Place, check_model, licence_at, look_up

    found = look_up(model, part)
    yield _licence(f"{part}: licence", found.name, licence_at(found))
    if not isinstance(found, Place):
        yield _to_fetch(found)
        return
    yield Finding(f"{part}: model", "ok", f"{found.name} in {found.folder}")
    try:
        contents = check_model(found, adapter, to_train=True)
    except CinemaError as error:
        yield _at_fault(f"{part}: model", error)
        return
    yield Finding(f"{part}: pipeline", "ok", contents.pipeline)
    for each in contents.components:
        many = each.parameters >= 1_000_000
        count = f"{each.parameters / 1e6:,.1f} M" if many else f"{each.parameters:,}"
        told = f"{each.kind}, {count} parameters, {size_words(each.bytes)} as {', '.join(each.dtypes)}"
        yield Finding(f"{part}: {each.name}", "ok", told)
    if adapter is not None:
        yield _adapter(part, adapter, found.folder)
    elif part == "video":
        yield _first_frame(found.folder)
    yield _room(part, contents, found.folder)


def _at_fault(name: str, error: CinemaError) -> Finding:
    """What was found and what to do; an error says both, sentence after sentence."""
    told, _, advice = str(error).partition(". ")
    return Finding(name, "missing", told, advice)


def _licence(name: str, model: str, licence: "Licence") -> Finding:
    from cinema_cli.models.acceptance import is_accepted

    if is_accepted(model, licence):
        state: State = "warn" if licence.permissive is None else "ok"
        advice = "Read what it lets you do before you use it." if licence.permissive is None else ""
        return Finding(name, state, licence.line, advice)
    return Finding(name, "warn", licence.line, "Read it; to accept it once, say --accept-licence.")


def _to_fetch(wanted: "Wanted") -> Finding:
    from cinema_cli.models import hub

    remote = wanted.remote
    told = f"{wanted.name}: {size_words(remote.bytes)} in {len(remote.lacking)} files are not here yet"
    free = hub.free_bytes()
    if remote.bytes + hub.SPARE > free:
        advice = f"Make room, or set HF_HOME to a larger disk: {size_words(free)} are free."
    else:
        advice = f"To fetch them, say --fetch; {size_words(free)} are free."
    return Finding(f"{wanted.part}: model", "missing", told, advice)


def _adapter(part: "Part", adapter: str, folder: Path) -> Finding:
    from cinema_cli.models.adapters import adapter_file, check_adapter

    file = adapter_file(adapter)
    return Finding(f"{part}: adapter", "ok", f"{file}, of rank {check_adapter(file, folder)}")


def _first_frame(folder: Path) -> Finding:
    from cinema_cli.models.architecture import refuse_no_keyframes

    try:
        refuse_no_keyframes(folder)
    except CinemaError as error:
        return replace(_at_fault("video: keyframe", error), state="warn")
    return Finding("video: keyframe", "ok", "a clip starts from its keyframe")


def _room(part: "Part", contents: "Contents", folder: Path) -> Finding:
    """Whether the weights fit the device that would be computed on, together or in turns."""
    from cinema_cli import runtime
    from cinema_cli.models.room import room_for
    from cinema_cli.models.thrift import ThriftConfig, choose_thrift
    from cinema_cli.theatre.world import FRAME_SIZE

    name, where = f"{part}: room", runtime.device()
    dtype = runtime.number_type(where)
    room = room_for(contents, where, dtype)
    if room.fits:
        return Finding(name, "ok", room.told)
    try:
        # The size of frames counts for tiles alone.
        thrift = choose_thrift(folder, contents, ThriftConfig(), where, dtype, FRAME_SIZE)
    except CinemaError as error:
        return _at_fault(name, error)
    advice = f"Parts take turns: plan and render choose offload={thrift.offload}. Training wants more."
    return Finding(name, "warn", room.told, advice)
