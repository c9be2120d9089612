"""``cinema render``: every keyframe becomes a clip, and the clips become the film (section 3.3).

The storyboard is saved after every clip, so the same command goes on where it stopped.  A clip is made again
when its own inputs changed: its words and the film's, its seed, its keyframe, its duration, the weights,
how it is sampled.  A clip without ``clip_made_with`` was put there by a person and stays.
The film is joined again when any clip or word in it changed; ``render.json`` remembers from what it was made.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from cinema_cli import runtime
from cinema_cli.contact_sheet import FILM_NAME, write_contact_sheet
from cinema_cli.errors import InputError, Interrupted
from cinema_cli.fields import seconds
from cinema_cli.files import locked
from cinema_cli.models.contents import read_contents
from cinema_cli.models.encoders import ShotTextEncoder
from cinema_cli.models.kept_latents import CLIPS, KeptLatents
from cinema_cli.models.quiet import quiet_libraries
from cinema_cli.models.thrift import ThriftConfig, choose_thrift
from cinema_cli.models.weights import load_video_models, model_folder, weights_sha256
from cinema_cli.progress import Progress, finishing_on_signal
from cinema_cli.rendering.animators.animator import Animator, Manner, as_it_works, manner_of
from cinema_cli.rendering.animators.stock_wan import StockWan, load_scheduler
from cinema_cli.rendering.studio import Studio, StudioConfig, read_keyframe
from cinema_cli.rendering.video import ClipMaker, ClipWindow, clip_frames, told_caption
from cinema_cli.storyboard import FILE_NAME, Storyboard, strip_tags


class RenderConfig(StudioConfig, ThriftConfig):
    """Everything that ``cinema render`` can be told."""

    adapter: str | None = None
    """An adapter beside the model: its file, or a checkpoint's folder."""


@dataclass(frozen=True)
class RenderResult:
    """What was written."""

    film: Path
    contact_sheet: Path
    shots: int
    rendered: int
    skipped: int
    mode: str
    """How clips were made, in one line."""
    seconds: dict[str, float]
    """By stage: load, render, join."""


def render_film(storyboard: Path, out: Path | None, config: RenderConfig, progress: Progress) -> RenderResult:
    """Turn a storyboard whose shots have keyframes into clips and a film.

    Args:
        storyboard: the document or its folder.
        out: the film; ``film.mp4`` beside the storyboard when absent.
        config: how.
        progress: where progress is shown.

    Raises:
        InputError: a shot has no usable keyframe, or another input cannot be used; no clip was made.
        MissingError: there are no weights.
        Interrupted: stopped between two items; the same command goes on.
    """
    laps = [time.monotonic()]
    file = storyboard / FILE_NAME if storyboard.is_dir() else storyboard
    Storyboard.load(file)  # before there is a lock where nothing should be
    folder, film = file.parent, out or file.parent / FILM_NAME
    weights = model_folder(config.model, "video")
    manner = manner_of(weights, config.adapter, config)
    config = as_it_works(config, manner)
    progress.say(f"clips: {manner.mode}")
    with locked(folder), finishing_on_signal() as stop:
        board = Storyboard.load(file)
        check(board, folder, film, config)
        sha256 = weights_sha256(weights, config.adapter, config.quantise, config.gguf)
        studio = Studio(file, config, sha256, manner)
        board = marked(board, config)
        board.save(file)
        windows = studio.plan(board)
        made = sum(len(window.made) for window in windows)
        kept = KeptLatents(folder / CLIPS, studio.weights_sha256)
        maker = _animator(weights, board, windows, config, manner, kept, progress) if windows else None
        laps.append(time.monotonic())
        if maker is not None:
            board = studio.make_all(board, windows, maker, stop, progress)
        kept.clear()
        laps.append(time.monotonic())
        if stop.requested:
            raise Interrupted("every clip is made. The same command joins the film.")
        studio.join(board, film, progress)
        sheet = write_contact_sheet(board, folder)
        laps.append(time.monotonic())
    spent = dict(zip(("load", "render", "join"), (b - a for a, b in pairwise(laps)), strict=True))
    return RenderResult(film, sheet, len(board.shots), made, len(board.shots) - made, manner.mode, spent)


def marked(board: Storyboard, config: RenderConfig) -> Storyboard:
    """Without the clips that are to be made anew: so they are, even after a kill."""
    for id in board.chosen(config.redo):
        board = board.with_shot(id, clip=None, clip_made_with=None)
    return board


def check(board: Storyboard, folder: Path, film: Path, config: RenderConfig) -> None:
    """Refuse at once what would fail after hours: a missing keyframe, an odd duration, a wrong path."""
    if not board.shots:
        raise InputError(f"{folder}: shots were wanted, found none. Plan some: cinema plan")
    if film.suffix != ".mp4" or film.is_dir():
        raise InputError(f"{film}: the name of an mp4 file was wanted for the film. Change --out.")
    if (seconds(board.frame_rate) / config.clip_rate).denominator != 1:
        raise InputError(
            f"frame_rate: a multiple of {config.clip_rate}, the frames that the model makes a second, "
            f"was wanted, found {board.frame_rate}. Change it in the storyboard."
        )
    for shot in board.shots:
        clip_frames(shot, config)
        read_keyframe(board, folder, shot)


def _animator(
    weights: Path,
    board: Storyboard,
    windows: Sequence[ClipWindow],
    config: RenderConfig,
    manner: Manner,
    kept: KeptLatents,
    progress: Progress,
) -> Animator:
    """Who makes clips.

    Raises:
        InputError, MissingError: as ``load_video_models``.
    """
    quiet_libraries()
    where = runtime.device()
    dtype, contents = runtime.number_type(where), read_contents(weights, "video", config.gguf)
    thrift = choose_thrift(weights, contents, config, where, dtype, board.frame_size)
    progress.say(thrift.told)
    members = {id for window in windows for id in (*window.made, *window.seen)}
    words = [told_caption(board, shot, config) for shot in board.shots if shot.id in members]

    def ahead(text: ShotTextEncoder) -> None:
        if manner.name == "stock-wan":
            text.alone([*(strip_tags(each) for each in words), config.negative])
        else:
            text.encode(board.caption, words)
            if config.guidance != 1:
                text.alone([config.negative])

    models = load_video_models(
        weights, config.text_length, where, dtype, config.adapter, thrift, ahead, config.gguf
    )
    if manner.name == "stock-wan":
        return StockWan(models, load_scheduler(weights), board.frame_size, config, kept)
    return ClipMaker(models, board.frame_size, config, kept)
