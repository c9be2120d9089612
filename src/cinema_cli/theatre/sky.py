"""The sky over a backdrop: bands of colour, sun or moon, clouds or stars."""

from collections.abc import Callable
from math import cos, pi, sin
from random import Random
from typing import TypeAlias

from cinema_cli.theatre.palette import RGB, SKIES
from cinema_cli.theatre.pen import Pen
from cinema_cli.theatre.world import TimeOfDay

Backdrop: TypeAlias = Callable[[Pen, TimeOfDay, Random], RGB]
"""Paints one set in scenery units (x 0..2, y 0..1) and returns the colour of shadows on its ground.

Everything random is drawn in the same order at every hour, so that the hour never moves a tree.
"""

WINDOW_LIGHT: RGB = (255, 214, 112)
MOON: RGB = (242, 240, 214)


def sky(pen: Pen, time: TimeOfDay, random: Random, horizon: float) -> None:
    """Three bands of sky, the sun or the moon, and clouds by day or stars by night."""
    side = random.choice((-1, 1))
    x = 1.0 + side * random.uniform(0.24, 0.5)
    clouds = [
        (random.uniform(0.1, 1.9), random.uniform(0.10, 0.26), random.uniform(0.8, 1.3)) for _ in range(3)
    ]
    top, middle, low = SKIES[time]
    pen.box(-1, -1, 3, horizon, top)
    pen.box(-1, 0.2, 3, horizon, middle)
    pen.box(-1, 0.38, 3, horizon, low)
    if time == "day":
        pen.oval(x, 0.2, 0.085, 0.085, (255, 238, 140))
    elif time == "sunset":
        pen.oval(x, horizon - 0.13, 0.15, 0.15, (255, 236, 150))
    else:
        crescent(pen, x, 0.2, 0.09, side)
        for cx, cy, _ in clouds:
            pen.oval(cx, cy, 0.012, 0.012, (240, 240, 220))
            pen.oval(2 - cx, cy + 0.1, 0.009, 0.009, (210, 214, 230))
        return
    for cx, cy, scale in clouds:
        white = (255, 255, 255) if time == "day" else (255, 208, 172)
        for dx, r in ((-0.075, 0.034), (0.0, 0.05), (0.075, 0.036)):
            pen.oval(cx + dx * scale, cy, r * scale * 1.5, r * scale, white)


def crescent(pen: Pen, x: float, y: float, r: float, side: int) -> None:
    """A sickle moon, open towards ``side``."""
    arc = [(r * sin(pi * i / 16), r * cos(pi * i / 16)) for i in range(17)]
    outer = [(x - side * (dx - 0.3 * r), y - dy) for dx, dy in arc]
    inner = [(x - side * (0.22 * dx - 0.3 * r), y - dy) for dx, dy in reversed(arc)]
    pen.shape(outer + inner, MOON)
