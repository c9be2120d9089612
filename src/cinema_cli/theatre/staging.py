"""Staging: from what a story asks for to what the theatre has (the planner's last step).

Places, times and doings come in plain English.  What the theatre lacks is staged as the nearest thing it
has, and every such choice is told in one plain line; nothing is replaced silently.  The same place words
always get the same layout, and two different places on the same set get two layouts.
"""

import zlib
from dataclasses import dataclass

from cinema_cli.theatre.captions import DEFAULT_FACING
from cinema_cli.theatre.reading import best_action, named_place, read_actions, read_time, tokens_of
from cinema_cli.theatre.wording import PLACE_WORDS
from cinema_cli.theatre.world import (
    Action,
    Facing,
    Figure,
    Place,
    Position,
    Puppet,
    SetName,
    ShotSize,
    StagedShot,
    TimeOfDay,
)

MOST_FIGURES = 2
"""Puppets that fit into a frame."""

SHOWN_AS: dict[Action, str] = {
    "stands": "standing",
    "walks": "walking",
    "waves": "waving",
    "jumps": "jumping",
}


@dataclass(frozen=True)
class Acting:
    """Somebody in a shot: the puppet, what it does in plain words, and where, if that is settled."""

    puppet: Puppet
    doing: str = "stands"
    position: Position | None = None
    facing: Facing | None = None


@dataclass(frozen=True)
class ShotDescription:
    """A shot in plain words: *the old library*, *late in the evening*, and who is there."""

    place: str
    time: str = "by day"
    size: ShotSize = "medium"
    acting: tuple[Acting, ...] = ()


def stage(description: ShotDescription, seed: int = 0) -> tuple[StagedShot, list[str]]:
    """The shot as the theatre can show it, and a line for everything that had to be replaced.

    Args:
        description: The shot in plain words.
        seed: Varies the layouts of the places.
    """
    notes: list[str] = []
    place = stage_place(description.place, seed, notes)
    time = stage_time(description.time, notes)
    shown, left_out = description.acting[:MOST_FIGURES], description.acting[MOST_FIGURES:]
    if left_out:
        on = listed([acting.puppet.name for acting in shown])
        off = listed([acting.puppet.name for acting in left_out])
        notes.append(f"at most two puppets share a frame: {on} are shown, {off} not")
    figures = [
        Figure(
            acting.puppet,
            position,
            acting.facing or DEFAULT_FACING[position],
            stage_doing(acting.doing, notes),
        )
        for acting, position in zip(shown, positions_of(shown), strict=True)
    ]
    return StagedShot(place, time, description.size, tuple(figures)), list(dict.fromkeys(notes))


def stage_place(words: str, seed: int, notes: list[str]) -> Place:
    """The set that the words name or come nearest to, with the layout that belongs to them."""
    reading = named_place(words)
    if reading is not None:
        key = reading.word.removesuffix("s") if reading.near else reading.set
        if reading.near:
            notes.append(staged_as(with_article(reading.word), reading.set))
        return Place(reading.set, layout_of(f"{reading.set} {key}", seed))
    proper = words[:1].isupper()
    nearest: SetName = "city" if proper else "theatre"
    notes.append(staged_as(words if proper else f"“{words}”", nearest))
    return Place(nearest, layout_of(f"{nearest} {' '.join(tokens_of(words))}", seed))


def stage_time(words: str, notes: list[str]) -> TimeOfDay:
    """The time of day that the words tell; day when they tell none."""
    reading = read_time(words)
    if reading is None:
        return "day"
    if reading.near:
        notes.append(f"{reading.word} is lit as {reading.time}")
    return reading.time


def stage_doing(words: str, notes: list[str]) -> Action:
    """The action that shows the words; a puppet with nothing to do stands."""
    reading = best_action(read_actions(words))
    if reading is None:
        return "stands"
    if reading.near:
        notes.append(f"to {reading.verb} is shown as {SHOWN_AS[reading.action]}")
    return reading.action


def positions_of(shown: tuple[Acting, ...]) -> list[Position]:
    """Where the figures stand: as settled, else in the middle, or left and right."""
    if len(shown) < 2:
        return [acting.position or "middle" for acting in shown]
    first, second = (acting.position for acting in shown)
    return (
        ["right", "left"] if first == "right" or (first is None and second == "left") else ["left", "right"]
    )


def layout_of(key: str, seed: int) -> int:
    """A layout seed that depends on nothing but the key and the seed."""
    return zlib.crc32(f"{key} {seed}".encode()) & 0x7FFFFFFF


def staged_as(words: str, name: SetName) -> str:
    """The note for a place that the theatre lacks."""
    plural = words.islower() and is_plural(words) and not words.startswith(("a ", "an "))
    verb = "are" if plural else "is"
    return f"{words} {verb} staged as {PLACE_WORDS[name][0][1]}"


def with_article(noun: str) -> str:
    """``a library``, ``an island``, ``the moon``; plurals and proper nouns stay as they are."""
    if noun in ("moon", "sea", "ocean", "countryside", "galaxy", "universe"):
        return f"the {noun}"
    if noun in ("home", "orbit", "mars"):
        return "Mars" if noun == "mars" else noun
    if is_plural(noun):
        return noun
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def is_plural(noun: str) -> bool:
    """Whether a noun speaks of several: *fields*, not *bus*."""
    return noun.endswith("s") and not noun.endswith(("ss", "us"))


def listed(words: list[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
