"""Which film is meant: a story that becomes one, or a storyboard that is there and may be continued."""

from dataclasses import dataclass
from pathlib import Path

from cinema_cli.errors import InputError
from cinema_cli.planning.board import StoryConfig, storyboard_of
from cinema_cli.planning.continuing import continue_film
from cinema_cli.planning.story import read_story
from cinema_cli.storyboard import FILE_NAME, Storyboard


@dataclass(frozen=True)
class Wish:
    """What a person named on the command line, read."""

    folder: Path
    """Of the film."""
    story: str | None
    """Its text; none where a storyboard was named."""
    more: str | None
    """A text that continues it."""


def read_wish(story: Path, out: Path | None, more: Path | None) -> Wish:
    """Read the texts and find the folder; nothing is written.

    Raises:
        InputError: a path is wrong, or a text cannot be read.
    """
    is_storyboard = story.name == FILE_NAME or story.is_dir()
    folder = _home(story, out) if is_storyboard else out or Path(".")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: a folder for the film was wanted, found a file. Choose another --out.")
    return Wish(
        folder, None if is_storyboard else read_story(story), read_story(more) if more is not None else None
    )


def document(wish: Wish, config: StoryConfig) -> tuple[Storyboard, tuple[str, ...]]:
    """The storyboard of the film, on the disk when this returns, and what is to be told.

    Raises:
        InputError: what the folder holds cannot be used.
    """
    notes: tuple[str, ...] = ()
    if wish.story is None:
        board = Storyboard.load(wish.folder)
    else:
        board, notes = storyboard_of(wish.story, wish.folder, config)
    if wish.more is None:
        return board, notes
    board, added = continue_film(wish.more, wish.folder, config)
    return board, (*notes, *added)


def _home(storyboard: Path, out: Path | None) -> Path:
    home = storyboard if storyboard.is_dir() else storyboard.parent
    if not (home / FILE_NAME).is_file():
        raise InputError(
            f"{home / FILE_NAME}: a storyboard was wanted, but there is none. Plan a story first."
        )
    if out is not None and out.resolve() != home.resolve():
        raise InputError(
            f"--out: a storyboard is drawn where it lies, in {home}; found {out}. Leave --out away."
        )
    return home
