"""``cinema theatre``: movies of the toy theatre, with the truth beside them."""

import time
from pathlib import Path
from typing import Annotated

import typer

from cinema_cli.cli.options import Json, Quiet
from cinema_cli.cli.summary import show

EXAMPLES = "[bold]cinema theatre movies --movies 12 --minutes 3[/]   twelve movies of three minutes each"


def theatre(
    out: Annotated[Path, typer.Argument(help="Folder for the movies.", metavar="OUT")],
    movies: Annotated[int, typer.Option(min=1, max=10_000, help="How many movies.")] = 4,
    minutes: Annotated[float, typer.Option(min=0.05, max=240, help="Length of each.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="The same seed, the same movies.")] = 0,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Write movies of a small drawn world whose truth is known: real mp4 files, each with a sidecar.

    Each movie has its own cast and sets, cuts and letterbox, and a JSON file that says what every shot shows.
    """
    from cinema_cli.progress import Progress
    from cinema_cli.theatre.movies import write_movies

    started = time.monotonic()
    with Progress(quiet) as progress:
        written = write_movies(out, movies, minutes, seed, progress)
    show(
        {
            "movies": [movie.path for movie in written],
            "sidecars": [movie.sidecar for movie in written],
            "shots": sum(movie.shots for movie in written),
            "seconds": {
                "of film": sum(movie.seconds for movie in written),
                "taken": time.monotonic() - started,
            },
        },
        json,
    )
