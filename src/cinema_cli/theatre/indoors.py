"""Backdrops with a roof: cave, kitchen, theatre.

The hour shows through an opening (a cave's mouth, a window, a painted sky) and in the light of the
whole room.  Each function paints in scenery units and returns the colour of shadows on its floor.
"""

from random import Random

from cinema_cli.theatre.palette import RGB, SKIES, lit, shaded
from cinema_cli.theatre.pen import Pen
from cinema_cli.theatre.sky import MOON, WINDOW_LIGHT, Backdrop, crescent
from cinema_cli.theatre.world import SetName, TimeOfDay


def _luminary(pen: Pen, x: float, y: float, r: float, time: TimeOfDay) -> None:
    if time == "night":
        crescent(pen, x, y, r, 1)
    else:
        pen.oval(x, y, r, r, (255, 238, 140) if time == "day" else (255, 236, 150))


def cave(pen: Pen, time: TimeOfDay, random: Random) -> RGB:
    """Dark rock around a bright mouth, stalactites and glowing crystals."""
    rock, deep = lit((112, 92, 104), time), lit((76, 62, 80), time)
    mouth, wide = 1 + random.choice((-1, 1)) * random.uniform(0.05, 0.4), random.uniform(0.30, 0.42)
    pen.box(-1, -1, 3, 2, deep)
    sky, low = SKIES[time][1], SKIES[time][2]
    pen.oval(mouth, 0.5, wide + 0.07, 0.36, rock)
    pen.oval(mouth, 0.5, wide, 0.3, sky)
    pen.shape(((mouth - wide, 0.5), (mouth + wide, 0.5), (mouth + wide, 0.72), (mouth - wide, 0.72)), low)
    _luminary(pen, mouth + random.uniform(-0.16, 0.16), 0.36, 0.075, time)
    for i in range(-2, 9):
        x, long = 0.25 * i + random.uniform(-0.06, 0.06), random.uniform(0.14, 0.36)
        pen.shape(((x - 0.11, -0.5), (x + 0.11, -0.5), (x + 0.075, 0.0), (x, long), (x - 0.075, 0.0)), rock)
    pen.box(-1, 0.7, 3, 2, lit((138, 116, 118), time))
    pen.oval(random.uniform(0.3, 1.7), 0.98, 0.7, 0.12, lit((156, 132, 130), time))
    glow = random.choice(((92, 226, 214), (196, 132, 240), (130, 226, 120)))
    for side in (-1, 1):
        _crystals(pen, 1 + side * random.uniform(0.5, 0.85), random.uniform(0.7, 1.2), glow)
    return lit((92, 74, 84), time)


def _crystals(pen: Pen, x: float, s: float, glow: RGB) -> None:
    for dx, lean, tall, tone in ((-0.07, -0.06, 0.17, 0.72), (0.07, 0.06, 0.2, 0.86), (0.0, 0.0, 0.27, 1.0)):
        foot, top = x + dx * s, 0.76 - tall * s
        w, tip, shoulder = 0.045 * s, foot + lean * s, top + 0.06 * s
        prism = ((foot - w, 0.77), (foot + w, 0.77), (tip + w, shoulder), (tip, top), (tip - w, shoulder))
        pen.shape(prism, shaded(glow, tone))


def kitchen(pen: Pen, time: TimeOfDay, random: Random) -> RGB:
    """A papered wall with a window, a shelf of pots, a stove and a chequered floor."""
    wall = random.choice(((236, 208, 160), (168, 210, 196), (224, 180, 170)))
    wood = lit((160, 104, 70), time)
    side = random.choice((-1, 1))
    pen.box(-1, -1, 3, 0.72, lit(wall, time))
    pen.box(-1, 0.5, 3, 0.72, lit(shaded(wall, 0.86), time))
    pen.box(-1, 0.705, 3, 0.745, lit((250, 242, 228), time))
    _window(pen, 1 + side * random.uniform(0.12, 0.45), random.uniform(0.22, 0.28), random.random(), time)
    shelf = 1 - side * random.uniform(0.35, 0.6)
    pots = random.sample(((206, 92, 72), (84, 138, 168), (240, 226, 200), (120, 160, 96)), 3)
    pen.box(shelf - 0.3, 0.3, shelf + 0.3, 0.33, wood)
    for i, pot in enumerate(pots):
        x = shelf - 0.19 + 0.19 * i
        pen.box(x - 0.055, 0.2, x + 0.055, 0.3, lit(pot, time))
        pen.box(x - 0.068, 0.18, x + 0.068, 0.21, lit(shaded(pot, 0.7), time))
    _stove(pen, 1 - side * random.uniform(0.45, 0.75), time)
    _cupboard(pen, 1 + side * random.uniform(0.5, 0.75), wood, time)
    light, dark = lit((240, 230, 212), time), lit((150, 120, 110), time)
    pen.box(-1, 0.74, 3, 2, light)
    shift = random.choice((0, 1))
    for row, (top, low) in enumerate(((0.74, 0.82), (0.82, 0.92), (0.92, 1.05))):
        for i in range(-6, 7):
            if (i + row + shift) % 2 == 0:
                a, b = 0.16 + 0.6 * (top - 0.74), 0.16 + 0.6 * (low - 0.74)
                pen.shape(
                    ((1 + a * i, top), (1 + a * (i + 1), top), (1 + b * (i + 1), low), (1 + b * i, low)), dark
                )
    return lit((134, 108, 100), time)


