"""A model that a command was given: found, its licence told or asked about, fetched, checked.

All of it happens before the heavy libraries are loaded.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cinema_cli.models.contents import Part
    from cinema_cli.models.licences import Licence
    from cinema_cli.models.resolve import Place, Wanted
    from cinema_cli.progress import Progress


def with_model(
    data: Mapping[str, Any], part: "Part", accept: bool = False, quiet: bool = False, fetch: bool = True
) -> dict[str, Any]:
    """A command's settings with its model by the name that is noted: one of the hub with its commit.

    Args:
        data: Settings; ``model``, ``adapter`` and ``transformer`` count.
        part: What is wanted of the model.
        accept: Its licence is accepted.
        quiet: Tell nothing.
        fetch: Whether it may be fetched, where it is not here.

    Raises:
        InputError: it cannot be used.
        MissingError: it is not here, or its licence was not accepted.
        Interrupted: the hub broke off.
    """
    from cinema_cli.models.resolve import TOY

    model, adapter, gguf = data.get("model", TOY), data.get("adapter"), data.get("transformer")
    if not isinstance(model, str) or not isinstance(adapter, str | None) or not isinstance(gguf, str | None):
        return dict(data)  # the config says what is wrong with it
    return {**data, "model": take_model(model, part, adapter, accept, quiet, fetch, gguf).name}


def take_model(
    model: str,
    part: "Part",
    adapter: str | None,
    accept: bool,
    quiet: bool,
    fetch: bool = True,
    transformer: str | None = None,
) -> "Place":
    """One part of a model, ready to be loaded; arguments and errors as above."""
    from cinema_cli.models.resolve import Place, check_model, licence_at, look_up
    from cinema_cli.progress import Progress

    gguf = None if transformer is None else Path(transformer).expanduser()
    with Progress(quiet) as progress:
        found = look_up(model, part, gguf)
        settle_licence(found, licence_at(found), accept, progress)
        place = found if isinstance(found, Place) else fetched(found, progress, fetch)
        check_model(place, adapter, gguf=gguf)
    return place


def settle_licence(found: "Place | Wanted", licence: "Licence", accept: bool, progress: "Progress") -> None:
    """Tell what may be done with a model, and have it accepted where that is wanted and was not yet done."""
    from cinema_cli.models import acceptance

    model = found.name.partition("@")[0]
    if getattr(found, "source", "") == "embedded":
        return
    if licence.permissive is not False:
        progress.say(f"{model}: {licence.line}")
        return
    if acceptance.is_accepted(model, licence):
        return
    if accept or _agrees(model, licence):
        acceptance.accept(model, licence)
    acceptance.require_accepted(model, licence)


def fetched(wanted: "Wanted", progress: "Progress", may: bool) -> "Place":
    """A model of the hub, fetched."""
    from cinema_cli.errors import MissingError
    from cinema_cli.models import hub
    from cinema_cli.models.contents import size_words
    from cinema_cli.models.resolve import Place

    remote = wanted.remote
    if not may:
        raise MissingError(
            f"{wanted.name}: not here; {size_words(remote.bytes)} would be fetched. Fetch it first: "
            f"cinema doctor --model {remote.repository} --fetch"
        )
    progress.say(
        f"{wanted.name}: {size_words(remote.bytes)} in {len(remote.lacking)} files to fetch, "
        f"{size_words(hub.free_bytes())} free"
    )
    folder = hub.fetch(remote, progress)
    return Place(wanted.name, folder, wanted.part, "hub", remote.commit)


def _agrees(model: str, licence: "Licence") -> bool:
    """Ask, where somebody sits at a terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    import typer

    typer.echo(f"{model}: {licence.line}", err=True)
    return typer.confirm("Do you accept this licence?", default=False, err=True)
