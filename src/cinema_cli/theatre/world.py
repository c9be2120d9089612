"""The world of the toy theatre: what there is to see, and nothing about how it is drawn.

A *puppet* is bound to a look by its movie; its name means nothing by itself.  A *place* is a
set with a layout seed: the same seed gives the same scenery whenever the place returns.
A *staged shot* is everything that a frame shows, so that truth can be compared with pixels.
"""

from dataclasses import dataclass
from typing import Literal, get_args

Colour = Literal["red", "orange", "yellow", "green", "blue", "purple", "pink", "white"]
HatShape = Literal["pointed", "round", "tall"]
Skin = Literal["pale", "tan", "dark"]
Build = Literal["tall", "short"]
Prop = Literal["lantern", "umbrella", "balloon", "dog"]
SetName = Literal[
    "forest", "beach", "castle", "city", "desert", "snowfield",
    "cave", "kitchen", "harbour", "theatre", "farm", "space",
]  # fmt: skip
TimeOfDay = Literal["day", "sunset", "night"]
ShotSize = Literal["wide", "medium", "close-up"]
Action = Literal["stands", "walks", "waves", "jumps"]
Position = Literal["left", "middle", "right"]
Facing = Literal["left", "right"]

COLOURS: tuple[Colour, ...] = get_args(Colour)
HAT_SHAPES: tuple[HatShape, ...] = get_args(HatShape)
SKINS: tuple[Skin, ...] = get_args(Skin)
BUILDS: tuple[Build, ...] = get_args(Build)
PROPS: tuple[Prop, ...] = get_args(Prop)
SETS: tuple[SetName, ...] = get_args(SetName)
TIMES: tuple[TimeOfDay, ...] = get_args(TimeOfDay)
SHOT_SIZES: tuple[ShotSize, ...] = get_args(ShotSize)
ACTIONS: tuple[Action, ...] = get_args(Action)

FRAME_SIZE = (128, 256)
"""Height and width of a frame in pixels (the paper's 2:1)."""

CLIP_RATE = 8
"""Frames a second that the video model makes."""

CLIP_FRAMES = 17
"""Frames of the usual clip of 2 s: 4n + 1, as Wan's autoencoder takes them."""


@dataclass(frozen=True)
class Puppet:
    """A member of the cast and its look; ``prop`` may be absent."""

    name: str
    coat: Colour
    hat: Colour
    hat_shape: HatShape
    skin: Skin
    build: Build
    prop: Prop | None = None


@dataclass(frozen=True)
class Place:
    """A set with the seed of its layout."""

    set: SetName
    layout: int


@dataclass(frozen=True)
class Figure:
    """A puppet on the stage: where it stands at the first frame, where it looks, what it does."""

    puppet: Puppet
    position: Position
    facing: Facing
    action: Action


@dataclass(frozen=True)
class StagedShot:
    """Everything that a shot shows: nobody, one figure, or two (one left, one right)."""

    place: Place
    time: TimeOfDay
    size: ShotSize
    figures: tuple[Figure, ...] = ()

    def __post_init__(self) -> None:
        positions = [figure.position for figure in self.figures]
        assert len(positions) <= 2, positions
        assert len(set(positions)) == len(positions), positions


@dataclass(frozen=True)
class MovieShot:
    """A shot of a movie: what is staged, the words for it, and how long it lasts (seconds)."""

    staged: StagedShot
    caption: str
    described: tuple[str, ...]
    """Names whose look this caption describes; the other figures are only named."""
    seconds: float = 2.0


@dataclass(frozen=True)
class Movie:
    """A movie of the theatre: a title, one line about the whole, a cast and its shots."""

    title: str
    caption: str
    cast: tuple[Puppet, ...]
    shots: tuple[MovieShot, ...]
