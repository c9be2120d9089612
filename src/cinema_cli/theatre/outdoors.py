"""Backdrops under an open sky: forest, beach, castle, city, desert, snowfield, harbour, farm, space.

Each function paints one set with a pen in scenery units (x 0..2, y 0..1, ground below the horizon)
and returns the colour of shadows on its ground.  Everything random is drawn before anything is
painted in a way that depends on the hour, so that the hour never moves a tree.
"""

from collections.abc import Callable
from math import cos, pi, sin
from random import Random
from typing import TypeAlias

from cinema_cli.theatre.palette import RGB, SKIES, lit, shaded
from cinema_cli.theatre.pen import Pen
from cinema_cli.theatre.world import SetName, TimeOfDay

Backdrop: TypeAlias = Callable[[Pen, TimeOfDay, Random], RGB]

WINDOW_LIGHT: RGB = (255, 214, 112)
MOON: RGB = (242, 240, 214)


def sky(pen: Pen, time: TimeOfDay, random: Random, horizon: float, tint: RGB | None = None) -> None:
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


def hills(pen: Pen, random: Random, colour: RGB, base: float, height: float) -> None:
    """Three round hills behind the ground."""
    for i in range(3):
        x = 0.25 + 0.75 * i + random.uniform(-0.22, 0.22)
        pen.oval(x, base, random.uniform(0.4, 0.62), height * random.uniform(0.6, 1.3), colour)


def pine(pen: Pen, x: float, base: float, height: float, leaf: RGB, trunk: RGB) -> None:
    """A tree of three stacked triangles."""
    width = height * 0.32
    pen.box(x - height * 0.045, base - height * 0.25, x + height * 0.045, base, trunk)
    for i in range(3):
        low, w = base - height * (0.14 + 0.24 * i), width * (1 - 0.24 * i)
        tone = shaded(leaf, 1 + 0.10 * i)
        pen.shape(((x - w, low), (x + w, low), (x, low - height * 0.40)), tone)


def forest(pen: Pen, time: TimeOfDay, random: Random) -> RGB:
    """Pines near and far over mossy ground."""
    horizon = 0.66
    sky(pen, time, random, horizon)
    leaf = random.choice(((38, 122, 74), (74, 134, 52), (28, 112, 104)))
    far, trunk = lit(shaded(leaf, 0.78), time), lit((110, 74, 52), time)
    shift, slots = random.uniform(0, 0.3), 7
    for i in range(slots):
        pine(pen, 0.3 * i + shift - 0.1, horizon + 0.02, random.uniform(0.3, 0.46), far, trunk)
    pen.box(-1, horizon, 3, 2, lit((104, 152, 74), time))
    near = random.sample((0.14, 0.5, 0.78, 1.24, 1.5, 1.88), 4)
    for x in near:
        x, height = x + random.uniform(-0.06, 0.06), random.uniform(0.52, 0.74)
        pine(pen, x, horizon + 0.08, height, lit(leaf, time), trunk)
    pen.oval(random.uniform(0.3, 1.7), 0.95, 0.7, 0.13, lit((122, 168, 82), time))
    return lit((72, 112, 56), time)


