"""What ``cinema doctor --model`` looks at: a model, its licence, its parts, and whether they fit here."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cinema_cli.doctor import Finding, State
from cinema_cli.errors import CinemaError
from cinema_cli.models.contents import size_words

if TYPE_CHECKING:
    from cinema_cli.models.contents import Contents, Part
    from cinema_cli.models.licences import Licence
    from cinema_cli.models.resolve import Wanted


def examine_model(model: str, adapter: str | None = None) -> list[Finding]:
    """Look at a model: where it lies, what it is, its licence, its parts, and whether they fit here."""
    from cinema_cli.models.licences import known_licence
    from cinema_cli.models.resolve import parts_of

    try:
        return [finding for part in parts_of(model) for finding in _part(model, part, adapter)]
    except CinemaError as error:
        known = known_licence(model)
        return [*([] if known is None else [_licence("licence", model, known)]), _at_fault("model", error)]


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
