"""``cinema render``: every keyframe becomes a clip, and the clips become the film (section 3.3).

The storyboard is saved after every clip, so the same command goes on where it stopped.  A clip is made again
when its own inputs changed: its words and the film's, its seed, its keyframe, its duration, the weights,
how it is sampled.  A clip without ``clip_made_with`` was put there by a person and stays.
The film is joined again when any clip or word in it changed; ``render.json`` remembers from what it was made.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field

from cinema_cli import __version__, runtime
from cinema_cli.config import Config, build
from cinema_cli.contact_sheet import FILM_NAME, write_contact_sheet
from cinema_cli.errors import InputError, Interrupted
from cinema_cli.ffmpeg import encode
from cinema_cli.fields import Sha256, inside, seconds
from cinema_cli.files import locked, read_json, sha256_file, sha256_json, write_atomic
from cinema_cli.models.contents import read_contents
from cinema_cli.models.encoders import ShotTextEncoder
from cinema_cli.models.kept_latents import CLIPS, KeptLatents
from cinema_cli.models.pictures import Frame, read_picture
from cinema_cli.models.quiet import quiet_libraries
from cinema_cli.models.thrift import ThriftConfig, choose_thrift
from cinema_cli.models.weights import TOY, load_video_models, model_folder, weights_sha256
from cinema_cli.progress import Progress, Stop, finishing_on_signal
from cinema_cli.rendering.animators.animator import INTERLEAVED, Animator, Manner, as_it_works, manner_of
from cinema_cli.rendering.animators.stock_wan import StockWan, load_scheduler, next_in_scene, plan_shots
from cinema_cli.rendering.film import assemble
from cinema_cli.rendering.subtitles import write_subtitles
from cinema_cli.rendering.video import (
    ClipConfig,
    ClipMaker,
    ClipWindow,
    clip_frames,
    plan_clips,
    told_caption,
)
from cinema_cli.storyboard import FILE_NAME, MadeWith, Shot, Storyboard, strip_tags

RECORD_NAME = "render.json"
MAX_RECORD_BYTES = 1 << 16

NEARLY_LOSSLESS = 12
"""x264's rate factor for clips: what the film's own encoding takes away later is more."""


class RenderConfig(ClipConfig, ThriftConfig):
    """Everything that ``cinema render`` can be told."""

    preset: str = "toy"
    """The preset that the other values came from; noted beside every clip."""
    model: str = TOY
    """The embedded weights, a folder, or a name on the hub (docs/models.md)."""
    adapter: str | None = None
    """An adapter beside the model: its file, or a checkpoint's folder."""
    seed: Annotated[int, Field(ge=0, le=runtime.MAX_SEED)] = 0
    """Varies the motion of all shots; each shot's own seed counts as well."""
    redo: tuple[str, ...] = ()
    """Shots whose clips are made anew even though nothing changed."""


class FilmRecord(Config):
    """From what the film was joined, in ``render.json``."""

    film: str
    """Where it lies, seen from the storyboard."""
    inputs_sha256: Sha256
    """Of its clips and words."""


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


def read_keyframe(board: Storyboard, folder: Path, shot: Shot) -> Frame:
    """The keyframe of a shot, or an error that names the shot."""
    if shot.keyframe is None:
        raise InputError(f"Shot {shot.id}: a keyframe was wanted, found none. Draw it: cinema plan")
    repair = f"Draw shot {shot.id} again: cinema plan with --redo {shot.id}"
    return read_picture(inside(folder, shot.keyframe), board.frame_size, repair)