def beach(pen: Pen, time: TimeOfDay, random: Random) -> RGB:
    """Sea to the horizon, sand, a palm and a striped parasol."""
    horizon = 0.46
    sky(pen, time, random, horizon)
    side, boat = random.choice((-1, 1)), random.uniform(0.6, 1.4)
    pen.box(-1, horizon, 3, 1, lit((22, 132, 178), time))
    pen.box(-1, 0.55, 3, 1, lit((58, 176, 196), time))
    sail = lit(random.choice(((255, 250, 240), (236, 120, 96), (250, 206, 96))), time)
    pen.shape(
        ((boat - 0.1, 0.465), (boat + 0.1, 0.465), (boat + 0.07, 0.5), (boat - 0.07, 0.5)),
        lit((120, 70, 50), time),
    )
    pen.shape(((boat, 0.29), (boat, 0.45), (boat + 0.11, 0.45)), sail)
    edge = random.uniform(-0.05, 0.05)
    foam, sand = lit((238, 248, 244), time), lit((240, 212, 148), time)
    pen.shape(((-1, 0.66 + edge), (0.6, 0.63), (1.4, 0.67), (3, 0.62 - edge), (3, 2), (-1, 2)), foam)
    pen.shape(((-1, 0.69 + edge), (0.6, 0.66), (1.4, 0.70), (3, 0.65 - edge), (3, 2), (-1, 2)), sand)
    _palm(pen, 1 + side * random.uniform(0.42, 0.85), side, random.uniform(0.8, 1.1), time)
    _parasol(
        pen,
        1 - side * random.uniform(0.4, 0.85),
        random.choice(((232, 92, 84), (64, 150, 190), (96, 170, 110))),
        time,
    )
    return lit((204, 172, 112), time)


def _palm(pen: Pen, x: float, side: int, tall: float, time: TimeOfDay) -> None:
    top_x, top_y = x - 0.13 * side, 0.76 - 0.50 * tall
    pen.shape(
        ((x - 0.04, 0.78), (x + 0.04, 0.78), (top_x + 0.02, top_y), (top_x - 0.02, top_y)),
        lit((150, 104, 66), time),
    )
    for turn in (-0.15, 0.25, 0.75, 1.15):
        dx, dy = 0.24 * cos(pi * turn), -0.13 * sin(pi * turn)
        leaf = (
            (0, -0.03),
            (dx * 0.6, dy * 1.4 - 0.04),
            (dx, dy + 0.05),
            (dx * 0.5, dy * 0.6 + 0.03),
            (0, 0.03),
        )
        pen.shape([(top_x + u, top_y + v) for u, v in leaf], lit((58, 150, 76), time))


def _parasol(pen: Pen, x: float, stripe: RGB, time: TimeOfDay) -> None:
    pen.box(x - 0.012, 0.5, x + 0.012, 0.84, lit((244, 236, 220), time))
    for i in range(4):
        left, right = -0.2 + 0.1 * i, -0.1 + 0.1 * i
        colour = lit(stripe if i % 2 else (250, 244, 232), time)
        pen.shape(
            ((x + left, 0.6), (x + right, 0.6), (x + right * 0.45, 0.49), (x + left * 0.45, 0.49)), colour
        )


def castle(pen: Pen, time: TimeOfDay, random: Random) -> RGB:
    """A stone castle with coned towers and flags on a meadow."""
    horizon = 0.68
    sky(pen, time, random, horizon)
    hills(pen, random, lit((124, 170, 128), time), horizon, 0.16)
    wall = random.choice(((176, 170, 190), (204, 186, 160), (150, 164, 168)))
    stone, dark = lit(wall, time), lit(shaded(wall, 0.78), time)
    roof = lit(random.choice(((92, 86, 150), (160, 82, 92), (56, 118, 128))), time)
    middle = random.uniform(0.62, 1.38)
    pen.box(middle - 0.5, 0.40, middle + 0.5, horizon + 0.02, stone)
    for i in range(7):
        pen.box(middle - 0.5 + 0.15 * i, 0.36, middle - 0.4 + 0.15 * i, 0.42, stone)
    for x in (-0.5, -0.2, 0.2, 0.5):
        top, w = random.uniform(0.18, 0.36), random.uniform(0.075, 0.1)
        _tower(pen, middle + x, top, w, horizon + 0.03, dark, roof, time)
    gate = lit((74, 58, 70), time)
    pen.oval(middle, 0.56, 0.085, 0.09, gate)
    pen.box(middle - 0.085, 0.56, middle + 0.085, 0.72, gate)
    pen.box(-1, horizon, 3, 2, lit((132, 186, 92), time))
    road = lit((222, 200, 150), time)
    bend = random.uniform(-0.5, 0.5)
    pen.shape(
        (
            (middle - 0.085, horizon),
            (middle + 0.085, horizon),
            (middle + bend + 0.4, 1.3),
            (middle + bend - 0.4, 1.3),
        ),
        road,
    )
    return lit((100, 142, 74), time)


