"""``cinema train-keyframes``: the keyframe model, stage by stage (paper, 3.2)."""

import time
from pathlib import Path
from typing import Annotated

import typer

from cinema_cli.cli.options import DryRun, Json, Preset, Quiet, Run, Settings
from cinema_cli.cli.summary import show

EXAMPLES = """[bold]cinema train-keyframes --stage 8 --run runs/toy[/]   sequences of eight keyframes

[bold]cinema train-keyframes --stage 8 --data dataset --init toy[/]   from the embedded weights, on your films

[bold]cinema train-keyframes --stage 8 --set stages.8.sequences=4 --dry-run[/]   look at the config first"""


def train_keyframes(
    stage: Annotated[int, typer.Option(min=1, max=1024, help="Keyframes in a sequence: 1, 8, 16, 32 ...")],
    run: Run = Path("runs/toy"),
    data: Annotated[
        Path | None,
        typer.Option(help="A dataset that `cinema sample` sampled; else the toy theatre.", metavar="DATASET"),
    ] = None,
    sequences: Annotated[
        Path | None, typer.Option(help="Its manifests; else DATASET/sequences.", metavar="DIR")
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            help="The model that the run starts from: toy, or a folder with keyframes/; noted in the run.",
            metavar="MODEL",
        ),
    ] = None,
    preset: Preset = "toy",
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Train long sequences straight from a base, too.")
    ] = False,
    steps: Annotated[int | None, typer.Option(min=1, help="Stop after so many steps in all.")] = None,
    settings: Settings = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Train the model that draws keyframes in the context of the ones before.

    A stage goes on from the one before it. The same command again goes on from the newest checkpoint.
    """
    from cinema_cli.config import build, load_preset, to_yaml, with_overrides
    from cinema_cli.progress import Progress
    from cinema_cli.training import stages
    from cinema_cli.training.keyframes import KeyframeTraining

    numbers = load_preset(preset).get("train_keyframes", {})
    limit = [f"stages.{stage}.loop.steps={steps}"] if steps else []
    numbers = with_overrides(numbers, [*limit, *(settings or ())])
    config = build(KeyframeTraining, numbers, "cinema train-keyframes")
    if dry_run:
        print(to_yaml(config), end="")
        return
    started = time.monotonic()
    with Progress(quiet) as progress:
        checkpoint = stages.train_keyframes(stage, run, config, progress, data, sequences, init, anyway)
    show({"checkpoint": checkpoint, "seconds": time.monotonic() - started}, json)
