"""Captions of staged shots: many wordings of the same truth for training, one plain one for planning.

Everything that changes pixels is in the words, given the looks that were described before; only the
layout of a place is not, which a model has to remember.  Three things go without saying:

* one figure whose position is not said stands in the middle;
* a figure looks towards the middle of the frame, and from the middle to the right;
* a figure whose look is not described looks as it did before.
"""

import random
from collections.abc import Set
from dataclasses import dataclass

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
from cinema_cli.theatre.world import Facing, Figure, Position, Puppet, StagedShot

DEFAULT_FACING: dict[Position, Facing] = {"left": "right", "middle": "right", "right": "left"}
"""Where a figure looks when the caption does not say: towards the middle of the frame."""

PLAIN = 0.8
"""Chance of the plain word for a part of a look; its synonyms share the rest."""

CANONICAL = 0.15
"""Share of the captions written in the plain wording, so that a model knows the planner's voice best."""


@dataclass(frozen=True)
class Setting:
    """The words chosen for one shot: size, preposition, place, time."""

    size: str
    preposition: str
    place: str
    time: str


def canonical_caption(shot: StagedShot, described: Set[str]) -> str:
    """The plain wording of a shot, always the same."""
    preposition, place = PLACE_WORDS[shot.place.set][0]
    size = SIZE_WORDS[shot.size][0]
    where = f"{preposition} {place} {TIME_WORDS[shot.time][0]}"
    if not shot.figures:
        return f"{size}. Nobody is {where}."
    clauses = []
    for figure in shot.figures:
        name = tag(figure.puppet)
        look = f", {describe_look(figure.puppet)}," if figure.puppet.name in described else ""
        clause = f"{name}{look} {ACTION_WORDS[figure.action][0]} {POSITION_WORDS[figure.position][0]}"
        clauses.append(clause + turn(figure))
    return f"{size}. {capitalised(where)}, {' and '.join(clauses)}."


def describe_look(puppet: Puppet) -> str:
    """The look of a puppet in plain words: build, skin, coat, hat, prop."""
    look = (
        f"{article(puppet.build)} {puppet.build} {puppet.skin}-skinned puppet in {article(puppet.coat)} "
        f"{puppet.coat} coat and {article(puppet.hat)} {puppet.hat} {HAT_WORDS[puppet.hat_shape][0]}"
    )
    return look if puppet.prop is None else f"{look}, {PROP_WORDS[puppet.prop][0]}"


def write_caption(shot: StagedShot, described: Set[str], rng: random.Random) -> str:
    """One of the many captions of a shot; the looks of the ``described`` names are told."""
    if rng.random() < CANONICAL:
        return canonical_caption(shot, described)
    preposition, place = rng.choice(PLACE_WORDS[shot.place.set])
    setting = Setting(
        usually_first(rng, SIZE_WORDS[shot.size], 0.4), preposition, place, rng.choice(TIME_WORDS[shot.time])
    )
    if not shot.figures:
        return write_empty(setting, rng)
    where = f"{setting.preposition} {setting.place}"
    afterwards: list[str] = []
    clauses = [write_figure(figure, shot, described, afterwards, rng) for figure in shot.figures]
    if len(clauses) == 2 and rng.random() < 0.5:
        clauses.reverse()
    doing = rng.choice((" and ", ", ", "; ", " while ")).join(clauses)
    match rng.randrange(6):
        case 0:
            sentences = [setting.size, f"{where} {setting.time}, {doing}"]
        case 1:
            sentences = [f"{setting.size} {where} {setting.time}", doing]
        case 2:
            sentences = [f"{doing}, {where} {setting.time}", setting.size]
        case 3:
            sentences = [setting.size, f"{setting.time}, {where}, {doing}"]
        case 4:
            sentences = [f"{setting.size}, {setting.time}", f"{where}, {doing}"]
        case _:
            sentences = [f"{setting.size} of {setting.place} {setting.time}", doing]
    return " ".join(f"{capitalised(sentence)}." for sentence in sentences + afterwards)


