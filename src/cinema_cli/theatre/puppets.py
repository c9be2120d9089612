"""The cast as paper puppets: big hats, big coats, eyes that look where the puppet faces.

A puppet is drawn in its own units: its feet at (0, 0), y upwards, x towards where it faces, and a
tall puppet with its hat about 1 high.  Its pose is a function of the action and of the seconds.
"""

from dataclasses import dataclass
from math import pi, sin

from PIL import ImageDraw

from cinema_cli.theatre.palette import (
    COATS_AND_HATS,
    FUR,
    GLOW,
    INK,
    LIME,
    PAPER,
    RGB,
    SKIN_TONES,
    SLEEVE,
    TEAL,
    shaded,
)
from cinema_cli.theatre.pen import Pen, Point
from cinema_cli.theatre.world import Action, Build, Figure, Prop

WALK = 0.22
"""Widths of a frame that a walk covers in two seconds."""

_EDGE = 0.022


@dataclass(frozen=True)
class Body:
    """Measures of a build, in puppet units: heights from the ground, half widths."""

    hip: float
    neck: float
    hem: float
    shoulder: float


BODIES: dict[Build, Body] = {
    "tall": Body(hip=0.16, neck=0.54, hem=0.215, shoulder=0.12),
    "short": Body(hip=0.11, neck=0.36, hem=0.25, shoulder=0.145),
}
HEAD = 0.125
"""Radius of a head; the brow, on which hats sit, is 0.16 above the neck."""

HAT = 0.29
"""Height of a hat above the brow."""


@dataclass(frozen=True)
class Pose:
    """Where a body holds its parts: offsets in puppet units, hands from the shoulders."""

    travel: float
    """Widths of the frame walked so far."""
    rise: float
    lean: float
    front_foot: Point
    back_foot: Point
    front_hand: Point
    back_hand: Point
    breath: float


def pose(action: Action, seconds: float) -> Pose:
    """The pose of an action; every action but the walk's travel has a period that divides two seconds."""
    turn = 2 * pi * seconds
    breath = 0.014 * sin(turn)
    still = ((0.055, 0.0), (-0.055, 0.0))
    if action == "walks":
        step = sin(turn + pi / 2)
        lift = 0.045 * sin(turn + pi)
        front, back = (0.02 + 0.13 * step, max(0.0, lift)), (-0.02 - 0.13 * step, max(0.0, -lift))
        hands = (0.13 - 0.07 * step, -0.17), (-0.11 + 0.07 * step, -0.17)
        return Pose(WALK * seconds / 2, 0.018 * abs(sin(turn)), 0.13, front, back, *hands, 0.0)
    if action == "waves":
        swing = 0.09 * sin(2 * turn)
        return Pose(0, 0.0, 0.0, *still, (0.21 + swing, 0.18 - abs(swing) / 3), (-0.15, -0.15), breath)
    if action == "jumps":
        hop = 0.03 + 0.17 * abs(sin(turn / 2))
        feet = (0.095, 0.0), (-0.095, 0.035)
        return Pose(0, hop, 0.0, *feet, (0.23, 0.02 + hop / 3), (-0.23, 0.02 + hop / 3), 0.0)
    return Pose(0, 0.0, 0.0, *still, (0.13, -0.17), (-0.13, -0.17), breath)


def draw_puppet(
    canvas: ImageDraw.ImageDraw,
    figure: Figure,
    held: Pose,
    scale: float,
    rise: float,
    feet: Point,
    shadow: RGB,
) -> None:
    """Draws a figure in a pose.

    Args:
        canvas: What to draw on.
        figure: Who, and where it looks.
        held: The pose; its ``rise`` and ``travel`` have become ``rise`` and ``feet``.
        scale: Pixels to a puppet unit.
        rise: Pixels by which the figure is off the ground.
        feet: The place on the ground below it, in pixels.
        shadow: Colour of a shadow on this ground.
    """
    puppet, body = figure.puppet, BODIES[figure.puppet.build]
    mirror = 1 if figure.facing == "right" else -1
    ground = Pen(canvas, mirror * scale, -scale, *feet)
    shrink = 1 - 1.6 * rise / scale
    ground.oval(0.0, 0.0, 0.24 * shrink, 0.032 * shrink, shadow)
    pen = Pen(canvas, mirror * scale, -scale, feet[0], feet[1] - rise, held.lean)
    if puppet.prop == "dog":  # At the heels, and popping up from below where the feet are out of the picture.
        _dog(Pen(canvas, mirror * scale, -scale, feet[0], min(feet[1], canvas.im.size[1])))
    coat, skin = COATS_AND_HATS[puppet.coat], SKIN_TONES[puppet.skin]
    _legs(pen, body, held)
    shoulder = body.neck - 0.07 + held.breath
    _arm(pen, (-body.shoulder, shoulder), held.back_hand, puppet.prop, coat, skin)
    _coat(pen, body, held, coat)
    _head(pen, body.neck + held.breath, skin)
    _HATS[puppet.hat_shape](pen, body.neck + held.breath + 0.16, COATS_AND_HATS[puppet.hat])
    _arm(pen, (body.shoulder - 0.01, shoulder), held.front_hand, None, coat, skin)


def _legs(pen: Pen, body: Body, held: Pose) -> None:
    for side, foot in ((-0.055, held.back_foot), (0.055, held.front_foot)):
        x, y = foot
        pen.stroke(((side, body.hip + 0.05), (x, y + 0.03)), INK, 0.06)
        pen.oval(x + 0.025, y + 0.025, 0.06, 0.03, INK)


