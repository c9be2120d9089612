"""``cinema train-video``: the model that turns a keyframe into a clip (paper, 3.3)."""

import time
from pathlib import Path
from typing import Annotated

import typer

from cinema_cli.cli.options import DryRun, Json, Preset, Quiet, Run, Settings
from cinema_cli.cli.summary import show

EXAMPLES = """[bold]cinema train-video --run runs/toy[/]   train, or go on from the newest checkpoint

[bold]cinema train-video --data dataset --init toy[/]   from the embedded weights, on clips of your films

[bold]cinema train-video --steps 2000 --set films=1 --dry-run[/]   look at the config first"""


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
    dry_run: DryRun = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Train the model that makes a clip from its first frame and its caption.

    The same command again goes on from the newest checkpoint.
    """
    from cinema_cli.config import build, load_preset, to_yaml, with_overrides
    from cinema_cli.progress import Progress
    from cinema_cli.training import video_run
    from cinema_cli.training.video_config import VideoTraining

    numbers = load_preset(preset).get("train_video", {})
    limit = [f"loop.steps={steps}"] if steps else []
    numbers = with_overrides(numbers, [*limit, *(settings or ())])
    config = build(VideoTraining, numbers, "cinema train-video")
    if dry_run:
        print(to_yaml(config), end="")
        return
    started = time.monotonic()
    with Progress(quiet) as progress:
        checkpoint = video_run.train_video(run, config, progress, data, init)
    show({"checkpoint": checkpoint, "seconds": time.monotonic() - started}, json)
