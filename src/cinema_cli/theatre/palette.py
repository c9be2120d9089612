"""The art director's palette: paints of the cast, and how day, sunset and night light the scenery.

The eight colours of coats and hats lie far apart in RGB, so that a reader of pixels can tell
them.  A stage lamp keeps the cast as it is at every hour; only the scenery is tinted.
"""

from typing import TypeAlias

from cinema_cli.theatre.world import Colour, Skin, TimeOfDay

RGB: TypeAlias = tuple[int, int, int]

COATS_AND_HATS: dict[Colour, RGB] = {
    "red": (214, 28, 46),
    "orange": (252, 122, 6),
    "yellow": (255, 226, 44),
    "green": (30, 160, 78),
    "blue": (28, 92, 226),
    "purple": (134, 46, 172),
    "pink": (255, 132, 192),
    "white": (247, 244, 238),
}
SKIN_TONES: dict[Skin, RGB] = {"pale": (250, 212, 182), "tan": (206, 146, 96), "dark": (118, 74, 52)}

INK: RGB = (34, 28, 46)
"""Outlines, boots and eyes: a warm near-black."""

PAPER: RGB = (255, 252, 244)
"""The white of an eye."""

TEAL: RGB = (22, 158, 158)
LIME: RGB = (184, 216, 60)
GLOW: RGB = (255, 240, 150)
FUR: RGB = (158, 108, 66)
PROP_PAINTS: tuple[RGB, ...] = (TEAL, LIME, GLOW, FUR)
"""Umbrella, balloon, lantern, dog: paints that no coat and no hat has."""

SLEEVE = 0.86
"""How much darker than the coat its sleeves are."""

SKIES: dict[TimeOfDay, tuple[RGB, RGB, RGB]] = {
    "day": (((92, 184, 238)), (136, 208, 246), (190, 231, 250)),
    "sunset": ((146, 78, 148), (238, 116, 104), (255, 184, 108)),
    "night": ((18, 22, 62), (28, 36, 88), (46, 58, 122)),
}
"""Sky at the top, in the middle and over the horizon."""

_LAMPS: dict[TimeOfDay, tuple[tuple[float, float, float], RGB]] = {
    "day": ((1.0, 1.0, 1.0), (0, 0, 0)),
    "sunset": ((0.80, 0.58, 0.54), (46, 10, 22)),
    "night": ((0.30, 0.36, 0.50), (6, 8, 30)),
}
"""Per time: a factor for each channel, then what is added."""


def lit(colour: RGB, time: TimeOfDay) -> RGB:
    """A paint of the scenery as the hour lights it."""
    factors, added = _LAMPS[time]
    red, green, blue = (round(c * f + a) for c, f, a in zip(colour, factors, added, strict=True))
    return min(red, 255), min(green, 255), min(blue, 255)


def shaded(colour: RGB, factor: float) -> RGB:
    """The same paint, darker (factor below one) or lighter (above)."""
    red, green, blue = (min(255, round(c * factor)) for c in colour)
    return red, green, blue
