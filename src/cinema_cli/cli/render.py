"""``cinema render``: from a storyboard with keyframes to clips and the film (paper, 3.3)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    Transformer,
    given,
)
from cinema_cli.cli.summary import show

if TYPE_CHECKING:
    from cinema_cli.rendering.estimate import RenderEstimate

EXAMPLES = """[bold]cinema render film/storyboard.json[/]   writes film/clips/ and film/film.mp4

[bold]cinema render film --redo 7,9[/]   make two clips anew and join the film again

[bold]cinema render film --dry-run[/]   which clips would be made, why, and what it would cost"""


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
    transformer: Transformer = None,
    accept_licence: AcceptLicence = False,
    steps: Annotated[int | None, typer.Option(min=1, max=1000, help="Sampling steps per clip.")] = None,
    redo: Redo = None,
    settings: Settings = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be made and what it would cost, and stop.")
    ] = False,
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
    options = given(
        preset=preset, model=model, adapter=adapter, transformer=transformer, steps=steps, redo=redo
    )
    data = with_overrides({**load_preset(preset).get("render", {}), **options}, settings or ())
    data = with_model(data, "video", accept_licence, quiet, fetch=not dry_run)  # so is a wrong model
    from cinema_cli.rendering.render import RenderConfig, render_film

    config = build(RenderConfig, data, "cinema render")
    if dry_run:
        from cinema_cli.rendering.estimate import estimate_render

        show(_estimated(estimate_render(storyboard, out, config), whole=json), json)
        return
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


def _estimated(made: "RenderEstimate", whole: bool) -> dict[str, Any]:
    """An estimate as it is shown; ``whole``: as plain numbers."""
    from dataclasses import fields

    if whole:
        plain = {each.name: getattr(made, each.name) for each in fields(made) if each.name != "config"}
        return {**plain, "made": dict(made.made), "config": made.config.model_dump(mode="json")}
    from cinema_cli.config import to_yaml
    from cinema_cli.progress import clock

    return {
        "config": to_yaml(made.config).splitlines(),
        "mode": made.mode,
        "shots": made.shots,
        "to_make": [f"{id}: {reason}" for id, reason in made.made.items()] or "nothing",
        "film": "is joined from them" if made.joined else "is up to date",
        "frames": made.frames,
        "tokens": f"{made.tokens:,} at once, in {made.windows} samplings",
        "step": f"{made.step_tflop:,.3g} TFLOP",
        "sampling": f"{made.film_pflop:,.3g} PFLOP",
        "memory": made.memory,
        "device": made.device,
        "about": clock(made.seconds),
    }
