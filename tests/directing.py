"""A director's part of a plan, asked as the command asks it."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from chat_server import ChatServer
from cinema_cli.planning.board import StoryConfig
from cinema_cli.planning.director import Director
from cinema_cli.planning.document import Wish, document
from cinema_cli.planning.told import Words
from cinema_cli.storyboard import Storyboard
from directed_stories import STORY, quick_director

TOKENS = 900 + 60
"""Of a call, as the server counts."""


def plan(
    server: ChatServer,
    film: Path,
    story: str | None = STORY,
    more: str | None = None,
    shots: int | None = 4,
    words: Words = "director",
    **changes: Any,
) -> tuple[Storyboard, tuple[str, ...], Director]:
    """What the command does before it draws."""
    with ExitStack() as stack:
        director = quick_director(server, film, words, stack, **changes)
        board, notes = document(Wish(film, story, more), StoryConfig(shots=shots), director)
        return board, notes, director