@dataclass(frozen=True)
class Studio:
    """Where clips are made and kept: a storyboard's file, a config and the weights."""

    file: Path
    config: RenderConfig
    weights_sha256: str
    manner: Manner = INTERLEAVED

    @property
    def folder(self) -> Path:
        """The folder of the film."""
        return self.file.parent

    def stale(self, board: Storyboard) -> dict[str, str]:
        """Shots without a clip, or whose clip was made from other inputs, each with the reason."""
        found = ((shot.id, self._reason(board, shot)) for shot in board.shots)
        return {id: reason for id, reason in found if reason is not None}

    def _reason(self, board: Storyboard, shot: Shot) -> str | None:
        """Why a clip is to be made; none where it stays."""
        made = shot.clip_made_with
        if shot.clip is None:
            return "no clip yet"
        if not inside(self.folder, shot.clip).is_file():
            return f"{shot.clip} is gone"
        if made is None:  # a person's own
            return None
        if made.weights_sha256 != self.weights_sha256:
            return "made with other weights"
        if made.inputs_sha256 != self.inputs(board, shot):
            return "its words, keyframe, seed, duration or settings changed"
        return None

    def plan(self, board: Storyboard) -> list[ClipWindow]:
        """Windows that make all stale clips."""
        if self.manner.name == "stock-wan":
            return plan_shots(board, set(self.stale(board)), self.config.ends)
        return plan_clips(board, set(self.stale(board)), self.config)

    def inputs(self, board: Storyboard, shot: Shot) -> str:
        """One hash for everything that makes this clip what it is, but the weights."""
        config = self.config
        return sha256_json(
            {
                "film": board.caption,
                "caption": told_caption(board, shot, config),
                "keyframe": sha256_file(inside(self.folder, str(shot.keyframe))),
                "seed": self.seed(shot),
                "frames": clip_frames(shot, config),
                "clip_rate": config.clip_rate,
                "frame_size": board.frame_size,
                "steps": config.steps,
                "shift": config.shift,
                "cut_phase": config.cut_phase,
                "text_length": config.text_length,
                **self._guidance_inputs(),
                **self._stock_inputs(board, shot),
            }
        )

    def _guidance_inputs(self) -> dict[str, object]:
        """What guidance leads to; without it a clip of the interleaved model is what it always was."""
        if self.manner.name == "interleaved" and self.config.guidance == 1:
            return {}
        return {"guidance": self.config.guidance, "negative": self.config.negative}

    def _stock_inputs(self, board: Storyboard, shot: Shot) -> dict[str, object]:
        """What counts beside that for a stock model."""
        if self.manner.name == "interleaved":
            return {}
        after = next_in_scene(board, shot) if self.config.ends else None
        return {
            "animator": self.manner.name,
            "end": None if after is None else sha256_file(inside(self.folder, str(after.keyframe))),
        }

    def seed(self, shot: Shot) -> int:
        """Of the noise of this clip."""
        return int(sha256_json([self.config.seed, shot.seed, shot.id])[:8], 16)

    def make_all(
        self, board: Storyboard, windows: list[ClipWindow], maker: Animator, stop: Stop, progress: Progress
    ) -> Storyboard:
        """Make window after window, until all are done or a signal asks to stop."""
        task = progress.task("rendering clips", len(windows) * self.config.steps, "steps")
        for number, window in enumerate(windows, start=1):
            board = self.make(board, window, maker, task.advance)
            if stop.requested:
                done = sum(len(w.made) for w in windows[:number])
                again = "The same command, without --redo," if self.config.redo else "The same command"
                raise Interrupted(f"{done} clips were made. {again} makes the rest and the film.")
        return board

    def make(
        self,
        board: Storyboard,
        window: ClipWindow,
        maker: Animator,
        on_step: Callable[[], None],
    ) -> Storyboard:
        """Make the clips of a window; each is written, then named in the storyboard."""
        shots = {id: board.shot(id) for id in (*window.made, *window.seen)}
        frames = {id: read_keyframe(board, self.folder, shot) for id, shot in shots.items()}
        seeds = {id: self.seed(shots[id]) for id in window.made}
        for id, clip in maker.make(board, window, frames, seeds, on_step).items():
            name = f"clips/{id}.mp4"
            encode(clip, inside(self.folder, name), Fraction(self.config.clip_rate), crf=NEARLY_LOSSLESS)
            made = MadeWith(
                model=Path(self.config.model).name,
                weights_sha256=self.weights_sha256,
                inputs_sha256=self.inputs(board, shots[id]),
                preset=self.config.preset,
                version=__version__,
                backend=self.manner.backend,
            )
            board = board.with_shot(id, clip=name, clip_made_with=made)
            board.save(self.file)
        return board

    def join(self, board: Storyboard, film: Path, progress: Progress) -> None:
        """Join the clips, unless the film that is there was made from the same."""
        if self.is_joined(board, film):
            write_subtitles(board, film)  # what is said is not part of the film's own file
            return
        assemble(board, self.folder, film, progress.task("joining the film", len(board.shots), "shots"))
        write_atomic(self.folder / RECORD_NAME, self._record(board, film).model_dump_json(indent=2) + "\n")

    def is_joined(self, board: Storyboard, film: Path) -> bool:
        """Whether the film is there, made from these very clips."""
        path = self.folder / RECORD_NAME
        if not film.is_file() or not path.exists():
            return False
        last = build(FilmRecord, read_json(path, MAX_RECORD_BYTES), str(path))
        return last == self._record(board, film)

    def _record(self, board: Storyboard, film: Path) -> FilmRecord:
        return FilmRecord(film=os.path.relpath(film, self.folder), inputs_sha256=self._film_inputs(board))

    def _film_inputs(self, board: Storyboard) -> str:
        shots = [
            [shot.id, shot.caption, shot.duration, sha256_file(inside(self.folder, str(shot.clip)))]
            for shot in board.shots
        ]
        return sha256_json([board.title, board.caption, board.frame_rate, shots])


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
