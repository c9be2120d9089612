"""A staged shot as a picture: scenery behind, puppets before it, lit by a stage lamp.

The same arguments give the same pixels.  The scenery of a place depends on its layout, the hour
and the framing only, and is kept, so that the frames of a clip cost little more than their puppets.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw

from cinema_cli.errors import InputError
from cinema_cli.theatre.puppets import draw_puppet, pose
from cinema_cli.theatre.scenery import kept_scenery
from cinema_cli.theatre.world import FRAME_SIZE, Build, Figure, Position, ShotSize, StagedShot

SUPERSAMPLING = 2
"""Pictures are drawn at this factor and averaged down: smooth edges at the price of one reduction."""

POSITIONS: dict[Position, float] = {"left": 0.27, "middle": 0.50, "right": 0.73}
"""Where a figure stands at the first frame, in widths of the frame."""

_CAMERA: dict[ShotSize, tuple[float, float]] = {
    "wide": (0.62, 0.945),
    "medium": (0.98, 1.06),
    "close-up": (1.45, 1.54),
}
"""Per framing: heights of the frame to a puppet unit, and where a tall puppet's feet are (lower edge: 1)."""

_CROUCH: dict[ShotSize, float] = {"wide": 0.0, "medium": 0.0, "close-up": 0.23}
"""How much the camera of a close-up comes down to a short puppet, in heights of the frame."""

_HOP_SCALE = 0.62
"""Hops are as high in every framing as in a wide one, so that a close-up keeps its hat in the picture."""


def draw_frame(
    shot: StagedShot, seconds: float = 0.0, size: tuple[int, int] = FRAME_SIZE
) -> NDArray[np.uint8]:
    """Draws a shot at ``seconds`` from its start: (H, W, 3).

    Args:
        shot: What is staged.
        seconds: Time since the shot began; actions repeat or go on for two seconds.
        size: Height and width in pixels, 1:2.
    """
    height, width = size
    if width != 2 * height or height < 1:
        raise InputError(
            f"a frame is drawn twice as wide as high, found {height}x{width}; ask for HEIGHTx{{2 HEIGHT}}"
        )
    large = (width * SUPERSAMPLING, height * SUPERSAMPLING)
    scenery, shadow = kept_scenery(shot.place, shot.time, shot.size, large)
    picture = scenery.copy()
    canvas = ImageDraw.Draw(picture)
    for figure in shot.figures:
        draw_figure(canvas, figure, shot.size, seconds, large, shadow)
    return np.asarray(picture.reduce(SUPERSAMPLING))


def draw_figure(
    canvas: ImageDraw.ImageDraw,
    figure: Figure,
    size: ShotSize,
    seconds: float,
    large: tuple[int, int],
    shadow: tuple[int, int, int],
) -> None:
    """Draws one figure where its shot has it at ``seconds``; ``large`` is width and height in pixels."""
    width, height = large
    scale, ground = _CAMERA[size]
    build: Build = figure.puppet.build
    if build == "short":
        ground -= _CROUCH[size]
    held = pose(figure.action, seconds)
    x = POSITIONS[figure.position] + held.travel * (1 if figure.facing == "right" else -1)
    rise = held.rise * min(scale, _HOP_SCALE) * height
    draw_puppet(canvas, figure, held, scale * height, rise, (x * width, ground * height), shadow)
