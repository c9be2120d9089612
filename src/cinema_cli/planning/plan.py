"""``cinema plan``: a story becomes a storyboard with a keyframe for every shot (4.1, 3.2; appendix F).

The storyboard is on the disk before the first picture is drawn, and is saved after every window, so the
same command goes on where it stopped.  Instead of a story it takes a storyboard that is there: to draw what
is missing, to draw some shots again, or to continue the film.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from cinema_cli import runtime
from cinema_cli.contact_sheet import sheet_image, write_contact_sheet
from cinema_cli.files import atomic_path, locked
from cinema_cli.models.captions import otherwise
from cinema_cli.models.quiet import quiet_libraries
from cinema_cli.models.weights import load_keyframe_models, model_folder, weights_sha256
from cinema_cli.planning.board import StoryConfig, shot_seed
from cinema_cli.planning.desk import Desk, DeskConfig
from cinema_cli.planning.document import document, read_wish
from cinema_cli.planning.keyframes import KeyframeArtist, told_caption
from cinema_cli.planning.recall import Recall, build_judge
from cinema_cli.planning.windows import Window, plan_windows
from cinema_cli.progress import Progress, finishing_on_signal
from cinema_cli.storyboard import FILE_NAME, Storyboard

SHEET_NAME = "contact-sheet.png"


class PlanConfig(StoryConfig, DeskConfig):
    """Everything that ``cinema plan`` can be told."""

    refresh: bool = False
    """Also draw anew what remembers pictures that were drawn anew since."""


@dataclass(frozen=True)
class PlanResult:
    """What was written."""

    storyboard: Path
    contact_sheet: Path
    shots: int
    drawn: int
    skipped: int
    notes: tuple[str, ...]
    seconds: dict[str, float]
    """By stage: story, load, draw, write."""


def plan_film(
    story: Path, out: Path | None, config: PlanConfig, progress: Progress, more: Path | None = None
) -> PlanResult:
    """Turn a story into ``out/storyboard.json`` with a keyframe for every shot.

    Args:
        story: A story; or a storyboard or its folder, which is then drawn, and continued with ``more``.
        out: Folder of the film; for a storyboard its own.
        config: How.
        progress: Told of the steps.
        more: A text that continues the film.

    Raises:
        InputError: the story or what the folder holds cannot be used; no picture was drawn.
        MissingError: there are no weights; nothing was written.
        Interrupted: stopped between two windows; the same command goes on.
    """
    laps = [time.monotonic()]
    wish = read_wish(story, out, more)
    folder = wish.folder
    weights = model_folder(config.model, "keyframes")
    with locked(folder), finishing_on_signal() as stop:
        # With --redo the seed is that of the shots drawn anew, not of the film.
        board, notes = document(wish, config.model_copy(update={"seed": None}) if config.redo else config)
        board = _marked(board, config)
        board.save(folder)
        desk = Desk(folder, config, weights_sha256(weights))
        stale = desk.stale(board)
        if config.refresh:
            stale = desk.to_refresh(board, stale)
        windows = plan_windows(board, stale, config)
        notes += _look_notes(board)
        laps.append(time.monotonic())
        artist, recall = _artist(weights, board, windows, config) if windows else (None, None)
        laps.append(time.monotonic())
        if artist is not None:
            notes += _cut_notes(artist, board, windows, config)
            board = desk.draw_all(board, windows, artist, recall, stop, progress)
        notes += _memory_notes(desk, board)
        laps.append(time.monotonic())
        sheet = write_contact_sheet(board, folder)
        with atomic_path(folder / SHEET_NAME) as path:
            sheet_image(board, folder).save(path)
        laps.append(time.monotonic())
    drawn = sum(len(window.drawn) for window in windows)
    stages = ("story", "load", "draw", "write")
    spent = dict(zip(stages, (b - a for a, b in pairwise(laps)), strict=True))
    return PlanResult(
        folder / FILE_NAME, sheet, len(board.shots), drawn, len(board.shots) - drawn, notes, spent
    )


def _marked(board: Storyboard, config: PlanConfig) -> Storyboard:
    """The storyboard with a seed for every shot, and without the pictures that are to be drawn anew.

    A seed of its own makes a picture another one, and on the disk it survives a command that is killed.
    """
    for shot in board.shots:
        if shot.seed is None:
            board = board.with_shot(shot.id, seed=shot_seed(0, shot.id))
    for id in board.chosen(config.redo):
        before = board.shot(id).seed or 0
        seed = (before + 1) % runtime.MAX_SEED if config.seed is None else shot_seed(config.seed, id)
        board = board.with_shot(id, seed=seed, keyframe=None, keyframe_made_with=None, context=())
    return board


def _artist(
    weights: Path, board: Storyboard, windows: Sequence[Window], config: PlanConfig
) -> tuple[KeyframeArtist, Recall | None]:
    """Who draws; and who remembers, if any window does."""
    quiet_libraries()
    where = runtime.device()
    models = load_keyframe_models(
        weights, config.text_length, where, runtime.number_type(where), config.text_padding
    )
    artist = KeyframeArtist(models, board.frame_size, config)
    if not any(window.remembers for window in windows):
        return artist, None
    judge = build_judge(config, weights.parent / "clip", models.text, where)
    return artist, Recall(config, judge, artist.grid)


def _look_notes(board: Storyboard) -> tuple[str, ...]:
    """A line for every look that a caption and the cast tell differently."""
    return tuple(
        f"shot {shot.id}: <{name}> is described otherwise than in the cast; there the caption counts"
        for shot in board.shots
        for name in otherwise(shot.caption, board.cast)
    )


def _cut_notes(
    artist: KeyframeArtist, board: Storyboard, windows: Sequence[Window], config: PlanConfig
) -> tuple[str, ...]:
    """A line for every caption that is drawn without its end."""
    drawn = {id for window in windows for id in window.drawn}
    shots = [shot for shot in board.shots if shot.id in drawn]
    return tuple(
        f"shot {shots[i].id}: its caption is longer than {config.text_length} tokens; the end is not read"
        for i in artist.cut([told_caption(board, shot, config) for shot in shots])
    )


def _memory_notes(desk: Desk, board: Storyboard) -> tuple[str, ...]:
    """A line if shots remember pictures that are gone."""
    found = desk.outdated(board)
    if not found:
        return ()
    others = ", ".join(sorted({other for others in found.values() for other in others}))
    return (f"drawn beside earlier pictures of {others}: {', '.join(found)}; --refresh draws them anew",)
