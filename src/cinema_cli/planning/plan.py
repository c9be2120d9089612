"""``cinema plan``: a story becomes a storyboard with a keyframe for every shot (4.1, 3.2; appendix F).

The storyboard is on the disk before the first picture is drawn, and is saved after every window, so the
same command goes on where it stopped.  A keyframe is drawn again when its own inputs changed: its words
with the looks in them, its seed, the weights, how it is sampled.  That frames it was drawn beside changed
does not make it stale: else one picture drawn anew would redraw the film.  A picture without
``keyframe_made_with`` was put there by a person and stays.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from cinema_cli import __version__, runtime
from cinema_cli.contact_sheet import sheet_image, write_contact_sheet
from cinema_cli.errors import InputError, Interrupted
from cinema_cli.files import atomic_path, locked, sha256_json
from cinema_cli.models.captions import otherwise
from cinema_cli.models.pictures import read_picture, write_picture
from cinema_cli.models.quiet import quiet_libraries
from cinema_cli.models.weights import TOY, load_keyframe_models, model_folder, weights_sha256
from cinema_cli.planning.board import StoryConfig, shot_seed, storyboard_of
from cinema_cli.planning.keyframes import DrawingConfig, KeyframeArtist, Window, plan_windows, told_caption
from cinema_cli.planning.story import read_story
from cinema_cli.progress import Progress, Stop, finishing_on_signal
from cinema_cli.storyboard import FILE_NAME, MadeWith, Remembered, Shot, Storyboard, inside

SHEET_NAME = "contact-sheet.png"


class PlanConfig(StoryConfig, DrawingConfig):
    """Everything that ``cinema plan`` can be told."""

    preset: str = "toy"
    """The preset that the other values came from; noted beside every picture."""
    model: str = TOY
    """The embedded weights, or a folder that holds ``keyframes/`` and ``video/``."""
    redo: tuple[str, ...] = ()
    """Shots to draw anew with another seed; with ``seed``, that one is theirs alone."""


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


def plan_film(story: Path, out: Path, config: PlanConfig, progress: Progress) -> PlanResult:
    """Turn a story into ``out/storyboard.json`` with a keyframe for every shot.

    Raises:
        InputError: the story or what ``out`` holds cannot be used; no picture was drawn.
        MissingError: there are no weights; nothing was written.
        Interrupted: stopped between two windows; the same command goes on.
    """
    laps = [time.monotonic()]
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: a folder for the film was wanted, found a file. Choose another --out.")
    text, weights = read_story(story), model_folder(config.model, "keyframes")
    with locked(out), finishing_on_signal() as stop:
        told = config.model_copy(update={"seed": None}) if config.redo else config
        board, notes = storyboard_of(text, out, told)
        board = _marked(board, config)
        board.save(out)
        desk = Desk(out, config, weights_sha256(weights))
        windows = plan_windows(board, desk.stale(board), config.window)
        notes += _look_notes(board)
        laps.append(time.monotonic())
        artist = _artist(weights, board, config) if windows else None
        if artist is not None:
            notes += _cut_notes(artist, board, windows, config)
        laps.append(time.monotonic())
        if artist is not None:
            board = desk.draw_all(board, windows, artist, stop, progress)
        laps.append(time.monotonic())
        sheet = write_contact_sheet(board, out)
        with atomic_path(out / SHEET_NAME) as path:
            sheet_image(board, out).save(path)
        laps.append(time.monotonic())
    drawn = sum(len(window.drawn) for window in windows)
    stages = ("story", "load", "draw", "write")
    spent = dict(zip(stages, (b - a for a, b in pairwise(laps)), strict=True))
    return PlanResult(out / FILE_NAME, sheet, len(board.shots), drawn, len(board.shots) - drawn, notes, spent)


@dataclass(frozen=True)
class Desk:
    """Where pictures are drawn and kept: a folder, a config and the weights."""

    out: Path
    config: PlanConfig
    weights_sha256: str

    def stale(self, board: Storyboard) -> set[str]:
        """Shots without a keyframe, or whose keyframe was made from other inputs; the others are checked.

        Raises:
            InputError: a keyframe that is to be kept cannot be read.
        """
        found = set()
        for shot in board.shots:
            path = inside(self.out, shot.keyframe) if shot.keyframe else None
            made = shot.keyframe_made_with
            now = (self.weights_sha256, self.inputs(board, shot))
            if (
                path is None
                or not path.is_file()
                or (made is not None and (made.weights_sha256, made.inputs_sha256) != now)
            ):
                found.add(shot.id)
            else:
                read_picture(path, board.frame_size, _again(shot))
        return found

    def inputs(self, board: Storyboard, shot: Shot) -> str:
        """One hash for everything that makes this picture what it is, but the weights."""
        config = self.config
        return sha256_json(
            {
                "caption": told_caption(board, shot, config),
                "seed": shot.seed,
                "frame_size": board.frame_size,
                "steps": config.steps,
                "guidance": config.guidance,
                "shift": config.shift,
                "text_length": config.text_length,
            }
        )

    def draw_all(
        self, board: Storyboard, windows: list[Window], artist: KeyframeArtist, stop: Stop, progress: Progress
    ) -> Storyboard:
        """Draw window after window, until all are done or a signal asks to stop."""
        task = progress.task("drawing keyframes", len(windows) * self.config.steps, "steps")
        for number, window in enumerate(windows):
            if stop.requested:
                done = sum(len(w.drawn) for w in windows[:number])
                again = "The same command, without --redo," if self.config.redo else "The same command"
                raise Interrupted(f"{done} keyframes were drawn. {again} draws the others.")
            board = self.draw(board, window, artist, task.advance)
        return board

    def draw(
        self, board: Storyboard, window: Window, artist: KeyframeArtist, on_step: Callable[[], None]
    ) -> Storyboard:
        """Draw a window, keep its pictures, and save the storyboard that names them."""
        members = {*window.drawn, *window.known}
        shots = [shot for shot in board.shots if shot.id in members]
        known = {
            shot.id: read_picture(inside(self.out, str(shot.keyframe)), board.frame_size, _again(shot))
            for shot in shots
            if shot.id in window.known
        }
        captions = [told_caption(board, shot, self.config) for shot in shots]
        frames = artist.draw(shots, captions, known, on_step)
        context = tuple(Remembered(shot=id, short_side_tokens=min(artist.grid)) for id in window.known)
        for id, frame in frames.items():
            name = f"keyframes/{id}.png"
            write_picture(inside(self.out, name), frame)
            made = MadeWith(
                model=Path(self.config.model).name,
                weights_sha256=self.weights_sha256,
                inputs_sha256=self.inputs(board, board.shot(id)),
                preset=self.config.preset,
                version=__version__,
            )
            board = board.with_shot(id, keyframe=name, keyframe_made_with=made, context=context)
        board.save(self.out)
        return board


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


def _artist(weights: Path, board: Storyboard, config: PlanConfig) -> KeyframeArtist:
    quiet_libraries()
    where = runtime.device()
    models = load_keyframe_models(weights, config.text_length, where, runtime.number_type(where))
    return KeyframeArtist(models, board.frame_size, config)


def _look_notes(board: Storyboard) -> tuple[str, ...]:
    """A line for every look that a caption and the cast tell differently."""
    return tuple(
        f"shot {shot.id}: <{name}> is described otherwise than in the cast; there the caption counts"
        for shot in board.shots
        for name in otherwise(shot.caption, board.cast)
    )


def _cut_notes(
    artist: KeyframeArtist, board: Storyboard, windows: list[Window], config: PlanConfig
) -> tuple[str, ...]:
    """A line for every caption that is drawn without its end."""
    drawn = {id for window in windows for id in window.drawn}
    shots = [shot for shot in board.shots if shot.id in drawn]
    return tuple(
        f"shot {shots[i].id}: its caption is longer than {config.text_length} tokens; the end is not read"
        for i in artist.cut([told_caption(board, shot, config) for shot in shots])
    )


def _again(shot: Shot) -> str:
    return f"Draw it again: cinema plan with --redo {shot.id}"
