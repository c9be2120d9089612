"""``cinema plan``: a story becomes a storyboard with a keyframe for every shot (4.1, 3.2; appendix F).

The storyboard is on the disk before the first picture is drawn, and is saved after every window, so the
same command goes on where it stopped.  Instead of a story it takes a storyboard that is there: to draw what
is missing, to draw some shots again, or to continue the film.
"""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch

from cinema_cli import runtime
from cinema_cli.chat.model import ChatModel
from cinema_cli.contact_sheet import write_contact_sheet
from cinema_cli.files import atomic_path, locked
from cinema_cli.models.captions import otherwise, with_looks
from cinema_cli.models.contents import read_contents
from cinema_cli.models.encoders import TextEncoder
from cinema_cli.models.kept_latents import KEYFRAMES, KeptLatents
from cinema_cli.models.quiet import quiet_libraries
from cinema_cli.models.thrift import Thrift, ThriftConfig, choose_thrift
from cinema_cli.models.weights import load_keyframe_models, model_folder, weights_sha256
from cinema_cli.plain_sheet import SHEET_NAME, sheet_image
from cinema_cli.planning.artists.artist import Artist, Manner, as_it_works, manner_of, refuse_thrift
from cinema_cli.planning.artists.editor import EditorArtist
from cinema_cli.planning.board import StoryConfig, shot_seed
from cinema_cli.planning.desk import Desk, DeskConfig
from cinema_cli.planning.director import DirectorBill, DirectorConfig, open_director
from cinema_cli.planning.document import document, read_wish
from cinema_cli.planning.keyframes import KeyframeArtist, told_caption
from cinema_cli.planning.portraits import words_alone
from cinema_cli.planning.recall import Recall, build_judge
from cinema_cli.planning.story import PLAIN_RULE
from cinema_cli.planning.told import Words
from cinema_cli.planning.windows import Window, plan_windows
from cinema_cli.progress import Progress, finishing_on_signal
from cinema_cli.storyboard import FILE_NAME, Storyboard


class PlanConfig(StoryConfig, DeskConfig, ThriftConfig):
    """Everything that ``cinema plan`` can be told."""

    director: DirectorConfig | None = None
    """The chat model that turns the story into shots; the plain rule does when none."""
    words: Words = "theatre"
    """Whether a director's shots are staged in the theatre's words, or its own captions are drawn."""
    adapter: str | None = None
    """An adapter beside the model: its file, or a checkpoint's folder."""
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
    mode: str
    """How keyframes were drawn, in one line."""
    seconds: dict[str, float]
    """By stage: story, load, draw, write."""
    bill: DirectorBill | None = None
    """What the director has cost."""


