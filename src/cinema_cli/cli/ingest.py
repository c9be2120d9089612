"""``cinema ingest``: movies to shots with keyframes (paper, 3.1)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinema_cli.cli.options import DryRun, Json, Quiet, Settings, given
from cinema_cli.cli.summary import show
from cinema_cli.errors import InputError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cinema_cli.footage.ingest import IngestSummary, Outcome

EXAMPLES = """[bold]cinema ingest movies/ --out dataset --workers 4[/]   a folder of movies, four at a time

[bold]cinema ingest film.mkv --detector content --set picture.shape=fit[/]   other cuts, the whole picture"""

DETECTORS = "adaptive, content, histogram (also dissolves), threshold (fades) or jump (one framing)"


def ingest(
    movies: Annotated[list[Path], typer.Argument(help="Movies, and folders of movies.", metavar="MOVIES...")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the dataset.", metavar="DIR")] = Path(
        "dataset"
    ),
    workers: Annotated[int | None, typer.Option(min=1, max=256, help="Movies read at once.")] = None,
    detector: Annotated[
        str | None, typer.Option(help=f"What finds cuts: {DETECTORS}.", metavar="NAME")
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(help="A further detector [default: jump]; can be given twice.", metavar="NAME"),
    ] = None,
    clips: Annotated[bool, typer.Option("--clips", help="Also write a clip of every shot.")] = False,
    fast: Annotated[
        bool, typer.Option("--fast", help="Decode fewer frames: cuts may be some frames off.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Read anew what was read with other settings; captions go.")
    ] = False,
    settings: Settings = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Turn movies into a dataset: shots, a keyframe from the middle of each, and what speaks against it.

    Every movie becomes a folder with storyboard.json, keyframes/ and contact-sheet.html. A movie that
    cannot be read is noted in ingest-failures.json, and the others go on. Run it again to continue.
    """
    from cinema_cli.config import build, to_yaml, with_overrides
    from cinema_cli.footage.ingest import IngestConfig, ingest_movies
    from cinema_cli.progress import Progress

    shots = given(detector=detector, also=also or None)
    options = {
        **({"shots": shots} if shots else {}),
        **given(workers=workers),
        "clips": clips,
        "again": again,
    }
    config = build(IngestConfig, with_overrides({**options, "fast": fast}, settings or ()), "cinema ingest")
    if dry_run:
        print(to_yaml(config), end="")
        return
    with Progress(quiet) as progress:
        summary = ingest_movies(movies, out, config, progress)
    show(_facts(summary, json), json)
    _end(summary)  # what failed is told by the exit code too


def _facts(summary: "IngestSummary", as_json: bool) -> dict[str, Any]:
    films = [outcome for outcome in summary.outcomes if outcome.folder is not None]
    made = summary.of("made")
    flagged: dict[str, int] = {}
    for outcome in films:
        for reason, count in outcome.flagged.items():
            flagged[reason] = flagged.get(reason, 0) + count
    hours = float(sum(outcome.seconds for outcome in made)) / 3600
    return {
        "movies": [_entry(outcome) for outcome in summary.outcomes] if as_json else _table(summary.outcomes),
        "dataset": summary.dataset,
        "made": len(made),
        "skipped": len(films) - len(made),
        "failed": len(summary.of("failed", "busy")),
        "left": summary.left,
        "shots": sum(outcome.shots for outcome in films),
        "kept": sum(outcome.kept for outcome in films),
        "flagged": flagged,
        "hours": {"of film": round(hours, 3), "of film per hour": round(hours * 3600 / summary.taken, 1)},
        "seconds": summary.taken,
    }


def _entry(outcome: "Outcome") -> dict[str, Any]:
    return {
        "movie": outcome.path,
        "state": outcome.state,
        "folder": outcome.folder,
        "shots": outcome.shots,
        "kept": outcome.kept,
        "flagged": outcome.flagged,
        "seconds": {"of film": float(outcome.seconds), "taken": outcome.taken},
        "notes": outcome.notes,
        "reason": outcome.reason,
    }


def _table(outcomes: "Sequence[Outcome]") -> list[str]:
    """Aligned lines: folder, shots, kept, film per time, what was flagged or went wrong."""
    rows = [("", "shots", "kept", "speed", "flagged")]
    for outcome in outcomes:
        name = outcome.folder.name if outcome.folder is not None else ascii(outcome.path.name)[1:-1]
        if outcome.folder is None:
            rows.append((name, "-", "-", "-", f"{outcome.state}: {outcome.reason}"))
            continue
        speed = f"{float(outcome.seconds) / outcome.taken:.1f}x" if outcome.taken else "-"
        told = ", ".join(f"{reason} {count}" for reason, count in outcome.flagged.items())
        state = "" if outcome.state == "made" else f" ({outcome.state})"
        rows.append((name, str(outcome.shots), str(outcome.kept), speed, told + state))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)) for row in rows
    ]


def _end(summary: "IngestSummary") -> None:
    """Where not all went well: which exit code, and what to do."""
    failed, busy = len(summary.of("failed")), len(summary.of("busy"))
    told = f"{failed} of {len(summary.outcomes)} movies could not be read"
    reasons = f"{summary.failures} tells why"
    if failed and failed == len(summary.outcomes) and not summary.left:
        raise InputError(f"{told}; {reasons}.")
    if summary.left:
        raise Interrupted(f"{summary.left} movies are left; the same command goes on with them.")
    if failed:
        raise Interrupted(f"{told}; {reasons}. The others are done.")
    if busy:
        raise Interrupted(
            f"{busy} movies are being read by another cinema; run the same command again later."
        )