def _tower(
    pen: Pen, x: float, top: float, w: float, base: float, wall: RGB, roof: RGB, time: TimeOfDay
) -> None:
    pen.box(x - w, top, x + w, base, wall)
    pen.shape(((x - w * 1.35, top + 0.01), (x + w * 1.35, top + 0.01), (x, top - 0.19)), roof)
    pane = WINDOW_LIGHT if time == "night" else lit((80, 72, 100), time)
    pen.oval(x, top + 0.1, 0.026, 0.04, pane)


def city(pen: Pen, time: TimeOfDay, random: Random) -> RGB:
    """Tall houses with big windows along a street."""
    horizon = 0.74
    sky(pen, time, random, horizon)
    x = random.uniform(-0.7, -0.5)
    walls = [(196, 116, 98), (116, 134, 160), (214, 176, 128), (104, 142, 138), (168, 128, 158)]
    random.shuffle(walls)
    pen.box(-1, 0.45, 3, horizon, lit((150, 168, 190), time))
    for i in range(9):
        width, top = random.uniform(0.26, 0.38), random.uniform(0.10, 0.42)
        lights = [random.random() < 0.6 for _ in range(12)]
        _house(pen, x, width, top, horizon, walls[i % 5], lights, time)
        x += width + 0.02
    pen.box(-1, horizon, 3, 2, lit((200, 194, 192), time))
    pen.box(-1, 0.82, 3, 2, lit((106, 106, 122), time))
    dash = random.uniform(0, 0.4)
    for i in range(-2, 8):
        pen.box(0.4 * i + dash, 0.955, 0.4 * i + dash + 0.2, 0.98, lit((236, 228, 190), time))
    return lit((72, 72, 88), time)


def _house(
    pen: Pen, x: float, width: float, top: float, base: float, wall: RGB, lights: list[bool], time: TimeOfDay
) -> None:
    pen.box(x, top, x + width, base, lit(wall, time))
    pen.box(x - 0.012, top - 0.012, x + width + 0.012, top + 0.02, lit(shaded(wall, 0.7), time))
    dark, pane = lit(shaded(wall, 0.62), time), width * 0.22
    for i, light in enumerate(lights):
        row, column = divmod(i, 2)
        left, high = x + width * (0.2 + 0.38 * column), top + 0.06 + 0.125 * row
        if high + 0.08 < base - 0.03:
            colour = WINDOW_LIGHT if light and time != "day" else dark
            pen.box(left, high, left + pane, high + 0.075, colour)


def desert(pen: Pen, time: TimeOfDay, random: Random) -> RGB:
    """Dunes, mesas and cacti."""
    horizon = 0.60
    sky(pen, time, random, horizon)
    mesa = lit((198, 106, 74), time)
    for x in (random.uniform(0.1, 0.6), random.uniform(0.85, 1.2), random.uniform(1.4, 1.9)):
        w, top = random.uniform(0.12, 0.24), random.uniform(0.3, 0.46)
        pen.shape(((x - w, top), (x + w, top), (x + w + 0.08, horizon), (x - w - 0.08, horizon)), mesa)
        pen.shape(
            ((x - w, top), (x + w, top), (x + w + 0.012, top + 0.045), (x - w - 0.012, top + 0.045)),
            lit((226, 140, 96), time),
        )
    pen.box(-1, horizon, 3, 2, lit((236, 182, 104), time))
    dune = random.uniform(0.2, 1.8)
    pen.oval(dune, 0.86, 0.95, 0.2, lit((246, 200, 124), time))
    pen.oval(2 - dune, 1.0, 0.9, 0.2, lit((226, 166, 90), time))
    for x in random.sample((0.2, 0.62, 1.38, 1.8), 2):
        _cactus(pen, x + random.uniform(-0.08, 0.08), random.uniform(0.24, 0.36), time)
    return lit((186, 132, 72), time)


