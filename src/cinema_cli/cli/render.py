"""``cinema render``: from a storyboard with keyframes to clips and the film (paper, 3.3)."""

from pathlib import Path
from typing import Annotated

import typer

from cinema_cli.cli.model import with_model
from cinema_cli.cli.options import (
    AcceptLicence,
    Adapter,
    Json,
    Model,
    Preset,
    Quiet,
    Redo,
    Settings,
    given,
)
from cinema_cli.cli.summary import show

EXAMPLES = """[bold]cinema render film/storyboard.json[/]   writes film/clips/ and film/film.mp4

[bold]cinema render film --redo 7,9[/]   make two clips anew and join the film again"""


def render(
    storyboard: Annotated[
        Path, typer.Argument(help="The storyboard.json or its folder.", metavar="STORYBOARD")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The film; else film.mp4 beside the storyboard.", metavar="FILE"),
    ] = None,
    preset: Preset = "toy",
    model: Model = None,
    adapter: Adapter = None,
    accept_licence: AcceptLicence = False,
    steps: Annotated[int | None, typer.Option(min=1, max=1000, help="Sampling steps per clip.")] = None,
    redo: Redo = None,
    settings: Settings = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Turn every keyframe into a clip and join the clips into a film.

    Clips that are done and whose keyframe, caption and seed did not change are kept.
    """
    from cinema_cli.config import build, load_preset, with_overrides
    from cinema_cli.progress import Progress
    from cinema_cli.storyboard import Storyboard

    Storyboard.load(storyboard)  # a wrong path is told before the heavy libraries are loaded
    options = given(preset=preset, model=model, adapter=adapter, steps=steps, redo=redo)
    data = with_overrides({**load_preset(preset).get("render", {}), **options}, settings or ())
    data = with_model(data, "video", accept_licence, quiet)  # so is a wrong model
    from cinema_cli.rendering.render import RenderConfig, render_film

    config = build(RenderConfig, data, "cinema render")
    with Progress(quiet) as progress:
        made = render_film(storyboard, out, config, progress)
    show(
        {
            "film": made.film,
            "contact_sheet": made.contact_sheet,
            "shots": made.shots,
            "rendered": made.rendered,
            "skipped": made.skipped,
            "mode": made.mode,
            "seconds": made.seconds,
        },
        json,
    )
