"""Finds the puppets of a frame and reads their looks: analysis by synthesis with the theatre's own drawings.

Each template is a drawn puppet, kept as sample points on its hat, coat, skin and outline.  Laid over
a frame, a template scores how well the points of each part agree on one of the paints that this part
can have.  A coarse search over the stage, then a fine one around the best places, give who stands
where; the paints that won are the reading.

Shapes:  B colours   K paints of a part   N points of a part   Y, X offsets
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cinema_cli.theatre.draw import POSITIONS, draw_figure
from cinema_cli.theatre.palette import COATS_AND_HATS, INK, PAPER, PROP_PAINTS, SKIN_TONES, SLEEVE, shaded
from cinema_cli.theatre.world import (
    BUILDS,
    COLOURS,
    FRAME_SIZE,
    HAT_SHAPES,
    SKINS,
    Action,
    Build,
    Colour,
    Facing,
    Figure,
    HatShape,
    Position,
    Puppet,
    ShotSize,
    Skin,
)

Points = NDArray[np.intp]

FEW, MANY = 16, 36
"""Points of a part that a coarse and a fine search look at."""
_LEVELS = 32
"""Levels of a channel in the tables of closeness."""
_MARGIN = 64
"""Pixels around a frame in which a template may hang over its edge."""
_PRESENT = 0.515
"""Score from which something counts as a puppet when their number is not known."""
_PALETTES = {
    "hat": list(COATS_AND_HATS.values()),
    "skin": list(SKIN_TONES.values()),
    "ink": [INK],
    "eyes": [PAPER],
}
"""The paints that each part can have; coats have those of hats."""
_REACH = {"hat": 110.0, "skin": 110.0, "ink": 200.0, "eyes": 200.0}
"""Distance in RGB at which a colour no longer speaks for a paint: far for thin parts, which blur."""
_PARTS = {"hat": 0.3, "coat": 0.3, "skin": 0.15, "ink": 0.15, "eyes": 0.1}
"""Weight of each part in the score."""
_LIKELY = 8
"""Templates, of 24, that are looked at closely."""
_SPILL = 0.3
"""What a hat costs whose colour goes on around it: a larger one would fit."""
_SEPARATION: dict[ShotSize, int] = {"wide": 24, "medium": 40, "close-up": 56}
"""Pixels that two figures are at least apart."""
_BREADTH: dict[ShotSize, float] = {"wide": 0.07, "medium": 0.11, "close-up": 0.15}
"""Half of the breadth of a body, in widths of the frame."""


@dataclass(frozen=True)
class FigureReading:
    """What the pixels say about one figure."""

    position: Position
    x: float
    """Where it stands, in widths of the frame."""
    rise: float
    """How far it is off the place where it would stand, in heights of the frame."""
    coat: Colour
    hat: Colour
    hat_shape: HatShape
    skin: Skin
    build: Build
    facing: Facing
    score: float
    """How well a drawn puppet explains the pixels, 0 to 1."""


@dataclass(frozen=True)
class Template:
    """A drawn puppet in the middle of a frame: points (N, 2) of y and x on each part."""

    build: Build
    hat_shape: HatShape
    facing: Facing
    action: Action
    samples: dict[int, dict[str, Points]]
    """The points, thinned to ``FEW`` and to ``MANY`` a part."""


def find_figures(frame: NDArray[np.uint8], size: ShotSize, figures: int | None) -> list[FigureReading]:
    """Reads the figures of a frame of 128x256, left to right.

    Args:
        frame: (H, W, 3) at the theatre's own frame size.
        size: The framing, which tells how large puppets are.
        figures: How many there are; ``None`` to find out (at most two).
    """
    colours = _colours(frame)
    found: list[FigureReading] = []
    places = _coarse(colours, size)
    for _ in range(2 if figures is None else figures):
        if not places:
            break
        _, y, x = places[0]
        reading, column = _fine(colours, size, y, x)
        if figures is None and reading.score < _PRESENT:
            break
        found.append(reading)
        places = [place for place in places if abs(place[2] - column) >= _SEPARATION[size]]
    return sorted(found, key=lambda reading: reading.x)


def cover_figures(frame: NDArray[np.uint8], found: list[FigureReading], size: ShotSize) -> NDArray[np.bool_]:
    """The part of a frame (H, W) that puppets found in it cover: bodies whole, arms and props by colour."""
    columns = np.arange(FRAME_SIZE[1]) / FRAME_SIZE[1]
    bodies, reach = np.zeros(FRAME_SIZE, np.bool_), np.zeros(FRAME_SIZE, np.bool_)
    for figure in found:
        bodies |= np.abs(columns - figure.x) < _BREADTH[size]
        reach |= np.abs(columns - figure.x) < 2.5 * _BREADTH[size]
    sleeves = [shaded(coat, SLEEVE) for coat in COATS_AND_HATS.values()]
    cast = np.array([*COATS_AND_HATS.values(), *sleeves, *SKIN_TONES.values(), *PROP_PAINTS, INK, PAPER])
    arms = reach & ~bodies
    nearest = ((frame[arms][:, None].astype(np.int32) - cast) ** 2).sum(-1).min(-1, initial=255**2)
    arms[arms] = nearest < 40**2
    return bodies | _grown(arms, 2)


def _colours(frame: NDArray[np.uint8]) -> Points:
    """The colour of each pixel as a row of the tables of closeness, with a margin of no colour: (H, W)."""
    red, green, blue = np.moveaxis(frame.astype(np.intp) * _LEVELS // 256, -1, 0)
    return np.pad((red * _LEVELS + green) * _LEVELS + blue, _MARGIN, constant_values=_LEVELS**3)


@lru_cache(maxsize=1)
def _closeness() -> dict[str, NDArray[np.float32]]:
    """For each part, how close each colour is to each of its paints; the last row is no colour: (B, K)."""
    levels = (np.arange(_LEVELS) + 0.5) * (256 / _LEVELS)
    colours = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 1, 3)
    tables = {}
    for part, palette in _PALETTES.items():
        distances = np.linalg.norm(colours - np.array(palette), axis=-1)
        close = np.maximum(0, 1 - distances / _REACH[part])
        tables[part] = np.pad(close, ((0, 1), (0, 0))).astype(np.float32)
    return tables | {"coat": tables["hat"], "around": tables["hat"]}


@lru_cache(maxsize=3)
def templates(size: ShotSize) -> tuple[Template, ...]:
    """Every build, hat shape, way of facing and bearing in a framing."""
    bearings: tuple[Action, ...] = ("stands", "walks")
    facings: tuple[Facing, ...] = ("left", "right")
    return tuple(
        _template(size, build, shape, facing, action)
        for build, shape, facing, action in product(BUILDS, HAT_SHAPES, facings, bearings)
    )


def _template(size: ShotSize, build: Build, shape: HatShape, facing: Facing, action: Action) -> Template:
    height, width = FRAME_SIZE
    puppet = Puppet("", coat="blue", hat="red", hat_shape=shape, skin="tan", build=build)
    picture = Image.new("RGB", (width, height), (0, 255, 0))
    figure = Figure(puppet, "middle", facing, action)
    draw_figure(ImageDraw.Draw(picture), figure, size, 0.0, (width, height), (0, 255, 0))
    pixels = np.asarray(picture)
    paints = {
        "hat": COATS_AND_HATS["red"], "coat": COATS_AND_HATS["blue"], "skin": SKIN_TONES["tan"],
        "ink": INK, "eyes": PAPER,
    }  # fmt: skip
    masks = {part: (pixels == np.array(paint)).all(-1) for part, paint in paints.items()}
    brow, neck = int(np.argwhere(masks["hat"])[:, 0].max()), int(np.argwhere(masks["coat"])[:, 0].min())
    masks["skin"][neck:] = False  # The face tells more than the hands, which move.
    for part in ("hat", "coat", "skin"):
        masks[part] = _inside(masks[part])
    parts = {part: np.argwhere(mask) for part, mask in masks.items()}
    parts["around"] = _around_hat(~(pixels == (0, 255, 0)).all(-1), brow)
    samples = {n: {part: _thin(points, n) for part, points in parts.items()} for n in (FEW, MANY)}
    return Template(build, shape, facing, action, samples)


def _grown(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    """The mask and what lies within some pixels of it, counted along rows and columns."""
    for _ in range(pixels):
        wide = np.pad(mask, 1)
        mask = mask | wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]
    return mask


def _inside(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without its edge, where colours of two parts mix."""
    return ~_grown(~mask, 1)


