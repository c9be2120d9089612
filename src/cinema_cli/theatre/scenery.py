"""The scenery of a place: one painted backdrop per set, arranged by the seed of its layout.

A layout is drawn at random from the set and the seed alone, never from the hour or the framing, so
a place that returns is the same place.  Closer framings magnify the same scenery about a point
above the horizon: what lies behind grows, and the ground sinks out of the picture.

Units: the wide framing shows x from 0 to 2 and y from 0 (top) to 1.
"""

from functools import lru_cache
from random import Random

from PIL import Image, ImageDraw

from cinema_cli.theatre.indoors import INDOORS
from cinema_cli.theatre.palette import RGB
from cinema_cli.theatre.pen import Pen
from cinema_cli.theatre.towns import TOWNS
from cinema_cli.theatre.wilds import WILDS
from cinema_cli.theatre.world import Place, ShotSize, TimeOfDay

_ZOOM: dict[ShotSize, float] = {"wide": 1.0, "medium": 1.35, "close-up": 1.8}
_FOCUS = (1.0, 0.30)
"""The point that every framing keeps in place."""

_BACKDROPS = {**WILDS, **TOWNS, **INDOORS}


def paint_scenery(
    place: Place, time: TimeOfDay, framing: ShotSize, size: tuple[int, int]
) -> tuple[Image.Image, RGB]:
    """The backdrop of a place at ``size`` (width, height) and the colour of shadows on its ground."""
    width, height = size
    zoom, (x, y) = _ZOOM[framing] * height, _FOCUS
    picture = Image.new("RGB", (width, height))
    pen = Pen(ImageDraw.Draw(picture), zoom, zoom, x * (height - zoom), y * (height - zoom))
    shadow = _BACKDROPS[place.set](pen, time, Random(f"{place.set} {place.layout}"))
    return picture, shadow


kept_scenery = lru_cache(maxsize=128)(paint_scenery)
"""The same, kept for the next frame: copy the picture before drawing on it."""
