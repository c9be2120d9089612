"""``cinema plan``: from a story to a storyboard with a keyframe for every shot (paper, 3.2 and 4.1)."""

from pathlib import Path
from typing import Annotated

import typer

from cinema_cli.cli.options import Json, Model, Preset, Quiet, Redo, Settings, given
from cinema_cli.cli.summary import show

EXAMPLES = """[bold]cinema plan story.txt --out film[/]   eight shots or as many as the story asks for

[bold]cinema plan story.txt --out film --redo 7,9 --seed 3[/]   draw two keyframes anew"""


def plan(
    story: Annotated[Path, typer.Argument(help="The story: plain text or Fountain.", metavar="STORY")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the film.", metavar="DIR")] = Path("."),
    count: Annotated[
        int | None, typer.Option("--shots", min=1, max=10_000, help="How many shots; else the story decides.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Of the whole film.")] = None,
    preset: Preset = "toy",
    model: Model = None,
    steps: Annotated[int | None, typer.Option(min=1, max=1000, help="Sampling steps per keyframe.")] = None,
    redo: Redo = None,
    settings: Settings = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Turn a story into a storyboard: a list of shots, and a keyframe for each.

    Writes storyboard.json, keyframes/ and contact-sheet.html. Run it again after editing a caption:
    only the keyframes whose words changed are drawn anew.
    """
    from cinema_cli.config import build, load_preset, with_overrides
    from cinema_cli.planning.story import read_story

    read_story(story)  # a wrong path is told before the heavy libraries are loaded
    from cinema_cli.planning.plan import PlanConfig, plan_film
    from cinema_cli.progress import Progress

    options = given(shots=count, seed=seed, preset=preset, model=model, steps=steps, redo=redo)
    data = with_overrides({**load_preset(preset).get("plan", {}), **options}, settings or ())
    config = build(PlanConfig, data, "cinema plan")
    with Progress(quiet) as progress:
        made = plan_film(story, out, config, progress)
    show(
        {
            "storyboard": made.storyboard,
            "contact_sheet": made.contact_sheet,
            "shots": made.shots,
            "drawn": made.drawn,
            "skipped": made.skipped,
            "notes": made.notes,
            "seconds": made.seconds,
        },
        json,
    )
