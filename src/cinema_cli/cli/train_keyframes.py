"""``cinema train-keyframes``: the keyframe model, stage by stage (paper, 3.2)."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinema_cli.cli.options import Json, Preset, Quiet, Run, Settings
from cinema_cli.cli.summary import show

if TYPE_CHECKING:
    from cinema_cli.training.estimate import TrainingEstimate
    from cinema_cli.training.keyframe_config import KeyframeTraining

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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be trained and what it would cost, and stop.")
    ] = False,
    on: Annotated[
        str | None,
        typer.Option(help='With --dry-run: for these devices, such as "32 x H100".', metavar="DEVICES"),
    ] = None,
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
        from cinema_cli.training.estimate import devices_here, estimate_stage, known_devices

        devices = known_devices(on) if on else devices_here()
        made = estimate_stage(stage, config, named_base(run, init), devices)
        show(_estimated(made, config, whole=json), json)
        return
    started = time.monotonic()
    with Progress(quiet) as progress:
        checkpoint = stages.train_keyframes(stage, run, config, progress, data, sequences, init, anyway)
    show({"checkpoint": checkpoint, "seconds": time.monotonic() - started}, json)


def _estimated(made: "TrainingEstimate", config: "KeyframeTraining", whole: bool) -> dict[str, Any]:
    """An estimate as it is shown; ``whole``: as plain numbers, with the expanded config."""
    from dataclasses import asdict

    if whole:
        return {**asdict(made), "config": config.model_dump(mode="json")}
    from cinema_cli.config import to_yaml

    shared = "shared out" if made.sharded else "on each"
    return {
        "config": to_yaml(config).splitlines(),
        "trained": f"{made.trained:,} of {made.parameters:,} parameters",
        "step": f"{made.sequences} sequences, {made.tokens:,} tokens, {made.step_tflop:,.3g} TFLOP",
        "memory": f"{made.bytes_per_device / 2**30:,.1f} GiB a device, weights {shared}, without encoders",
        "devices": f"{made.count} x {made.device}",
        "about": f"{made.step_seconds:,.1f} s a step, {made.days:,.1f} days for {made.steps:,} steps",
    }
