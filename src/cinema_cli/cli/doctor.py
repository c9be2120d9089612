"""``cinema doctor``: what this machine has, and the one thing to do for what is missing."""

from pathlib import Path

import typer
from rich.console import Console

from cinema_cli.cli.options import Json
from cinema_cli.cli.summary import show

EXAMPLES = "[bold]cinema doctor[/]   exit code 0 when everything that is required is here, 4 when not"

_STYLES = {"ok": "green", "warn": "yellow", "missing": "bold red"}


def doctor(json: Json = False) -> None:
    """Look at this machine: Python, torch, libraries, ffmpeg, disk, memory, weights.

    For each thing that is missing it says the one thing to do.
    """
    from cinema_cli.doctor import examine

    findings = examine(Path.cwd())
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