def write_empty(setting: Setting, rng: random.Random) -> str:
    """A caption of a place with nobody in it."""
    where = f"{setting.preposition} {setting.place}"
    match rng.randrange(5):
        case 0:
            return f"{setting.size}. Nobody is {where} {setting.time}."
        case 1:
            return f"{setting.size} of {setting.place} {setting.time}, empty."
        case 2:
            return f"{setting.size}. It is quiet {where} {setting.time}, no one is there."
        case 3:
            return f"{capitalised(setting.time)}, {where}, nobody. {setting.size}."
        case _:
            return f"{setting.size}. {capitalised(setting.place)} {setting.time}, without anyone."


def write_figure(
    figure: Figure, shot: StagedShot, described: Set[str], afterwards: list[str], rng: random.Random
) -> str:
    """A clause for one figure; a look told in a sentence of its own goes into ``afterwards``."""
    subject = tag(figure.puppet)
    if figure.puppet.name in described:
        look = write_look(figure.puppet, rng)
        # Beside a second figure only a look right after its name is read without doubt.
        match rng.randrange(4) if len(shot.figures) == 1 else None:
            case 0:
                afterwards.append(f"{subject} is {look}")
            case 1:
                subject = f"{look}, {subject},"
            case _:
                subject = f"{subject}, {look},"
    action = usually_first(rng, ACTION_WORDS[figure.action], 0.4)
    said = len(shot.figures) == 2 or figure.position != "middle" or rng.random() < 0.6
    facing = turn(figure, rng)
    if not said:
        return f"{subject} {action}{facing}"
    position = usually_first(rng, POSITION_WORDS[figure.position], 0.6)
    match rng.randrange(3):
        case 0:
            return f"{position} {subject} {action}{facing}"
        case 1 if not subject.endswith(","):
            return f"{subject} {position} {action}{facing}"
        case _:
            return f"{subject} {action} {position}{facing}"


def write_look(puppet: Puppet, rng: random.Random) -> str:
    """The look of a puppet in one of many wordings."""
    coat = f"{usually_first(rng, COLOUR_WORDS[puppet.coat])} {usually_first(rng, COAT_WORDS)}"
    hat = f"{usually_first(rng, COLOUR_WORDS[puppet.hat])} {usually_first(rng, HAT_WORDS[puppet.hat_shape])}"
    clothes = [f"{article(coat)} {coat}", f"{article(hat)} {hat}"]
    if rng.random() < 0.3:
        clothes.reverse()
    wearing = rng.choice(("in", "in", "wearing", "with")) + " " + " and ".join(clothes)
    build = usually_first(rng, BUILD_WORDS[puppet.build])
    skin = usually_first(rng, SKIN_WORDS[puppet.skin])
    who = usually_first(rng, PUPPET_WORDS)
    person = f"{build} {skin}-skinned {who}" if rng.random() < 0.7 else f"{build} {who} with {skin} skin"
    look = f"{article(person)} {person} {wearing}"
    return look if puppet.prop is None else f"{look}, {rng.choice(PROP_WORDS[puppet.prop])}"


def turn(figure: Figure, rng: random.Random | None = None) -> str:
    """Where a figure looks or walks, when it is not the default (with ``rng``: sometimes anyway)."""
    expected = figure.facing == DEFAULT_FACING[figure.position]
    if expected and (rng is None or rng.random() < 0.8):
        return ""
    side = figure.facing
    if figure.action == "walks":
        ways = (f", heading {side}", f", going {side}", f" towards the {side}")
    else:
        ways = (f", facing {side}", f", looking {side}", f", turned to the {side}")
    return ways[0] if rng is None else rng.choice(ways)


def tag(puppet: Puppet) -> str:
    """The name as a tag: ``<Mira>``."""
    return f"<{puppet.name}>"


def usually_first(rng: random.Random, words: tuple[str, ...], plain: float = PLAIN) -> str:
    """The first word with the chance ``plain``, else one of the others."""
    return words[0] if rng.random() < plain else rng.choice(words[1:])


def article(words: str) -> str:
    """``an`` before a vowel, else ``a``."""
    return "an" if words[0] in "aeiou" else "a"


def capitalised(sentence: str) -> str:
    """The sentence with its first letter large, the rest untouched."""
    return sentence[:1].upper() + sentence[1:]
