"""``cinema ingest`` at the size of tests, and what it left in the dataset."""

from pathlib import Path

from cinema_cli.fields import seconds
from cinema_cli.footage.ingest import IngestConfig, IngestSummary, ingest_movies
from cinema_cli.progress import Progress
from cinema_cli.storyboard import Storyboard

SMALL = {"picture": {"short_side": 120}}
LENGTHS = [30, 24, 40]


def ingest(movies: list[Path], out: Path, **settings: object) -> IngestSummary:
    config = IngestConfig.model_validate({**SMALL, **settings})
    return ingest_movies(movies, out, config, Progress(quiet=True))


def states(summary: IngestSummary) -> dict[str, str]:
    return {outcome.path.name: outcome.state for outcome in summary.outcomes}


def snapshot(out: Path) -> dict[str, tuple[int, int]]:
    """Every file of a dataset with its number and time: none was written anew if it is the same."""
    return {
        str(path): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in out.rglob("*")
        if path.is_file() and ".ingest" not in path.parts
    }


def starts(folder: Path) -> list[int]:
    board = Storyboard.load(folder)
    rate = seconds(board.frame_rate)
    return [round(seconds(shot.source.start) * rate) for shot in board.shots if shot.source]