def _cactus(pen: Pen, x: float, tall: float, time: TimeOfDay) -> None:
    green, base = lit((82, 140, 88), time), 0.76
    pen.stroke(((x, base), (x, base - tall)), green, 0.075)
    pen.stroke(
        ((x, base - tall * 0.4), (x - 0.1, base - tall * 0.4), (x - 0.1, base - tall * 0.75)), green, 0.05
    )
    pen.stroke(
        ((x, base - tall * 0.55), (x + 0.1, base - tall * 0.55), (x + 0.1, base - tall * 0.9)), green, 0.05
    )


def snowfield(pen: Pen, time: TimeOfDay, random: Random) -> RGB:
    """White ground, peaks, snowy pines and a snowman."""
    horizon = 0.64
    sky(pen, time, random, horizon)
    for i in range(3):
        x, top, w = (
            0.2 + 0.78 * i + random.uniform(-0.2, 0.2),
            random.uniform(0.22, 0.4),
            random.uniform(0.4, 0.52),
        )
        slope = w / (horizon - top)
        pen.shape(((x - w, horizon), (x, top), (x + w, horizon)), lit((136, 164, 200), time))
        cap = 0.11
        pen.shape(
            ((x - slope * cap, top + cap), (x, top), (x + slope * cap, top + cap), (x, top + cap * 0.6)),
            lit((250, 252, 255), time),
        )
    pen.box(-1, horizon, 3, 2, lit((226, 236, 246), time))
    pen.oval(random.uniform(0.2, 1.8), 0.9, 0.9, 0.16, lit((246, 250, 254), time))
    for x in random.sample((0.15, 0.55, 1.45, 1.85), 2):
        pine(
            pen,
            x + random.uniform(-0.08, 0.08),
            0.76,
            random.uniform(0.34, 0.5),
            lit((96, 148, 160), time),
            lit((104, 84, 84), time),
        )
    man = 1 + random.choice((-1, 1)) * random.uniform(0.2, 0.7)
    snow, coal = lit((255, 255, 255), time), lit((60, 56, 72), time)
    for y, r in ((0.74, 0.085), (0.62, 0.06)):
        pen.oval(man, y, r, r, snow, lit((170, 186, 210), time), 0.014)
    pen.box(man - 0.045, 0.5, man + 0.045, 0.575, coal)
    pen.box(man - 0.07, 0.56, man + 0.07, 0.58, coal)
    pen.shape(((man, 0.61), (man, 0.64), (man + 0.08, 0.63)), lit((240, 140, 60), time))
    return lit((172, 188, 212), time)


def harbour(pen: Pen, time: TimeOfDay, random: Random) -> RGB:
    """A lighthouse, moored boats and a wooden pier."""
    horizon = 0.52
    sky(pen, time, random, horizon)
    side = random.choice((-1, 1))
    pen.box(-1, horizon, 3, 1, lit((42, 96, 142), time))
    pen.box(-1, 0.64, 3, 1, lit((54, 116, 160), time))
    _lighthouse(pen, 1 + side * random.uniform(0.38, 0.75), random.uniform(0.14, 0.26), time)
    for i, x in enumerate((-0.62, 0.02)):
        hull = random.choice(((176, 72, 66), (64, 130, 120), (222, 178, 92)))
        _boat(
            pen,
            1 + side * (x + random.uniform(-0.12, 0.12)),
            0.62 + 0.03 * i,
            random.uniform(0.85, 1.2),
            hull,
            time,
        )
    wood, gap = lit((172, 122, 82), time), lit((128, 86, 60), time)
    for x in (0.1, 0.7, 1.3, 1.9):
        pen.box(x - 0.035, 0.72, x + 0.035, 1.0, gap)
    pen.box(-1, 0.78, 3, 2, wood)
    for y in (0.84, 0.92):
        pen.box(-1, y, 3, y + 0.014, gap)
    return lit((120, 80, 54), time)


