"""A short story, and films that tiny models draw of it."""

import signal
from pathlib import Path

from cinema_cli.planning.plan import PlanConfig, PlanResult, plan_film
from cinema_cli.progress import Progress, Task
from cinema_cli.storyboard import Storyboard
from tiny_models import FRAME_SIZE

STORY = """The Two Lamps

Mira, a tall girl in a red coat, walked along the harbour at night with a lantern.

Tom waved at the castle in the morning.

Mira jumped for joy in the forest.
"""
MEMORY = {"groups": 2, "frames": 3}
"""Frames of 4 x 8 tokens are remembered at 2 x 4 and 1 x 2."""
ALL = {"duplicate": 1}
"""A CLIP of random weights finds all pictures alike."""
SMALL = {
    "frame_size": FRAME_SIZE,
    "steps": 2,
    "text_length": 512,
    "window": 8,
    "memory": MEMORY,
    "retrieval": ALL,
}
"""What the tiny models are asked for."""


class StopsAt(Progress):
    """Somebody presses Ctrl-C at a step."""

    def __init__(self, step: int) -> None:
        super().__init__(quiet=True)
        self.step = step

    def task(self, what: str, total: int | None = None, unit: str = "", done: int = 0) -> Task:
        return StoppingTask(self, what, total, unit, done)


class StoppingTask(Task):
    def advance(self, count: int = 1, note: str = "") -> None:
        super().advance(count, note)
        assert isinstance(self._progress, StopsAt)
        if self.count == self._progress.step:
            signal.raise_signal(signal.SIGINT)


def written(folder: Path, story: str = STORY) -> Path:
    """A story as a file in a folder."""
    path = folder / "story.txt"
    path.write_text(story, encoding="utf-8")
    return path


def configured(model: Path, /, **changes: object) -> PlanConfig:
    """A plan that the tiny models of a folder draw, or those that ``model=`` names."""
    return PlanConfig(**{"model": str(model), **SMALL, **changes})


def plan(story: Path, model: Path, progress: Progress | None = None, **changes: object) -> PlanResult:
    """Plan a story as the film beside it."""
    return plan_film(
        story, story.parent / "film", configured(model, **changes), progress or Progress(quiet=True)
    )


def again(film: Path, model: Path, more: Path | None = None, **changes: object) -> PlanResult:
    """The film's own storyboard, planned once more."""
    return plan_film(film / "storyboard.json", None, configured(model, **changes), Progress(quiet=True), more)


def saw(film: Path, id: str) -> list[str]:
    """The shots that a shot was drawn beside."""
    return [each.shot for each in Storyboard.load(film).shot(id).context]


def pictures(film: Path) -> dict[str, bytes]:
    """The keyframes of a film, by shot."""
    return {path.stem: path.read_bytes() for path in (film / "keyframes").iterdir()}


def changed(film: Path, before: dict[str, bytes]) -> list[str]:
    """Shots whose keyframe is not what it was before."""
    return sorted(name for name, content in pictures(film).items() if before.get(name) != content)


def edit(film: Path, id: str, **changes: object) -> None:
    """Change a shot of the storyboard by hand."""
    Storyboard.load(film).with_shot(id, **changes).save(film)
