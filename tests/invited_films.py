"""A story into which somebody of another film comes, and what its shots were drawn beside."""

from collections.abc import Callable
from pathlib import Path

from cinema_cli.planning.plan import PlanResult, plan_film
from cinema_cli.progress import Progress
from cinema_cli.storyboard import Storyboard
from planned_films import configured

STORY = """The Empty Castle

Tom waved at the castle in the morning.

Mira walked through the castle at night.

Tom danced in the desert by day.

Mira jumped for joy in the desert by day.
"""
IDS = ["0001", "0002", "0003", "0004"]


def planner(story: Path, model: Path) -> Callable[..., PlanResult]:
    """Plans a story, or what is named, as film2 beside it."""

    def planned(what: Path = story, progress: Progress | None = None, **changes: object) -> PlanResult:
        out = None if what.is_dir() else story.with_name("film2")
        return plan_film(what, out, configured(model, **changes), progress or Progress(quiet=True))

    return planned


def saw(film: Path, id: str) -> list[tuple[str | None, str]]:
    """The shots that a shot was drawn beside, and whose portrait each was."""
    return [(each.portrait_of, each.shot) for each in Storyboard.load(film).shot(id).context]