def _coat(pen: Pen, body: Body, held: Pose, coat: RGB) -> None:
    top, hem = body.neck + 0.02 + held.breath, body.hip
    outline = (
        (-body.shoulder * 0.6, top), (body.shoulder * 0.6, top), (body.shoulder, top - 0.05),
        (body.hem, hem), (body.hem * 0.5, hem - 0.018), (-body.hem * 0.5, hem - 0.018), (-body.hem, hem),
        (-body.shoulder, top - 0.05),
    )  # fmt: skip
    pen.shape(outline, coat, INK, _EDGE)
    middle = (top + hem) / 2 - 0.02
    for y in (middle + 0.05, middle - 0.055):
        pen.oval(0.05, y, 0.02, 0.02, INK)


def _head(pen: Pen, neck: float, skin: RGB) -> None:
    centre = neck + 0.1
    pen.oval(0.0, centre, HEAD, HEAD * 0.98, skin, INK, _EDGE)
    pen.oval(HEAD + 0.012, centre - 0.012, 0.026, 0.022, shaded(skin, 0.86))
    for x in (0.012, 0.078):
        pen.oval(x, centre + 0.012, 0.031, 0.038, PAPER)
        pen.oval(x + 0.013, centre + 0.008, 0.0175, 0.024, INK)
    smile = ((0.005, -0.052), (0.028, -0.069), (0.058, -0.072), (0.084, -0.055))
    pen.stroke([(x, centre + y) for x, y in smile], INK, 0.016)


def _arm(pen: Pen, shoulder: Point, reach: Point, prop: Prop | None, coat: RGB, skin: RGB) -> None:
    if prop in _IN_HAND:
        reach = (-0.16, 0.0)
    hand = shoulder[0] + reach[0], shoulder[1] + reach[1]
    elbow = shoulder[0] + reach[0] * 0.62, shoulder[1] + reach[1] * 0.4
    if prop in _IN_HAND:
        _IN_HAND[prop](pen, hand)
    pen.stroke((shoulder, elbow, hand), INK, 0.085)
    pen.stroke((shoulder, elbow, hand), shaded(coat, SLEEVE), 0.056)
    pen.oval(*hand, 0.042, 0.042, skin, INK, _EDGE * 0.8)


def _pointed(pen: Pen, brow: float, hat: RGB) -> None:
    tip = brow + HAT
    pen.shape(((-0.165, brow - 0.01), (0.165, brow - 0.01), (-0.02, tip)), hat, INK, _EDGE)
    pen.shape(((-0.165, brow - 0.012), (0.165, brow - 0.012), (0.138, brow + 0.042), (-0.14, brow + 0.042)),
              shaded(hat, 0.62), INK, _EDGE)  # fmt: skip
    pen.oval(-0.02, tip, 0.042, 0.042, hat, INK, _EDGE)


def _round(pen: Pen, brow: float, hat: RGB) -> None:
    dome = [(0.155 * c, brow + 0.205 * s) for c, s in _HALF_TURN]
    pen.shape(dome, hat, INK, _EDGE)
    pen.shape(
        ((-0.156, brow), (0.156, brow), (0.150, brow + 0.055), (-0.150, brow + 0.055)), shaded(hat, 0.62)
    )
    pen.oval(0.0, brow, 0.215, 0.028, hat, INK, _EDGE)


def _tall(pen: Pen, brow: float, hat: RGB) -> None:
    crown = ((-0.115, brow), (0.115, brow), (0.14, brow + HAT), (-0.14, brow + HAT))
    pen.shape(crown, hat, INK, _EDGE)
    pen.shape(((-0.116, brow), (0.116, brow), (0.122, brow + 0.06), (-0.122, brow + 0.06)), shaded(hat, 0.62))
    pen.oval(0.0, brow, 0.225, 0.03, hat, INK, _EDGE)


_HALF_TURN = [(sin(pi / 2 - pi * i / 16), sin(pi * i / 16)) for i in range(17)]
_HATS = {"pointed": _pointed, "round": _round, "tall": _tall}


def _lantern(pen: Pen, hand: Point) -> None:
    x, y = hand
    pen.stroke(((x, y), (x, y - 0.06)), INK, 0.02)
    pen.oval(x, y - 0.11, 0.088, 0.088, (250, 206, 110))
    pen.shape(((x - 0.05, y - 0.17), (x + 0.05, y - 0.17), (x + 0.04, y - 0.06), (x - 0.04, y - 0.06)),
              GLOW, INK, _EDGE)  # fmt: skip


def _umbrella(pen: Pen, hand: Point) -> None:
    x, y = hand
    pen.stroke(((x, y - 0.08), (x, y + 0.30)), INK, 0.022)
    canopy = [(x - 0.01 + 0.17 * c, y + 0.2 + 0.15 * s) for c, s in _HALF_TURN]
    pen.shape(canopy, TEAL, INK, _EDGE)


def _balloon(pen: Pen, hand: Point) -> None:
    x, y = hand
    pen.stroke(((x, y), (x - 0.06, y + 0.2)), INK, 0.016)
    pen.oval(x - 0.07, y + 0.31, 0.1, 0.125, LIME, INK, _EDGE)


def _dog(pen: Pen) -> None:
    x = -0.36
    pen.stroke(((x - 0.12, 0.08), (x - 0.17, 0.17)), FUR, 0.035)
    pen.oval(x, 0.085, 0.12, 0.085, FUR, INK, _EDGE)
    pen.oval(x + 0.09, 0.19, 0.082, 0.075, FUR, INK, _EDGE)
    pen.oval(x + 0.04, 0.19, 0.032, 0.07, INK)
    pen.oval(x + 0.165, 0.18, 0.024, 0.022, INK)
    pen.oval(x + 0.115, 0.21, 0.018, 0.022, PAPER)


_IN_HAND = {"lantern": _lantern, "umbrella": _umbrella, "balloon": _balloon}
