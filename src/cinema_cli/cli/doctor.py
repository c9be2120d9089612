"""``cinema doctor``: what this machine has, and the one thing to do for what is missing."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cinema_cli.cli.model import fetched, settle_licence
from cinema_cli.cli.options import AcceptLicence, Adapter, Json, Model, Quiet
from cinema_cli.cli.summary import show

EXAMPLES = """[bold]cinema doctor[/]   exit code 0 when everything that is required is here, 4 when not

[bold]cinema doctor --model black-forest-labs/FLUX.1-dev[/]   its licence, size, parts; does it fit here?"""

_STYLES = {"ok": "green", "warn": "yellow", "missing": "bold red"}


def doctor(
    model: Model = None,
    adapter: Adapter = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="With --model: fetch what is not here yet from the hub.")
    ] = False,
    accept_licence: AcceptLicence = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Look at this machine: Python, torch, libraries, ffmpeg, disk, memory, weights. Or at a model.

    For each thing that is missing it says the one thing to do.
    """
    from cinema_cli.doctor import examine
    from cinema_cli.doctor_model import examine_model

    if model is None:
        findings = examine(Path.cwd())
    else:
        if fetch or accept_licence:
            _settle(model, accept_licence, quiet, fetch)
        findings = examine_model(model, adapter)
    lacking = [finding for finding in findings if finding.state == "missing"]
    if json:
        show({"ok": not lacking, "findings": [vars(finding) for finding in findings]}, as_json=True)
    else:
        console = Console(highlight=False)
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            console.print(
                f"[{_STYLES[finding.state]}]{finding.state:<7}[/]  {finding.name:<{width}}  ", end=""
            )
            console.print(finding.found, markup=False, soft_wrap=True)
            if finding.advice:
                console.print(f"{'':{width + 11}}{finding.advice}", markup=False, soft_wrap=True)
    if lacking:
        raise typer.Exit(4)


def _settle(model: str, accept: bool, quiet: bool, fetch: bool) -> None:
    """Accept the licence of each part of a model, and fetch it."""
    from cinema_cli.models.resolve import Wanted, licence_at, look_up, parts_of
    from cinema_cli.progress import Progress

    with Progress(quiet) as progress:
        for part in parts_of(model):
            found = look_up(model, part)
            settle_licence(found, licence_at(found), accept, progress)
            if isinstance(found, Wanted) and fetch:
                fetched(found, progress, may=True)
