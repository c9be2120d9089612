"""The truth of a frame, read back from its pixels alone.

``read_frame`` says what a frame shows, whoever drew it: the theatre or a model.  ``accuracy``
measures the reader itself on drawn frames, whose truth is known; print it before any figure that
the reader gives.  ``same_layout`` compares the scenery of two frames of one place.
"""

from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.read_puppets import FigureReading, cover_figures, find_figures
from cinema_cli.theatre.read_scenery import KINDS, kind_scores, mean_scenery, reduce_frame
from cinema_cli.theatre.world import (
    ACTIONS,
    BUILDS,
    COLOURS,
    FRAME_SIZE,
    HAT_SHAPES,
    PROPS,
    SETS,
    SHOT_SIZES,
    SKINS,
    TIMES,
    Figure,
    Place,
    Position,
    Puppet,
    SetName,
    ShotSize,
    StagedShot,
    TimeOfDay,
)


@dataclass(frozen=True)
class FrameReading:
    """What the pixels say: the scenery, and the figures from left to right."""

    set: SetName
    time: TimeOfDay
    size: ShotSize
    figures: tuple[FigureReading, ...]


def read_frame(frame: NDArray[np.uint8], figures: int | None = None) -> FrameReading:
    """Reads a frame (H, W, 3) of any size; ``figures`` is how many there are, ``None`` to find out."""
    frame = _own_size(frame)
    name, time, size = KINDS[int(kind_scores(frame).argmax())]
    return FrameReading(name, time, size, tuple(find_figures(frame, size, figures)))


def same_layout(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """How alike the scenery of two frames of one set, time and framing is, figures left out: 0 to 1.

    Both frames are compared by what sets them apart from the average drawn scenery of their kind, so
    that a common sky counts nothing.  1 is the same picture; two layouts come to about 0.45.  Where figures
    leave nothing to compare, as two in a close-up may, the answer is 1: judge frames with one at most.
    """
    a, b = _own_size(a), _own_size(b)
    kind = int((kind_scores(a) + kind_scores(b)).argmax())
    free = ~(_covered(a, KINDS[kind][2]) | _covered(b, KINDS[kind][2]))
    mean = mean_scenery(kind)
    own_a, own_b = (reduce_frame(a) - mean)[free], (reduce_frame(b) - mean)[free]
    apart, whole = np.abs(own_a - own_b).sum(), np.abs(own_a).sum() + np.abs(own_b).sum()
    return float(1 - apart / whole) if whole else 1.0


def accuracy(samples: int, seed: int, blur: float = 0.0, noise: float = 0.0) -> dict[str, float]:
    """Shares read right on random drawn frames: scenery per frame, looks per figure.

    Args:
        samples: How many frames to draw.
        seed: Seed of what they show.
        blur: Radius of a Gaussian blur before reading, in pixels.
        noise: Standard deviation of noise added before reading, in levels of 255.
    """
    random, noises = Random(seed), np.random.default_rng(seed)
    right: dict[str, list[bool]] = {}
    for _ in range(samples):
        shot = random_shot(random)
        picture = Image.fromarray(draw_frame(shot)).filter(ImageFilter.GaussianBlur(blur))
        values = np.asarray(picture) + noises.normal(0.0, noise, (*FRAME_SIZE, 3))
        frame = np.clip(values, 0, 255).astype(np.uint8)
        reading = read_frame(frame)
        counted = len(reading.figures) == len(shot.figures)
        reading = reading if counted else read_frame(frame, len(shot.figures))
        for fact, agrees in (("count", counted), *_compare(shot, reading)):
            right.setdefault(fact, []).append(agrees)
    return {fact: sum(agree) / len(agree) for fact, agree in right.items()}


def random_shot(random: Random) -> StagedShot:
    """Anything that the theatre can show, nobody to two figures."""
    stages: tuple[tuple[Position, ...], ...] = ((), ("left",), ("middle",), ("right",), ("left", "right"))
    figures = tuple(
        Figure(_random_puppet(random), position, random.choice(("left", "right")), random.choice(ACTIONS))
        for position in random.choice(stages)
    )
    place = Place(random.choice(SETS), random.randrange(10**6))
    return StagedShot(place, random.choice(TIMES), random.choice(SHOT_SIZES), figures)


def _random_puppet(random: Random) -> Puppet:
    return Puppet(
        name="",
        coat=random.choice(COLOURS),
        hat=random.choice(COLOURS),
        hat_shape=random.choice(HAT_SHAPES),
        skin=random.choice(SKINS),
        build=random.choice(BUILDS),
        prop=random.choice((None, *PROPS)),
    )


def _compare(shot: StagedShot, reading: FrameReading) -> list[tuple[str, bool]]:
    """Each fact of a shot, and whether the reading agrees; figures are paired from left to right."""
    facts = [
        ("set", shot.place.set == reading.set),
        ("time", shot.time == reading.time),
        ("size", shot.size == reading.size),
    ]
    for figure, found in zip(shot.figures, reading.figures, strict=True):
        facts += [("position", figure.position == found.position), ("facing", figure.facing == found.facing)]
        looks = ("coat", "hat", "hat_shape", "skin", "build")
        facts += [(look, getattr(figure.puppet, look) == getattr(found, look)) for look in looks]
    return facts


def _own_size(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = FRAME_SIZE
    if frame.shape == (height, width, 3):
        return frame
    return np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BOX))


def _covered(frame: NDArray[np.uint8], size: ShotSize) -> NDArray[np.bool_]:
    """Cells of the reduced frame (R, C) that figures cover."""
    mask = cover_figures(frame, find_figures(frame, size, None), size)
    return reduce_frame(np.repeat(mask[:, :, None], 3, axis=2).astype(np.uint8) * 255)[:, :, 0] > 0
