"""``cinema train-video``: the model that turns a keyframe into a clip (paper, 3.3)."""

import time
from pathlib import Path
from typing import Annotated

import typer

from cinema_cli.cli.options import DryRun, Json, Preset, Quiet, Run, Settings
from cinema_cli.cli.summary import show

EXAMPLES = """[bold]cinema train-video --run runs/toy[/]   train, or go on from the newest checkpoint

[bold]cinema train-video --steps 2000 --set optimizer.lr=1e-4 --dry-run[/]   look at the config first"""


def train_video(
    run: Run = Path("runs/toy"),
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
    import cinema_cli.training.video as training
    from cinema_cli.config import build, load_preset, to_yaml, with_overrides
    from cinema_cli.progress import Progress

    data = load_preset(preset).get("train_video", {})
    limit = [f"loop.steps={steps}"] if steps else []
    data = with_overrides(data, [*limit, *(settings or ())])
    config = build(training.VideoTraining, data, "cinema train-video")
    if dry_run:
        print(to_yaml(config), end="")
        return
    started = time.monotonic()
    with Progress(quiet) as progress:
        checkpoint = training.train_video(run, config, progress)
    show({"checkpoint": checkpoint, "seconds": time.monotonic() - started}, json)
