"""Drawing keyframes: all jointly, or a window at a time with earlier ones as memory (appendix F, 3.2).

A model draws as many frames together as it was trained on.  A longer film is drawn in windows: the first
jointly, each later one beside frames that are known already and stand in it as nearly clean context.
When only some frames of a film are drawn again, the others are that context.

Shapes:  P pairs of a window   L image tokens   C channels of a token
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from pydantic import Field

from cinema_cli.config import Config
from cinema_cli.errors import CinemaError, InputError
from cinema_cli.models.captions import with_looks
from cinema_cli.models.flow_matching import schedule
from cinema_cli.models.pictures import Frame, is_flat
from cinema_cli.models.sampling import sample_keyframes
from cinema_cli.models.weights import KeyframeModels
from cinema_cli.runtime import generator
from cinema_cli.storyboard import Shot, Storyboard, tags


class DrawingConfig(Config):
    """How keyframes are drawn."""

    steps: Annotated[int, Field(ge=1, le=1000)] = 24
    """Sampling steps."""
    guidance: Annotated[float, Field(ge=0)] = 1.0
    """Scale of true guidance between captions and none; 1 for none, which costs half as much."""
    shift: Annotated[float, Field(gt=0)] = 1.5
    """Shift of the noise levels, the one of training."""
    text_length: Annotated[int, Field(ge=1, le=512)] = 96
    """Text tokens of a caption (T), as many as in training."""
    window: Annotated[int, Field(ge=2)] = 8
    """Frames that the model sees at once, known ones included: as many as it was trained on."""
    context_level: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Noise level of known frames (Fig. 9: small, not zero)."""
    repeat_looks: bool = True
    """Tell the model the look of everybody in every caption.  The storyboard's captions tell it once; a model
    that remembers a name alone too rarely is given the look each time, so that films stay consistent."""


@dataclass(frozen=True)
class Window:
    """Shots drawn together, and those that are known and help; ids in the order of the film."""

    drawn: tuple[str, ...]
    known: tuple[str, ...]


def told_caption(board: Storyboard, shot: Shot, config: DrawingConfig) -> str:
    """The words that the model is given for a shot."""
    return with_looks(shot.caption, board.cast) if config.repeat_looks else shot.caption


def plan_windows(board: Storyboard, stale: Set[str], size: int) -> list[Window]:
    """Windows that draw all stale shots, in the order in which they are to be drawn.

    At least half a window is new; the other half, and what new shots leave free, is for known ones.
    """
    pending = [shot.id for shot in board.shots if shot.id in stale]
    known = {shot.id for shot in board.shots} - set(pending)
    windows = []
    while pending:
        new = pending[: size - min(len(known), size // 2)]
        windows.append(Window(tuple(new), useful(board, new, known, size - len(new))))
        known |= set(new)
        pending = pending[len(new) :]
    return windows


def useful(board: Storyboard, new: Sequence[str], known: Set[str], room: int) -> tuple[str, ...]:
    """Known shots that help most: who and where appears in the new ones, then those that are nearest."""
    place = {shot.id: index for index, shot in enumerate(board.shots)}
    shots = {shot.id: shot for shot in board.shots}

    def near(id: str) -> tuple[bool, int]:
        """Earlier ones first, and the latest of them."""
        return place[id] > place[new[0]], abs(place[id] - place[new[0]])

    nearest = sorted(known, key=near)
    wanted = list(
        dict.fromkeys(thing for kind in (people, places) for id in new for thing in kind(shots[id]))
    )
    showing = {id: {*people(shots[id]), *places(shots[id])} for id in nearest}
    found = (next((id for id in nearest if thing in showing[id]), None) for thing in wanted)
    chosen = list(dict.fromkeys([*(id for id in found if id is not None), *nearest]))[:room]
    return tuple(sorted(chosen, key=place.__getitem__))


def people(shot: Shot) -> Iterator[str]:
    """Everybody whom a shot shows."""
    return (f"<{name}>" for name in tags(shot.caption))


def places(shot: Shot) -> Iterator[str]:
    """Where a shot plays, whatever the hour: *the library* of *the library at night*."""
    place = re.sub(r" (by|at|in the) \w+$", "", shot.scene)
    return iter([place] if place else [])


class KeyframeArtist:
    """Draws the frames of a window."""

    def __init__(self, models: KeyframeModels, frame_size: tuple[int, int], config: DrawingConfig) -> None:
        """Refuses a frame size that the model cannot draw."""
        patch = models.codec.patch
        if frame_size[0] % patch or frame_size[1] % patch:
            raise InputError(
                f"frame_size: sides that divide by {patch} were wanted, as the model draws, "
                f"found {frame_size[0]} x {frame_size[1]}. Change it in the storyboard."
            )
        self.models, self.config = models, config
        self.grid = models.codec.grid(frame_size)

    def cut(self, captions: Sequence[str]) -> list[int]:
        """Which captions are longer than the model reads."""
        return self.models.text.cut(list(captions))

    def draw(
        self,
        shots: Sequence[Shot],
        captions: Sequence[str],
        known: Mapping[str, Frame],
        on_step: Callable[[], None] = lambda: None,
    ) -> dict[str, Frame]:
        """Draw the shots of a window that are not known.

        Args:
            shots: the P shots of the window in the order of the film; each has a seed, that of its noise.
            captions: the words of each.
            known: by id, frames that are there already.
            on_step: called after every sampling step.

        Raises:
            CinemaError: a frame holds no picture.
        """
        models, config = self.models, self.config
        model = models.transformer
        size = (self.grid[0] * self.grid[1], model.config.in_channels)
        noise = torch.stack([torch.randn(size, generator=generator(shot.seed or 0)) for shot in shots])
        clean = {
            place: models.codec.encode(torch.from_numpy(known[shot.id])[None])[0]
            for place, shot in enumerate(shots)
            if shot.id in known
        }
        words = models.text.encode(list(captions))
        tokens = sample_keyframes(
            model,
            words,
            models.text.encode([""]) if config.guidance != 1 else words,
            noise.to(model.device, model.dtype),
            self.grid,
            schedule(config.steps, config.shift),
            config.guidance,
            clean,
            config.context_level,
            on_step,
        )
        new = [place for place in range(len(shots)) if place not in clean]
        frames = {}
        for place in new:
            id = shots[place].id
            if not tokens[place].isfinite().all():
                raise CinemaError(
                    f"Shot {id}: a picture was wanted, but the model gave numbers that are not finite. "
                    "Check its weights (cinema doctor), or lower guidance."
                )
            frames[id] = models.codec.decode(tokens[place][None], self.grid)[0].numpy()
            if is_flat(frames[id]):
                raise CinemaError(
                    f"Shot {id}: a picture was wanted, found nothing but the colour "
                    f"{np.array2string(frames[id][0, 0])}. Try another seed, or more steps."
                )
        return frames