def _lighthouse(pen: Pen, x: float, top: float, time: TimeOfDay) -> None:
    base = 0.55
    pen.oval(x, base + 0.02, 0.3, 0.08, lit((110, 108, 112), time))
    height = base - top
    for i in range(4):
        low, high = base - height * i / 4, base - height * (i + 1) / 4
        w0, w1 = 0.1 - 0.012 * i, 0.1 - 0.012 * (i + 1)
        colour = lit((206, 74, 70) if i % 2 else (246, 240, 232), time)
        pen.shape(((x - w0, low), (x + w0, low), (x + w1, high), (x - w1, high)), colour)
    lamp = WINDOW_LIGHT if time != "day" else (214, 226, 226)
    pen.box(x - 0.045, top - 0.065, x + 0.045, top, lamp)
    pen.shape(((x - 0.07, top - 0.06), (x + 0.07, top - 0.06), (x, top - 0.13)), lit((150, 52, 58), time))


def _boat(pen: Pen, x: float, y: float, scale: float, hull: RGB, time: TimeOfDay) -> None:
    s = scale
    pen.box(x - 0.012, y - 0.3 * s, x + 0.012, y, lit((110, 78, 58), time))
    pen.shape(
        ((x + 0.02, y - 0.3 * s), (x + 0.02, y - 0.05), (x + 0.15 * s, y - 0.05)), lit((250, 244, 230), time)
    )
    pen.shape(
        ((x - 0.03, y - 0.24 * s), (x - 0.03, y - 0.05), (x - 0.12 * s, y - 0.05)), lit((232, 220, 200), time)
    )
    pen.shape(
        (
            (x - 0.19 * s, y - 0.03),
            (x + 0.21 * s, y - 0.03),
            (x + 0.14 * s, y + 0.06),
            (x - 0.14 * s, y + 0.06),
        ),
        lit(hull, time),
    )


def farm(pen: Pen, time: TimeOfDay, random: Random) -> RGB:
    """A red barn with a silo, striped fields and haystacks."""
    horizon = 0.58
    sky(pen, time, random, horizon)
    hills(pen, random, lit((150, 186, 98), time), horizon, 0.12)
    side = random.choice((-1, 1))
    fan = random.uniform(-0.4, 0.4)
    pen.box(-1, horizon, 3, 2, lit((196, 180, 88), time))
    for i in range(-4, 5):
        x = 1 + fan * 0.3 + 0.3 * i
        far, near = x, 1 + fan + 0.9 * i
        pen.shape(
            ((far, horizon), (far + 0.15, horizon), (near + 0.45, 1.4), (near, 1.4)),
            lit((158, 166, 72), time),
        )
    barn = 1 - side * random.uniform(0.2, 0.6)
    _barn(pen, barn, side, random.uniform(0.9, 1.15), time)
    for x in (0.45, 0.8):
        hay, r = 1 + side * (x + random.uniform(-0.1, 0.1)), random.uniform(0.1, 0.14)
        pen.oval(hay, 0.69, r, r * 0.95, lit((226, 186, 84), time), lit((180, 138, 58), time), 0.018)
    return lit((136, 128, 58), time)


def _barn(pen: Pen, x: float, side: int, s: float, time: TimeOfDay) -> None:
    red, roof, white = lit((176, 62, 58), time), lit((104, 82, 86), time), lit((248, 240, 228), time)
    silo, base = x - side * 0.38 * s, 0.68
    pen.box(silo - 0.08 * s, base - 0.4 * s, silo + 0.08 * s, base, lit((190, 196, 204), time))
    pen.oval(silo, base - 0.4 * s, 0.08 * s, 0.06 * s, roof)
    pen.box(x - 0.25 * s, base - 0.26 * s, x + 0.25 * s, base, red)
    gable = ((x - 0.29 * s, base - 0.25 * s), (x - 0.19 * s, base - 0.4 * s), (x, base - 0.48 * s),
             (x + 0.19 * s, base - 0.4 * s), (x + 0.29 * s, base - 0.25 * s))  # fmt: skip
    pen.shape(gable, roof)
    pen.shape([(x + (px - x) * 0.78, py + 0.035 * s) for px, py in gable], red)
    pen.box(x - 0.1 * s, base - 0.19 * s, x + 0.1 * s, base, white)
    pen.box(x - 0.075 * s, base - 0.165 * s, x + 0.075 * s, base, lit((128, 40, 44), time))
    pen.oval(x, base - 0.31 * s, 0.04 * s, 0.04 * s, WINDOW_LIGHT if time == "night" else white)


