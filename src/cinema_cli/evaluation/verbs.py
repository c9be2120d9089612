"""Looks at clips of the theatre: which verb a figure's motion shows, and whether looks hold to the end.

The verb is found by synthesis: the shot is drawn anew with each of the four actions, and the one whose
motion, the difference to the first frame, is nearest to the clip's around the figure is the verb.  A clip
that does not move stands.

Shapes:  clips uint8 (F, H, W, 3)   F frames
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cinema_cli.evaluation.looks import Frames, Looks, see
from cinema_cli.theatre.draw import POSITIONS, draw_frame
from cinema_cli.theatre.world import ACTIONS, CLIP_FRAMES, CLIP_RATE, Action, MovieShot, StagedShot

CELL = 4
"""Motion is compared in cells of so many pixels: small blur counts little."""
REACH = 0.25
"""A figure's motion is looked for so far to both sides of where it first stood, in widths of the frame."""


def true_clip(staged: StagedShot, frames: int = CLIP_FRAMES) -> Frames:
    """A shot in motion as the theatre draws it."""
    return np.stack([draw_frame(staged, number / CLIP_RATE) for number in range(frames)])


def read_action(clip: Frames, staged: StagedShot, number: int) -> Action:
    """What figure ``number`` of a shot does in a clip of it."""
    seen, own = _motion(clip), staged.figures[number]
    columns = np.arange(seen.shape[2]) / seen.shape[2]
    near = np.abs(columns - POSITIONS[own.position]) < REACH

    def distance(action: Action) -> float:
        figures = list(staged.figures)
        figures[number] = replace(own, action=action)
        drawn = _motion(true_clip(replace(staged, figures=tuple(figures)), len(clip)))
        return float(np.abs(drawn - seen)[:, :, near].sum())

    return min(ACTIONS, key=distance)


def look_at_motion(shot: MovieShot, clip: Frames, ending: str = "") -> Looks:
    """Whether each figure does what its shot says, for all actions and for each."""
    looks: Looks = {}
    for number, figure in enumerate(shot.staged.figures):
        right = float(read_action(clip, shot.staged, number) == figure.action)
        looks.setdefault(f"motion{ending}", []).append(right)
        looks.setdefault(f"{figure.action}{ending}", []).append(right)
    return looks


def look_through(shot: MovieShot, clip: Frames, ending: str = "") -> Looks:
    """Whether coat and hat of each figure are right in every frame."""
    if not shot.staged.figures:
        return {}
    seen = [see(shot, frame) for frame in clip]
    return {
        f"coat clip{ending}": _always([one.coats for one in seen]),
        f"hat clip{ending}": _always([one.hats for one in seen]),
    }


def _always(frames: Sequence[Sequence[bool]]) -> list[float]:
    """1 for each figure that is right in all frames."""
    return [float(all(figure)) for figure in zip(*frames, strict=True)]


def _motion(clip: Frames) -> NDArray[np.float32]:
    """The difference of every frame to the first, in cells: (F - 1, H, W, 3)."""
    frames, height, width, _ = clip.shape
    cells = clip.reshape(frames, height // CELL, CELL, width // CELL, CELL, 3).astype(np.float32)
    small = cells.mean(axis=(2, 4))
    motion: NDArray[np.float32] = small[1:] - small[0]
    return motion
