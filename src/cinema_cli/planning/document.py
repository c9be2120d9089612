"""Which film is meant: a story that becomes one, or a storyboard that is there and may be continued."""

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from cinema_cli.errors import InputError
from cinema_cli.planning.board import StoryConfig, storyboard_of
from cinema_cli.planning.casting import invite
from cinema_cli.planning.continuing import continue_film
from cinema_cli.planning.portraits import FOLDER, check_portraits
from cinema_cli.planning.records import CONTINUED_NAME, PLAN_NAME
from cinema_cli.planning.shot_list import ShotWriter
from cinema_cli.planning.story import PLAIN_RULE, read_story
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


def document(
    wish: Wish, config: StoryConfig, writer: ShotWriter = PLAIN_RULE
) -> tuple[Storyboard, tuple[str, ...]]:
    """The storyboard of the film, on the disk when this returns, and what is to be told.

    ``writer`` turns texts that are not planned yet into shots.

    Raises:
        InputError: what the folder holds cannot be used.
    """
    notes: tuple[str, ...] = ()
    if wish.story is None:
        _refuse_guests(wish, config)
        board = Storyboard.load(wish.folder)
    else:
        guests = config.cast_from
        invitation = invite(wish.story, guests, wish.folder, config.frame_size) if guests else None
        board, notes = storyboard_of(wish.story, wish.folder, config, writer, invitation)
    if wish.more is not None:
        board, added = continue_film(wish.more, wish.folder, config, writer)
        notes = (*notes, *added)
    check_portraits(board, wish.folder)
    return board, notes


def foreseen(
    wish: Wish, config: StoryConfig, writer: ShotWriter = PLAIN_RULE
) -> tuple[Storyboard, tuple[str, ...]]:
    """What ``document`` would give; the film's own folder stays as it is."""
    with tempfile.TemporaryDirectory() as aside:
        for name in (FILE_NAME, PLAN_NAME, CONTINUED_NAME):
            if (wish.folder / name).is_file():
                shutil.copy(wish.folder / name, aside)
        if (wish.folder / FOLDER).is_dir():
            shutil.copytree(wish.folder / FOLDER, Path(aside) / FOLDER)
        return document(replace(wish, folder=Path(aside)), config, writer)


def _refuse_guests(wish: Wish, config: StoryConfig) -> None:
    if config.cast_from:
        raise InputError(
            f"--cast-from: a story that begins a film was wanted, found the storyboard in {wish.folder}. "
            "People come from other films when a story is planned: cinema plan story.txt --out DIR "
            "--cast-from FILM"
        )


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
