"""What a caption in the theatre's words asks for, read back: the truth that a frame is measured against.

``captions`` writes one staged shot in many wordings; this reads every one of them.  A caption in other words,
or one that says the same thing twice and differently, is not guessed at: the answer is none.  Only the layout
of a place is in no caption; whoever asks gives it.

Captions that a person edited are read as long as they keep the theatre's words for what they tell.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, cast

from cinema_cli.storyboard import tags
from cinema_cli.theatre.captions import DEFAULT_FACING
from cinema_cli.theatre.wording import (
    ACTION_WORDS,
    BUILD_WORDS,
    COAT_WORDS,
    COLOUR_WORDS,
    HAT_WORDS,
    PLACE_WORDS,
    POSITION_WORDS,
    PROP_WORDS,
    PUPPET_WORDS,
    SIZE_WORDS,
    SKIN_WORDS,
    TIME_WORDS,
)
from cinema_cli.theatre.world import (
    Action,
    Build,
    Colour,
    Facing,
    Figure,
    HatShape,
    Place,
    Position,
    Prop,
    Puppet,
    SetName,
    ShotSize,
    Skin,
    StagedShot,
    TimeOfDay,
)

_TURNED = re.compile(r"\b(?:heading|going|towards the|facing|looking|turned to the) (left|right)\b")


def read_caption(caption: str, looks: Mapping[str, Puppet], layout: int = 0) -> StagedShot | None:
    """The shot that a caption describes; none where it is not in the theatre's words.

    Args:
        caption: with its ``<Name>`` tags.
        looks: of everybody whom it names; a look that it tells itself is in them already.
        layout: of the place.
    """
    names = tags(caption)
    if len(names) > 2 or any(name not in looks for name in names):
        return None
    plain = _TAG.sub("<>", caption)
    size, set_, time = _only(_sizes(), plain), _only(_sets(), plain), _only(_times(), plain)
    if size is None or set_ is None or time is None:
        return None
    figures = [_figure(caption, name, looks[name], alone=len(names) == 1) for name in names]
    if None in figures or len({figure.position for figure in figures if figure}) != len(names):
        return None
    return StagedShot(
        Place(cast(SetName, set_), layout),
        cast(TimeOfDay, time),
        cast(ShotSize, size),
        tuple(sorted((figure for figure in figures if figure), key=lambda figure: figure.position)),
    )


def read_look(name: str, text: str) -> Puppet | None:
    """The puppet that a text describes; none where coat, hat, build or skin is missing or told twice."""
    coat, hat = _only(_coats(), text), _only(_hats(), text)
    build, skin = _only(_builds(), text), _only(_skins(), text)
    if coat is None or hat is None or build is None or skin is None:
        return None
    colour, shape = hat.split(" ")
    return Puppet(
        name,
        cast(Colour, coat),
        cast(Colour, colour),
        cast(HatShape, shape),
        cast(Skin, skin),
        cast(Build, build),
        cast("Prop | None", _only(_props(), text)),
    )


def told_look(caption: str, name: str) -> str | None:
    """The part of a caption that tells somebody's look; none where it only names them.

    Beside a second figure a look stands right after its name; that of a single figure may stand anywhere.
    """
    names = tags(caption)
    if name not in names:
        return None
    part = caption if len(names) == 1 else _clause(caption, name)
    return part if _coats().search(part) else None


def _figure(caption: str, name: str, puppet: Puppet, alone: bool) -> Figure | None:
    part = caption if alone else _clause(caption, name)
    action = _only(_actions(), part)
    position = _only(_positions(), part)
    if position is None and alone:
        position = None if _positions().search(part) else "middle"
    if action is None or position is None:
        return None
    place = cast(Position, position)
    turned = set(_TURNED.findall(part))
    facing = cast(Facing, turned.pop()) if len(turned) == 1 else DEFAULT_FACING[place]
    return Figure(puppet, place, facing, cast(Action, action))


def _clause(caption: str, name: str) -> str:
    """From a name to the next one; a position right before a name belongs to that name."""
    starts = [(match.start(), match.end(), match[1]) for match in _LED_TAG.finditer(caption)]
    ends = [start for start, _, _ in starts[1:]] + [len(caption)]
    return " ".join(
        caption[start:end] for (start, _, found), end in zip(starts, ends, strict=True) if found == name
    )


class _Table:
    """Phrases and what each means; of two that begin at one place the longer one is meant."""

    def __init__(self, meanings: Iterable[tuple[str, str]]) -> None:
        self.meaning = {phrase.lower(): key for phrase, key in meanings}
        longest_first = sorted(self.meaning, key=len, reverse=True)
        self.pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])", re.I)

    def search(self, text: str) -> bool:
        return self.pattern.search(text) is not None

    def found(self, text: str) -> set[str]:
        return {self.meaning[phrase.lower()] for phrase in self.pattern.findall(text)}


def _only(table: _Table, text: str) -> str | None:
    """The one meaning that a text has; none where it has none or several."""
    found = table.found(text)
    return found.pop() if len(found) == 1 else None


def _words(table: Mapping[Any, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(word, str(key)) for key, words in table.items() for word in words]


_TAG = re.compile(r"<[^<>]+>")
_POSITION = "|".join(
    re.escape(word) for words in POSITION_WORDS.values() for word in sorted(words, key=len, reverse=True)
)
_LED_TAG = re.compile(rf"(?:(?:{_POSITION}) )?<([^<>]+)>", re.I)


@cache
def _sets() -> _Table:
    # With and without its preposition: "a wide view of the moon base", but no "moon" of a night.
    return _Table((place, name) for name, places in PLACE_WORDS.items() for _, place in places)


@cache
def _times() -> _Table:
    return _Table(_words(TIME_WORDS))


@cache
def _sizes() -> _Table:
    return _Table(_words(SIZE_WORDS))


@cache
def _actions() -> _Table:
    return _Table(_words(ACTION_WORDS))


@cache
def _positions() -> _Table:
    return _Table(_words(POSITION_WORDS))


@cache
def _coats() -> _Table:
    return _Table((f"{word} {coat}", key) for word, key in _words(COLOUR_WORDS) for coat in COAT_WORDS)


@cache
def _hats() -> _Table:
    colours, hats = _words(COLOUR_WORDS), _words(HAT_WORDS)
    return _Table((f"{word} {hat}", f"{key} {shape}") for word, key in colours for hat, shape in hats)


@cache
def _builds() -> _Table:
    """A build stands before a skin or before what somebody is: no "tall hat", no "little dog"."""
    return _Table(
        (f"{word} {rest}", key)
        for word, key in _words(BUILD_WORDS)
        for rest in (
            *(f"{skin}-skinned" for skin, _ in _words(SKIN_WORDS)),
            *PUPPET_WORDS,
        )
    )


@cache
def _skins() -> _Table:
    words = _words(SKIN_WORDS)
    return _Table((f"{word}{rest}", key) for word, key in words for rest in ("-skinned", " skin"))


@cache
def _props() -> _Table:
    return _Table(_words(PROP_WORDS))
