"""Where keyframes are drawn and kept: what is stale, what each remembers, every picture saved at once.

A keyframe is drawn again when its own inputs changed: its words with the looks in them, its seed, the
weights, how it is sampled, the portraits that it is drawn beside.  That frames it remembers changed does not
make it stale, else one picture drawn anew would redraw the film; it is told, and done on request.  A picture
without ``keyframe_made_with`` was put there by a person and stays.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cinema_cli import __version__
from cinema_cli.context.goldenmem import Grid
from cinema_cli.errors import Interrupted
from cinema_cli.fields import inside
from cinema_cli.files import sha256_file, sha256_json
from cinema_cli.models.pictures import Frame, read_picture, write_picture
from cinema_cli.models.weights import TOY
from cinema_cli.planning.introductions import introductions
from cinema_cli.planning.keyframes import DrawingConfig, MemoryFrame, told_caption
from cinema_cli.planning.portraits import portrait_sha256, read_portrait
from cinema_cli.planning.recall import Recall, RecallConfig, Recalled
from cinema_cli.planning.windows import Window, WindowConfig
from cinema_cli.progress import Progress, Stop
from cinema_cli.storyboard import CastMember, MadeWith, Remembered, Shot, Storyboard

if TYPE_CHECKING:
    from cinema_cli.planning.artists.artist import Artist


class DeskConfig(DrawingConfig, WindowConfig, RecallConfig):
    """How keyframes are drawn, together with which, beside what."""

    preset: str = "toy"
    """The preset that the other values came from; noted beside every picture."""
    model: str = TOY
    """The embedded weights, or a folder that holds ``keyframes/`` and perhaps ``clip/`` and ``video/``."""
    redo: tuple[str, ...] = ()
    """Shots to draw anew with another seed; with ``seed``, that one is theirs alone."""


@dataclass(frozen=True)
class Desk:
    """A folder, a config and the weights."""

    out: Path
    config: DeskConfig
    weights_sha256: str
    backend: str | None = None
    """What draws, where it is not the paper's own model."""

    def stale(self, board: Storyboard) -> set[str]:
        """Shots without a keyframe, or whose keyframe was made from other inputs; the others are checked.

        Raises:
            InputError: a keyframe that is to be kept cannot be read, or a person's own is gone.
        """
        found = set()
        for shot in board.shots:
            if shot.keyframe is None or self._remade(board, shot):
                found.add(shot.id)
            else:
                self._read(board, shot)
        return found

    def _remade(self, board: Storyboard, shot: Shot) -> bool:
        """Whether a picture that was drawn here is gone, or would now be drawn from other inputs."""
        made = shot.keyframe_made_with
        if made is None:  # a person's own: never made again, only missed
            return False
        now = (self.weights_sha256, self.inputs(board, shot))
        return (made.weights_sha256, made.inputs_sha256) != now or not self._path(shot).is_file()

    def inputs(self, board: Storyboard, shot: Shot) -> str:
        """One hash for everything that makes this picture what it is, but the weights and its memory."""
        config = self.config
        return sha256_json(
            {
                "caption": told_caption(board, shot, config),
                "seed": shot.seed,
                "frame_size": board.frame_size,
                "steps": config.steps,
                **self._guidance_inputs(),
                "shift": config.shift,
                "text_length": config.text_length,
                # Left out where it is FLUX's own, so that older storyboards need no new pictures.
                **({} if config.text_padding == "encoded" else {"text_padding": config.text_padding}),
                **({} if config.embedded_guidance == 3.5 else {"embedded": config.embedded_guidance}),
                **self._editor_inputs(),
                **self._portrait_inputs(board, shot),
            }
        )

    def _guidance_inputs(self) -> dict[str, object]:
        """How far guidance reaches counts only where it ends early."""
        config = self.config
        ends = {} if config.guidance == 1 or not config.guidance_above else {"above": config.guidance_above}
        return {"guidance": config.guidance, **ends}

    def _portrait_inputs(self, board: Storyboard, shot: Shot) -> dict[str, object]:
        """What counts beside that for a shot that is drawn beside portraits."""
        members = self._portrayed(board, shot)
        told = [(m.portrait.caption, portrait_sha256(self.out, m)) for m in members if m.portrait]
        return {"portraits": told} if told else {}

    def _portrayed(self, board: Storyboard, shot: Shot) -> tuple[CastMember, ...]:
        """Whose portraits a shot is drawn beside; where all is drawn jointly, nobody's."""
        return () if self.config.mode == "joint" else board.portrayed(shot)

    def _editor_inputs(self) -> dict[str, object]:
        """What counts beside that for an editor."""
        if self.backend is None:
            return {}
        config = self.config
        return {
            "backend": self.backend,
            "references": config.memory.capacity((1, 1)),
            "instruction": config.instruction,
            "negative": config.negative,
        }

    def draw_all(
        self,
        board: Storyboard,
        windows: Sequence[Window],
        artist: "Artist",
        recall: Recall | None,
        stop: Stop,
        progress: Progress,
    ) -> Storyboard:
        """Draw window after window, until all are done or a signal asks to stop.

        Raises:
            InputError: what a shot pins cannot be remembered.
            Interrupted: stopped between two windows.
        """
        pending = {id for window in windows for id in window.drawn}
        if recall is not None:
            for shot in board.shots:
                if shot.id not in pending:
                    recall.learn(board, shot, self._read(board, shot))
        task = progress.task("drawing keyframes", len(windows) * self.config.steps, "steps")
        for number, window in enumerate(windows):
            if stop.requested:
                done = sum(len(w.drawn) for w in windows[:number])
                again = "The same command, without --redo," if self.config.redo else "The same command"
                raise Interrupted(f"{done} keyframes were drawn. {again} draws the others.")
            board, frames = self.draw(board, window, artist, recall, task.advance)
            if recall is not None:
                for id, frame in frames.items():
                    recall.learn(board, board.shot(id), frame)
        return board

    def draw(
        self,
        board: Storyboard,
        window: Window,
        artist: "Artist",
        recall: Recall | None,
        on_step: Callable[[], None] = lambda: None,
    ) -> tuple[Storyboard, dict[str, Frame]]:
        """Draw a window, keep its pictures, and save the storyboard that names them."""
        new = [board.shot(id) for id in window.drawn]
        recalled, portraits, context = self._remembered(board, new, recall if window.remembers else None)
        members = {*window.drawn, *recalled.grids}
        frames = artist.draw(
            new,
            [told_caption(board, shot, self.config) for shot in new],
            [*portraits, *self._memory(board, recalled)],
            [
                *(each.shot.id for each in portraits),
                *(shot.id for shot in board.shots if shot.id in members),
            ],
            on_step,
        )
        for id, frame in frames.items():
            name = f"keyframes/{id}.png"
            write_picture(inside(self.out, name), frame)
            made = MadeWith(
                model=Path(self.config.model).name,
                weights_sha256=self.weights_sha256,
                inputs_sha256=self.inputs(board, board.shot(id)),
                preset=self.config.preset,
                version=__version__,
                backend=self.backend,
            )
            board = board.with_shot(id, keyframe=name, keyframe_made_with=made, context=context)
        board.save(self.out)
        return board, frames

    def _remembered(
        self, board: Storyboard, new: Sequence[Shot], recall: Recall | None
    ) -> tuple[Recalled, list[MemoryFrame], tuple[Remembered, ...]]:
        """What shots that are drawn together remember: of the film, portraits, and all as it is told."""
        if recall is None:
            return Recalled((), {}), [], ()
        shown = self._portrayed(board, new[0])  # the others have the same (``windows``)
        recalled = recall.choose(board, new, len(shown), introductions(board, new, self.config))
        portraits = [self._portrait(board, member, recall.largest) for member in shown]
        told = [
            Remembered(
                shot=member.portrait.shot,
                portrait_of=member.name,
                film=member.portrait.film,
                why="pin",
                short_side_tokens=min(recall.largest),
                picture_sha256=portrait_sha256(self.out, member),
            )
            for member in shown
            if member.portrait
        ]
        seen = [
            each.model_copy(update={"picture_sha256": sha256_file(self._path(board.shot(each.shot)))})
            for each in recalled.context
        ]
        return recalled, portraits, (*told, *seen)

    def _portrait(self, board: Storyboard, member: CastMember, grid: Grid) -> MemoryFrame:
        """A portrait as a frame of a shot before the film: its noise is its picture's own."""
        assert member.portrait is not None
        sha256 = portrait_sha256(self.out, member)
        before = Shot(
            id=f"portrait-{sha256_json([member.name, sha256])[:16]}",  # no shot of the film is called so
            caption=member.portrait.caption,
            duration="1",
            seed=int(sha256[:8], 16),
        )
        return MemoryFrame(before, before.caption, read_portrait(self.out, member, board.frame_size), grid)

    def _memory(self, board: Storyboard, recalled: Recalled) -> list[MemoryFrame]:
        remembered = [board.shot(each.shot) for each in recalled.context]
        return [
            MemoryFrame(
                shot, told_caption(board, shot, self.config), self._read(board, shot), recalled.grids[shot.id]
            )
            for shot in remembered
        ]

    def outdated(self, board: Storyboard) -> dict[str, list[str]]:
        """By shot, the shots that it remembers as pictures which were drawn anew since."""
        remembered = {each.shot for shot in board.shots for each in _of_the_film(shot)}
        now = {
            shot.id: sha256_file(self._path(shot))
            for shot in board.shots
            if shot.id in remembered and shot.keyframe and self._path(shot).is_file()
        }
        found = {
            shot.id: [
                each.shot
                for each in _of_the_film(shot)
                if each.picture_sha256 and now.get(each.shot, each.picture_sha256) != each.picture_sha256
            ]
            for shot in board.shots
        }
        return {id: others for id, others in found.items() if others}

    def to_refresh(self, board: Storyboard, stale: Set[str]) -> set[str]:
        """What is stale, and what remembers it or a picture that is gone, and what remembers that."""
        found = {*stale, *self.outdated(board)}
        while more := {
            shot.id
            for shot in board.shots
            if shot.id not in found and any(each.shot in found for each in _of_the_film(shot))
        }:
            found |= more
        return found

    def _path(self, shot: Shot) -> Path:
        return inside(self.out, str(shot.keyframe))

    def _read(self, board: Storyboard, shot: Shot) -> Frame:
        again = f"It is the keyframe of shot {shot.id}. Draw it again: cinema plan with --redo {shot.id}"
        return read_picture(self._path(shot), board.frame_size, again)


def _of_the_film(shot: Shot) -> tuple[Remembered, ...]:
    """What a shot remembers but for portraits, whose ids are another film's."""
    return tuple(each for each in shot.context if each.portrait_of is None)