def _around_hat(silhouette: NDArray[np.bool_], brow: int) -> Points:
    """Points a little outside of a hat, where its colour ends: 3 to 5 pixels away, above the brow."""
    ring = _grown(silhouette, 5) & ~_grown(silhouette, 2)
    ring[brow - 4 :] = False
    return np.argwhere(ring)


def _thin(points: Points, count: int) -> Points:
    """At most ``count`` of the points, evenly over them."""
    return points[np.linspace(0, len(points) - 1, min(count, len(points))).astype(np.intp)]


def _agreement(
    colours: Points, template: Template, part: str, ys: Points, xs: Points, count: int
) -> NDArray[np.float32]:
    """How well the points of a part agree on each of its paints, at offsets: (Y, X, K)."""
    points, stride = template.samples[count][part], colours.shape[1]
    offsets = (ys[:, None, None] + _MARGIN) * stride + xs[None, :, None] + _MARGIN
    seen = colours.reshape(-1).take(points[:, 0] * stride + points[:, 1] + offsets)
    close = _closeness()[part].take(seen, axis=0)
    agreement: NDArray[np.float32] = np.einsum("yxnk->yxk", close) / max(1, len(points))
    return agreement


def _score(
    colours: Points, template: Template, ys: Points, xs: Points, count: int
) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    """Scores of a template at offsets (Y, X), and the agreement on the paints of each part (Y, X, K)."""
    agreement = {part: _agreement(colours, template, part, ys, xs, count) for part in (*_PARTS, "around")}
    total = sum((weight * agreement[part].max(-1) for part, weight in _PARTS.items()), np.float32(0))
    spilled = np.take_along_axis(agreement["around"], agreement["hat"].argmax(-1)[..., None], -1)[..., 0]
    return np.asarray(total - _SPILL * spilled, np.float32), agreement


