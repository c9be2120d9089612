"""Backdrops of open country: forest, beach, desert, snowfield, space."""

from math import cos, pi, sin
from random import Random

from cinema_cli.theatre.palette import RGB, lit, shaded
from cinema_cli.theatre.pen import Pen
from cinema_cli.theatre.sky import WINDOW_LIGHT, Backdrop, sky
from cinema_cli.theatre.world import SetName, TimeOfDay


def forest(pen: Pen, time: TimeOfDay, random: Random) -> RGB:
    """Pines near and far over mossy ground."""
    horizon = 0.66
    sky(pen, time, random, horizon)
    leaf = random.choice(((38, 122, 74), (74, 134, 52), (28, 112, 104)))
    far, trunk = lit(shaded(leaf, 0.78), time), lit((110, 74, 52), time)
    shift, slots = random.uniform(0, 0.3), 7
    for i in range(slots):
        _pine(pen, 0.3 * i + shift - 0.1, horizon + 0.02, random.uniform(0.3, 0.46), far, trunk)
    pen.box(-1, horizon, 3, 2, lit((104, 152, 74), time))
    near = random.sample((0.14, 0.5, 0.78, 1.24, 1.5, 1.88), 4)
    for x in near:
        x, height = x + random.uniform(-0.06, 0.06), random.uniform(0.52, 0.74)
        _pine(pen, x, horizon + 0.08, height, lit(leaf, time), trunk)
    pen.oval(random.uniform(0.3, 1.7), 0.95, 0.7, 0.13, lit((122, 168, 82), time))
    return lit((72, 112, 56), time)


def _pine(pen: Pen, x: float, base: float, height: float, leaf: RGB, trunk: RGB) -> None:
    """A tree of three stacked triangles."""
    width = height * 0.32
    pen.box(x - height * 0.045, base - height * 0.25, x + height * 0.045, base, trunk)
    for i in range(3):
        low, w = base - height * (0.14 + 0.24 * i), width * (1 - 0.24 * i)
        tone = shaded(leaf, 1 + 0.10 * i)
        pen.shape(((x - w, low), (x + w, low), (x, low - height * 0.40)), tone)


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
        _pine(
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


WILDS: dict[SetName, Backdrop] = {
    "forest": forest,
    "beach": beach,
    "desert": desert,
    "snowfield": snowfield,
    "space": space,
}