_VOID: dict[TimeOfDay, tuple[RGB, RGB]] = {
    "day": ((62, 66, 140), (96, 104, 186)),
    "sunset": ((92, 34, 92), (160, 62, 110)),
    "night": ((10, 8, 26), (22, 18, 48)),
}


def space(pen: Pen, time: TimeOfDay, random: Random) -> RGB:
    """A cratered moon under a ringed planet, with a rocket."""
    deep, glow = _VOID[time]
    side = random.choice((-1, 1))
    pen.box(-1, -1, 3, 1, deep)
    pen.oval(1, 0.72, 1.5, 0.42, glow)
    for _ in range(7):
        pen.oval(random.uniform(0.05, 1.95), random.uniform(0.04, 0.5), 0.013, 0.013, (250, 248, 230))
    x, y, r = 1 + side * random.uniform(0.3, 0.5), random.uniform(0.2, 0.28), random.uniform(0.1, 0.15)
    _ringed_planet(pen, x, y, r, random.choice(((232, 158, 92), (92, 190, 182), (214, 120, 160))), time)
    ground = lit((168, 166, 182), time)
    pen.oval(1, 1.5, 2.2, 0.84, ground)
    crater = lit((128, 126, 148), time)
    for x, y in ((0.3, 0.76), (0.9, 0.84), (1.35, 0.76), (1.75, 0.9)):
        pen.oval(x + random.uniform(-0.12, 0.12), y, random.uniform(0.09, 0.16), 0.03, crater)
    _rocket(pen, 1 - side * random.uniform(0.3, 0.7), random.uniform(0.9, 1.15), time)
    return lit((110, 108, 130), time)


def _ringed_planet(pen: Pen, x: float, y: float, r: float, colour: RGB, time: TimeOfDay) -> None:
    ring = lit((250, 226, 170), time) if time == "sunset" else (250, 226, 170)
    body = shaded(colour, {"day": 1.0, "sunset": 0.85, "night": 0.7}[time])
    pen.oval(x, y, r * 1.9, r * 0.5, ring)
    pen.oval(x, y - 0.012, r * 1.45, r * 0.3, _VOID[time][0])
    pen.oval(x, y, r, r, body)
    front = [(x + r * 1.9 * cos(pi * i / 12), y + r * 0.5 * sin(pi * i / 12)) for i in range(13)]
    back = [(x + r * 1.5 * cos(pi * i / 12), y + r * 0.26 * sin(pi * i / 12)) for i in range(12, -1, -1)]
    pen.shape(front + back, ring)


def _rocket(pen: Pen, x: float, s: float, time: TimeOfDay) -> None:
    white, red, base = lit((238, 238, 244), time), lit((214, 84, 74), time), 0.74
    pen.shape(((x - 0.15 * s, base), (x, base - 0.2 * s), (x + 0.15 * s, base)), red)
    pen.oval(x, base - 0.27 * s, 0.085 * s, 0.25 * s, white)
    pen.shape(((x - 0.062 * s, base - 0.42 * s), (x + 0.062 * s, base - 0.42 * s), (x, base - 0.58 * s)), red)
    pane = WINDOW_LIGHT if time == "night" else lit((70, 150, 190), time)
    pen.oval(x, base - 0.31 * s, 0.045 * s, 0.045 * s, pane)


OUTDOORS: dict[SetName, Backdrop] = {
    "forest": forest, "beach": beach, "castle": castle, "city": city, "desert": desert,
    "snowfield": snowfield, "harbour": harbour, "farm": farm, "space": space,
}  # fmt: skip
