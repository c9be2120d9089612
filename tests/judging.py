"""A judge that is asked about a film, and what it found."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from chat_server import ChatServer
from cinema_cli.evaluation.films import Film
from cinema_cli.evaluation.judge import judge_film, open_judge
from cinema_cli.evaluation.report import Score, Section
from cinema_cli.progress import Progress
from judged_films import judge_config


def judge(
    server: ChatServer,
    film: Film,
    folder: Path,
    stopped: Callable[[], bool] = lambda: False,
    **changes: Any,
) -> Section:
    """What the command does for one film."""
    config = judge_config(server, **changes)
    with ExitStack() as stack, Progress(quiet=True) as progress:
        return judge_film(film, open_judge(config, stack), config, folder, progress, stopped)


def score(section: Section, key: str) -> Score:
    """One score of a section."""
    return next(each for each in section.scores if each.key == key)