def plan_film(
    story: Path,
    out: Path | None,
    config: PlanConfig,
    progress: Progress,
    more: Path | None = None,
    chat: ChatModel | None = None,
) -> PlanResult:
    """Turn a story into ``out/storyboard.json`` with a keyframe for every shot.

    Args:
        story: A story; or a storyboard or its folder, which is then drawn, and continued with ``more``.
        out: Folder of the film; for a storyboard its own.
        config: How.
        progress: Told of the steps.
        more: A text that continues the film.
        chat: Takes the place of the model that the config's director names.

    Raises:
        InputError: the story or what the folder holds cannot be used; no picture was drawn.
        MissingError: there are no weights; nothing was written, and no director asked.
        DirectorError: the director's answers are of no use; what it answered before is kept.
        Interrupted: stopped between two chapters or two windows; the same command goes on.
    """
    laps = [time.monotonic()]
    wish = read_wish(story, out, more)
    folder = wish.folder
    weights = model_folder(config.model, "keyframes")
    manner = manner_of(weights, config, config.adapter)
    config = as_it_works(config, manner)
    refuse_thrift(config, manner)
    progress.say(f"keyframes: {manner.mode}")
    with locked(folder), finishing_on_signal() as stop, ExitStack() as stack:
        director = None
        if config.director is not None:
            director = open_director(
                config.director, config.words, folder, progress, stack, lambda: stop.requested, chat
            )
        # With --redo the seed is that of the shots drawn anew, not of the film.
        asked = config.model_copy(update={"seed": None}) if config.redo else config
        board, notes = document(wish, asked, director or PLAIN_RULE)
        board = _marked(board, config)
        board.save(folder)
        sha256 = weights_sha256(weights, config.adapter, config.quantise, config.gguf)
        desk = Desk(folder, config, sha256, manner.backend)
        stale = desk.stale(board)
        if config.refresh:
            stale = desk.to_refresh(board, stale)
        windows = plan_windows(board, stale, config)
        notes += (*_look_notes(board), *words_alone(board, config))
        laps.append(time.monotonic())
        kept = KeptLatents(folder / KEYFRAMES, desk.weights_sha256)
        artist, recall = None, None
        if windows:
            artist, recall = _artist(weights, board, windows, config, manner, kept, progress)
        laps.append(time.monotonic())
        if artist is not None:
            notes += _cut_notes(artist, board, windows, config)
            board = desk.draw_all(board, windows, artist, recall, stop, progress)
        kept.clear()
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
        folder / FILE_NAME,
        sheet,
        len(board.shots),
        drawn,
        len(board.shots) - drawn,
        notes,
        manner.mode,
        spent,
        None if director is None else director.bill,
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
    weights: Path,
    board: Storyboard,
    windows: Sequence[Window],
    config: PlanConfig,
    manner: Manner,
    kept: KeptLatents,
    progress: Progress,
) -> tuple[Artist, Recall | None]:
    """Who draws; and who remembers, if any window does."""
    quiet_libraries()
    where = runtime.device()
    dtype, contents = runtime.number_type(where), read_contents(weights, "keyframes", config.gguf)
    thrift = choose_thrift(weights, contents, config, where, dtype, board.frame_size)
    progress.say(thrift.told)
    artist: Artist
    if manner.kind == "editor":
        size = board.frame_size
        artist = EditorArtist.load(weights, size, config, where, dtype, thrift, kept, config.gguf)
        text = None
    else:
        artist = _interleaved(weights, board, windows, config, where, thrift, kept)
        text = artist.models.text
    if not any(window.remembers for window in windows):
        return artist, None
    judge = build_judge(config, weights.parent / "clip", text, where)
    return artist, Recall(config, judge, artist.grid)


def _interleaved(
    weights: Path,
    board: Storyboard,
    windows: Sequence[Window],
    config: PlanConfig,
    where: torch.device,
    thrift: Thrift,
    kept: KeptLatents,
) -> KeyframeArtist:
    """The paper's model, or a stock one in its place.

    Raises:
        InputError, MissingError: as ``load_keyframe_models``.
    """
    dtype = runtime.number_type(where)

    def ahead(text: TextEncoder) -> None:
        text.encode(_all_words(board, windows, config))

    models = load_keyframe_models(
        weights,
        config.text_length,
        where,
        dtype,
        config.text_padding,
        config.adapter,
        thrift,
        ahead,
        config.gguf,
    )
    return KeyframeArtist(models, board.frame_size, config, kept)


def _all_words(board: Storyboard, windows: Sequence[Window], config: PlanConfig) -> list[str]:
    """Every caption that a run may ask the text encoders for."""
    drawn = {id for window in windows for id in window.drawn}
    remembers = any(window.remembers for window in windows)
    shots = [shot for shot in board.shots if remembers or shot.id in drawn]
    words = [told_caption(board, shot, config) for shot in shots]
    words += [member.portrait.caption for member in board.cast if remembers and member.portrait]
    if config.guidance != 1:
        words.append("")
    if remembers and config.retrieval.kind == "t5":
        words += [with_looks(shot.caption, board.cast) for shot in shots]
    return words


def _look_notes(board: Storyboard) -> tuple[str, ...]:
    """A line for every look that a caption and the cast tell differently."""
    return tuple(
        f"shot {shot.id}: <{name}> is described otherwise than in the cast; there the caption counts"
        for shot in board.shots
        for name in otherwise(shot.caption, board.cast)
    )


def _cut_notes(
    artist: Artist, board: Storyboard, windows: Sequence[Window], config: PlanConfig
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
