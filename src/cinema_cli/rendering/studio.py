"""The studio of a film: which clips are stale, making them one window after the other, joining them.

A clip is named in the storyboard as soon as it is written, with the hash of all that made it; ``render.json``
remembers from what the film was joined.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from pydantic import Field

from cinema_cli import __version__, runtime
from cinema_cli.config import Config, build
from cinema_cli.errors import InputError, Interrupted
from cinema_cli.ffmpeg import encode
from cinema_cli.fields import Sha256, inside
from cinema_cli.files import read_json, sha256_file, sha256_json, write_atomic
from cinema_cli.models.pictures import Frame, read_picture
from cinema_cli.models.weights import TOY
from cinema_cli.progress import Progress, Stop
from cinema_cli.rendering.animators.animator import INTERLEAVED, Animator, Manner
from cinema_cli.rendering.animators.stock_wan import next_in_scene, plan_shots
from cinema_cli.rendering.film import assemble
from cinema_cli.rendering.subtitles import write_subtitles
from cinema_cli.rendering.video import ClipConfig, ClipWindow, clip_frames, plan_clips, told_caption
from cinema_cli.storyboard import MadeWith, Shot, Storyboard

RECORD_NAME = "render.json"
MAX_RECORD_BYTES = 1 << 16

NEARLY_LOSSLESS = 12
"""x264's rate factor for clips: what the film's own encoding takes away later is more."""


class StudioConfig(ClipConfig):
    """How clips are made, by which model, and which of them anew."""

    preset: str = "toy"
    """The preset that the other values came from; noted beside every clip."""
    model: str = TOY
    """The embedded weights, a folder, or a name on the hub (docs/models.md)."""
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
    config: StudioConfig
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
