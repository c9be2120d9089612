"""``cinema train-video``: the model that turns a keyframe into a clip (paper, 3.3)."""

import time
from pathlib import Path
from typing import Annotated

import typer

from cinema_cli.cli.estimate import estimate_facts
from cinema_cli.cli.options import Checkpoint, Estimate, Json, On, Preset, Quiet, Run, Settings
from cinema_cli.cli.summary import show

EXAMPLES = """[bold]cinema train-video --run runs/toy[/]   train, or go on from the newest checkpoint

[bold]cinema train-video --data dataset --init toy[/]   from the embedded weights, on clips of your films

[bold]cinema train-video --preset wan-ti2v-5b --init DIR --data dataset --dry-run[/]   what it would cost"""


def train_video(
    run: Run = Path("runs/toy"),
    data: Annotated[
        Path | None,
        typer.Option(help="A dataset from `cinema ingest --clips`; else the toy theatre.", metavar="DATASET"),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            help="The model that the run starts from: toy, or a folder with video/; noted in the run.",
            metavar="MODEL",
        ),
    ] = None,
    preset: Preset = "toy",
    steps: Annotated[int | None, typer.Option(min=1, help="Stop after so many steps in all.")] = None,
    settings: Settings = None,
    dry_run: Estimate = False,
    on: On = None,
    checkpoint: Checkpoint = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Train the model that makes a clip from its first frame and its caption.

    The same command again goes on from the newest checkpoint.
    """
    from cinema_cli.config import build, load_preset, with_overrides
    from cinema_cli.progress import Progress
    from cinema_cli.training import video_run
    from cinema_cli.training.video_config import VideoTraining

    numbers = load_preset(preset).get("train_video", {})
    limit = [f"loop.steps={steps}"] if steps else []
    numbers = with_overrides(numbers, [*limit, *(settings or ())])
    config = build(VideoTraining, numbers, "cinema train-video")
    if dry_run:
        from cinema_cli.training.base import named_base
        from cinema_cli.training.devices import devices_here, known_devices
        from cinema_cli.training.video_estimate import estimate_video

        devices = known_devices(on) if on else devices_here()
        made = estimate_video(config, named_base(run, init, "video"), data is not None, devices)
        show(estimate_facts(made, config, whole=json), json)
        return
    started = time.monotonic()
    with Progress(quiet) as progress:
        last = video_run.train_video(run, config, progress, data, init, checkpoint)
    show({"checkpoint": last, "seconds": time.monotonic() - started}, json)