def _coarse(colours: Points, size: ShotSize) -> list[tuple[float, int, int]]:
    """Places (score, y, x) over the whole stage, best first."""
    half = FRAME_SIZE[1] // 2
    ys, xs = np.arange(-14, 1, 7), np.arange(12 - half, half - 11, 6)
    best = np.zeros((len(ys), len(xs)), np.float32)
    for template in templates(size):
        if template.facing == "right" or template.action == "walks":
            agreed = [
                _agreement(colours, template, part, ys, xs, FEW).max(-1) for part in ("hat", "coat", "skin")
            ]
            best = np.maximum(best, 2 * agreed[0] + 2 * agreed[1] + agreed[2])
    places = [(float(best[i, j]), int(ys[i]), int(xs[j])) for i in range(len(ys)) for j in range(len(xs))]
    return sorted(places, reverse=True)


def _fine(colours: Points, size: ShotSize, y: int, x: int) -> tuple[FigureReading, int]:
    """The best template near a place, and its offset along x."""
    ys, xs = np.arange(y - 4, y + 5), np.arange(x - 4, x + 5)
    rough = [float(_score(colours, t, ys[::2], xs[::2], FEW)[0].max()) for t in templates(size)]
    likely = [templates(size)[i] for i in np.argsort(rough)[-_LIKELY:]]
    scored = [(*_score(colours, template, ys, xs, MANY), template) for template in likely]
    total, agreement, template = max(scored, key=lambda item: float(item[0].max()))
    i, j = np.unravel_index(int(total.argmax()), total.shape)
    chosen = {part: int(paints[i, j].argmax()) for part, paints in agreement.items()}
    place = 0.5 + float(xs[j]) / FRAME_SIZE[1]
    reading = FigureReading(
        position=min(POSITIONS, key=lambda name: abs(POSITIONS[name] - place)),
        x=place,
        rise=float(-ys[i]) / FRAME_SIZE[0],
        coat=COLOURS[chosen["coat"]],
        hat=COLOURS[chosen["hat"]],
        hat_shape=template.hat_shape,
        skin=SKINS[chosen["skin"]],
        build=template.build,
        facing=template.facing,
        score=float(total[i, j]),
    )
    return reading, int(xs[j])
