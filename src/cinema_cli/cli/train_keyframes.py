"""``cinema train-keyframes``: the keyframe model, stage by stage (paper, 3.2)."""

import time
from pathlib import Path
from typing import Annotated

import typer

from cinema_cli.cli.estimate import estimate_facts
from cinema_cli.cli.options import Checkpoint, Estimate, Json, On, Preset, Quiet, Run, Settings
from cinema_cli.cli.summary import show

EXAMPLES = """[bold]cinema train-keyframes --stage 8 --run runs/toy[/]   sequences of eight keyframes

[bold]cinema train-keyframes --stage 8 --data dataset --init toy[/]   from the embedded weights, on your films

[bold]cinema train-keyframes --preset flux-dev --init DIR --stage 8 --dry-run --on "8 x H100"[/]   its cost"""


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
    dry_run: Estimate = False,
    on: On = None,
    checkpoint: Checkpoint = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Train the model that draws keyframes in the context of the ones before.

    A stage goes on from the one before it. The same command again goes on from the newest checkpoint.
    """
    from cinema_cli.config import build, load_preset, with_overrides
    from cinema_cli.progress import Progress
    from cinema_cli.training import stages
    from cinema_cli.training.keyframe_config import KeyframeTraining

    numbers = load_preset(preset).get("train_keyframes", {})
    limit = [f"stages.{stage}.loop.steps={steps}"] if steps else []
    numbers = with_overrides(numbers, [*limit, *(settings or ())])
    config = build(KeyframeTraining, numbers, "cinema train-keyframes")
    if dry_run:
        from cinema_cli.training.base import named_base
        from cinema_cli.training.devices import devices_here, known_devices
        from cinema_cli.training.keyframe_estimate import estimate_stage

        devices = known_devices(on) if on else devices_here()
        made = estimate_stage(stage, config, named_base(run, init), devices)
        show(estimate_facts(made, config, whole=json), json)
        return
    started = time.monotonic()
    with Progress(quiet) as progress:
        last = stages.train_keyframes(stage, run, config, progress, data, sequences, init, anyway, checkpoint)
    show({"checkpoint": last, "seconds": time.monotonic() - started}, json)
