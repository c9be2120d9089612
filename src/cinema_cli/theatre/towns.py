"""Backdrops with buildings: castle, city, harbour, farm."""

from random import Random

from cinema_cli.theatre.palette import RGB, lit, shaded
from cinema_cli.theatre.pen import Pen
from cinema_cli.theatre.sky import WINDOW_LIGHT, Backdrop, sky
from cinema_cli.theatre.world import SetName, TimeOfDay


def castle(pen: Pen, time: TimeOfDay, random: Random) -> RGB:
    """A stone castle with coned towers and flags on a meadow."""
    horizon = 0.68
    sky(pen, time, random, horizon)
    _hills(pen, random, lit((124, 170, 128), time), horizon, 0.16)
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
    _hills(pen, random, lit((150, 186, 98), time), horizon, 0.12)
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


def _hills(pen: Pen, random: Random, colour: RGB, base: float, height: float) -> None:
    """Three round hills behind the ground."""
    for i in range(3):
        x = 0.25 + 0.75 * i + random.uniform(-0.22, 0.22)
        pen.oval(x, base, random.uniform(0.4, 0.62), height * random.uniform(0.6, 1.3), colour)


TOWNS: dict[SetName, Backdrop] = {"castle": castle, "city": city, "harbour": harbour, "farm": farm}
