"""Somebody in a story, and the words by which a text calls them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from cinema_cli.config import Config
from cinema_cli.fields import Line
from cinema_cli.planning.common_words import NOT_QUITE_HUMAN, ROLES, TITLES, Gender

NARRATOR = "The Narrator"


@dataclass(eq=False)
class Person:
    """Somebody in the story; ``kind`` is the noun when it is not a human being."""

    name: str
    gender: Gender | None = None
    kind: str | None = None
    forms: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Presence:
    """Somebody in a sentence, at a token of what is told."""

    person: Person
    at: int


class Called(Config):
    """How a story speaks of somebody in the cast, so that the text that continues it means the same one."""

    name: Line
    """The name that captions tag."""
    pronoun: Gender | None = None
    """She or he, where the story tells."""
    kind: Line | None = None
    """The noun, where it is not a human being."""
    words: Annotated[tuple[Line, ...], Field(max_length=1000)] = ()
    """What else means them, in small letters: *mira*, *the girl* as *girl*, *i* for the narrator."""


def called_by_name(name: str) -> Called:
    """How a text will speak of somebody of whom nothing but the name is known."""
    words = words_of(name)
    noun = words[-1] if words else ""
    return Called(
        name=name,
        pronoun=ROLES.get(noun),
        kind=noun if noun in NOT_QUITE_HUMAN else None,
        words=tuple(words),
    )


def words_of(name: str) -> list[str]:
    """What means somebody of that name, in small letters: *captain ahab*, *ahab*, *captain*."""
    if name == NARRATOR:
        return ["i"]
    small = name.lower()
    if small.startswith("the "):
        rest = small.removeprefix("the ")
        return list(dict.fromkeys((rest, rest.split()[-1])))
    titles = [word for word in small.split() if word in TITLES]
    parts = [word for word in small.split() if word not in TITLES] or titles
    roles = [title for title in titles if title in ROLES]
    return list(dict.fromkeys((small, " ".join(parts), *parts, *roles)))