def _window(pen: Pen, x: float, half: float, sun: float, time: TimeOfDay) -> None:
    frame = lit((252, 246, 236), time)
    pen.box(x - half - 0.03, 0.09, x + half + 0.03, 0.51, frame)
    pen.box(x - half, 0.12, x + half, 0.48, SKIES[time][1])
    _luminary(pen, x + (sun - 0.5) * half, 0.23, 0.07, time)
    pen.oval(x, 0.5, half * 0.9, 0.1, lit((112, 170, 96), time))
    pen.box(x - half - 0.05, 0.48, x + half + 0.05, 0.52, frame)
    pen.box(x - 0.013, 0.12, x + 0.013, 0.48, frame)


def _stove(pen: Pen, x: float, time: TimeOfDay) -> None:
    pen.box(x - 0.19, 0.47, x + 0.19, 0.76, lit((92, 92, 108), time))
    pen.box(x - 0.21, 0.45, x + 0.21, 0.49, lit((62, 60, 76), time))
    pen.oval(x, 0.63, 0.115, 0.085, (250, 160, 70))
    pen.oval(x, 0.655, 0.06, 0.05, (255, 220, 110))
    pen.box(x - 0.09, 0.37, x + 0.09, 0.45, lit((190, 104, 72), time))


def _cupboard(pen: Pen, x: float, wood: RGB, time: TimeOfDay) -> None:
    pen.box(x - 0.24, 0.52, x + 0.24, 0.77, wood)
    pen.box(x - 0.26, 0.50, x + 0.26, 0.54, lit((214, 170, 120), time))
    for side in (-1, 1):
        pen.box(x + side * 0.12 - 0.09, 0.57, x + side * 0.12 + 0.09, 0.73, lit((186, 128, 86), time))


def theatre(pen: Pen, time: TimeOfDay, random: Random) -> RGB:
    """A stage: curtains, a valance, a painted backcloth and footlights."""
    cloth = random.choice(((150, 40, 62), (44, 84, 116), (92, 50, 112)))
    gold = lit((226, 178, 86), time)
    top, middle, _ = SKIES[time]
    pen.box(-1, -1, 3, 0.72, top)
    pen.box(-1, 0.34, 3, 0.72, middle)
    side = random.choice((-1, 1))
    sun = 1 + side * random.uniform(0.1, 0.3)
    pen.box(sun - 0.008, -1, sun + 0.008, 0.3, gold)
    pen.oval(sun, 0.36, 0.1, 0.1, MOON if time == "night" else (255, 232, 140))
    paint = lit(random.choice(((112, 160, 130), (150, 140, 170), (190, 160, 110))), time)
    pen.oval(0.5 + random.uniform(-0.1, 0.2), 0.74, 0.5, random.uniform(0.14, 0.28), paint)
    pen.oval(1.4 + random.uniform(-0.2, 0.1), 0.74, 0.56, random.uniform(0.12, 0.24), shaded(paint, 0.86))
    floor = lit((190, 132, 84), time)
    pen.box(-1, 0.72, 3, 2, floor)
    for i in range(-4, 5):
        pen.shape(
            (
                (1 + 0.24 * i, 0.72),
                (1 + 0.24 * i + 0.02, 0.72),
                (1 + 0.34 * i + 0.03, 1.1),
                (1 + 0.34 * i, 1.1),
            ),
            lit((160, 106, 66), time),
        )
    gather = random.uniform(0.62, 0.76)
    for side in (-1, 1):
        _curtain(pen, side, gather, lit(cloth, time), lit(shaded(cloth, 0.76), time))
    swags = random.choice((4, 5, 6))
    for i in range(swags):
        width = 2.4 / swags
        x = -0.2 + width * (i + 0.5)
        pen.oval(x, 0.08, width * 0.56, 0.155, gold)
        pen.oval(x, 0.06, width * 0.54, 0.15, lit(shaded(cloth, 1.15), time))
    pen.box(-1, -1, 3, 0.05, lit(shaded(cloth, 0.76), time))
    for i in range(7):
        pen.oval(0.1 + 0.3 * i, 1.0, 0.055, 0.04, WINDOW_LIGHT)
    return lit((134, 88, 54), time)


def _curtain(pen: Pen, side: int, gather: float, cloth: RGB, fold: RGB) -> None:
    def x(inwards: float) -> float:
        return 1 + side * (1.3 - inwards)

    pen.shape(
        (
            (x(0), 0),
            (x(gather + 0.16), 0),
            (x(gather), 0.35),
            (x(0.3 + 0.3 * gather), 0.62),
            (x(0.42 + 0.2 * gather), 0.8),
            (x(0), 0.8),
        ),
        cloth,
    )
    for k in (0.3, 0.62):
        pen.shape(
            (
                (x(gather * k), 0),
                (x(gather * k + 0.07), 0),
                (x(0.3 * k + 0.24 * gather + 0.05), 0.8),
                (x(0.3 * k + 0.24 * gather - 0.02), 0.8),
            ),
            fold,
        )


INDOORS: dict[SetName, Backdrop] = {"cave": cave, "kitchen": kitchen, "theatre": theatre}
