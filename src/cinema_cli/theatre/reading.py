"""Reading a stranger's English: which set, which time and which action its words lead to.

A word either *is* a thing of the theatre ("woods" is its forest) or is *near* one ("library" is near the
castle).  Near words are told to the reader in a note, the others are just other words for the same thing.
Whether a place word tells where a shot plays depends on what stands before it: *into the forest* does,
*a picture of the forest* does not.
"""

import re
from dataclasses import dataclass
from functools import cache

from cinema_cli.theatre.vocabulary import (
    ALIASES,
    IRREGULAR_FORMS,
    LOOSE_PLACES,
    NEAR_ACTIONS,
    NEAR_PLACES,
    NEAR_TIMES,
    ONLY_AFTER,
    SAME_ACTIONS,
    SAME_PLACES,
    SAME_TIMES,
    SILENT_ACTIONS,
)
from cinema_cli.theatre.world import Action, SetName, TimeOfDay

MARKS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0981-\u09e3\u0a01-\u0dff\u0e31-\u0e4e"
)
"""Signs that belong to the letter before them: accents, and the vowels of many scripts."""
LETTER = rf"[^\W\d_][{MARKS}]*"
NAME = rf"(?:{LETTER})+(?:['’\-](?:{LETTER})+)*"
WORD = re.compile(rf"{NAME}|[^\w\s]")
"""A word, O'Brien and Anna-Lena among them, or a punctuation mark."""

DESTINATION = frozenset(
    ("into", "to", "toward", "towards", "onto", "aboard",
     "reach", "reached", "reaches", "enter", "entered", "enters", "cross", "crossed", "crosses",
     "climb", "climbed", "climbs", "visit", "visited", "visits", "explore", "explored", "explores",
     "found", "finds", "discovered", "discovers")
)  # fmt: skip
LOCATION = frozenset(
    ("in", "inside", "at", "on", "under", "beneath", "by", "beside", "near", "among", "through",
     "across", "along", "behind", "within", "around", "over", "up", "down", "between", "outside",
     "past", "before", "above")
)  # fmt: skip
ELSEWHERE = frozenset(
    ("of", "from", "like", "about", "for", "with", "without", "than", "left", "leaves", "as")
)  # fmt: skip
DETERMINERS = frozenset(
    ("the", "a", "an", "his", "her", "their", "my", "our", "its", "your", "this", "that", "some",
     "one", "another")
)  # fmt: skip
GETTING = frozenset(("after", "got", "grew", "became", "the", "was"))
PASSAGE = frozenset(("through", "across", "along"))
PARTS = frozenset(
    (
        "corner",
        "edge",
        "middle",
        "end",
        "top",
        "side",
        "heart",
        "front",
        "foot",
        "centre",
        "center",
        "out",
        "wall",
        "walls",
        "door",
        "gates",
        "roof",
        "window",
        "steps",
        "ruins",
        "streets",
        "surface",
        "bottom",
        "entrance",
        "mouth",
        "outskirts",
        "shore",
        "banks",
    )
)
SNOWY = frozenset(("icy", "snowy", "frozen", "snow-covered"))
LOOKING = re.compile(
    r"(look|star|gaz|point|laugh|shout|glanc|wav|bark|smil|thr[eo]w|listen|nod)(s|es|e|ed|ing)?$"
)
ROOMS = frozenset(("room", "house", "bed", "building", "station"))
SEEING = frozenset(("saw", "sees", "see", "spotted", "spots", "noticed", "notices", "watched", "watches"))
MOTION = frozenset(
    ("go", "goes", "went", "come", "came", "comes", "run", "runs", "ran", "walk", "walks", "walked",
     "back", "return", "returns", "returned", "hurried", "way", "arrived", "reached")
)  # fmt: skip


@dataclass(frozen=True)
class PlaceReading:
    """A place in a text: its set, its word, where in the tokens, how surely the shot plays there (0 to 3)."""

    set: SetName
    word: str
    near: bool
    at: int
    certainty: int
    seen: bool = False
    """Whether it is what somebody looks at."""


@dataclass(frozen=True)
class TimeReading:
    """A time in a text."""

    time: TimeOfDay
    word: str
    near: bool


@dataclass(frozen=True)
class ActionReading:
    """A verb in a text: the action that shows it, its dictionary form, where, and how telling (1 to 3)."""

    action: Action
    verb: str
    near: bool
    at: int
    weight: int


def tokens_of(text: str) -> list[str]:
    """Words and punctuation marks, in lower case."""
    return [token.lower() for token in WORD.findall(text)]


def read_places(text: str) -> list[PlaceReading]:
    """All places that a text may play at, in the order of the text."""
    tokens = tokens_of(text)
    found = []
    for at, token in enumerate(tokens):
        entry = place_entry(tokens, at)
        if entry is None:
            continue
        name, near, loose = entry
        certainty = place_certainty(tokens, at, loose)
        if certainty:
            seen = certainty == 1 and is_looked_at(tokens, at)
            found.append(PlaceReading(name, ALIASES.get(token, token), near, at, certainty, seen))
    return found


def is_looked_at(tokens: list[str], at: int) -> bool:
    """Whether somebody looks at what a token names, or waves to it: *saw the old castle*."""
    for back in range(at - 1, max(at - 5, -1), -1):
        if tokens[back] in SEEING:
            return True
        if tokens[back] in ("at", "to", "towards"):
            return any(LOOKING.match(token) for token in tokens[max(back - 2, 0) : back])
        if tokens[back] in LOCATION | DESTINATION | ELSEWHERE or not tokens[back][0].isalpha():
            return False
    return False


def place_entry(tokens: list[str], at: int) -> tuple[SetName, bool, bool] | None:
    """The set of a token, whether it is only near, and whether the word is loose; none for other words.

    Of two place words in a row the last is meant (*castle kitchen*), unless it is loose (*desert sand*) or
    tells nothing (*throne room*).
    """
    table = place_table()
    entry = table.get(tokens[at])
    following = tokens[at + 1] if at + 1 < len(tokens) else ""
    before = tokens[at - 1] if at else ""
    if tokens[at] in ROOMS and before in table and not table[before][2]:
        return None
    after = table.get(following) if following not in ROOMS else None
    if entry is None or (after is not None and not after[2]) or (entry[2] and before in table):
        return None
    return ("snowfield", False, entry[2]) if before in SNOWY else entry


def place_certainty(tokens: list[str], at: int, loose: bool) -> int:
    """3 for a destination, 2 for a location, 1 for what is looked at or a clause's subject, else 0."""
    word = tokens[at]
    determined = False
    for back in range(at - 1, max(at - 5, -1), -1):
        before = tokens[back]
        determined = determined or before in DETERMINERS
        if before == "of" and back and tokens[back - 1] in PARTS:
            return 2
        if before == "from" and any(LOOKING.match(token) for token in tokens[:back]):
            return 2
        if before in ELSEWHERE or not before[0].isalpha():
            break
        if word == "home" and before in MOTION:
            return 0 if {"not", "never"} & set(tokens[max(back - 2, 0) : back]) else 3
        if before in DESTINATION or before in LOCATION:
            if word in ONLY_AFTER and before not in ONLY_AFTER[word]:
                return 0
            if is_looked_at(tokens, at):
                return 0 if loose else 1
            return 3 if before in DESTINATION or before in PASSAGE else 2
    if is_looked_at(tokens, at) and not loose and word not in ONLY_AFTER:
        return 1
    subject = determined and at <= 4 and tokens[0] in DETERMINERS
    return 1 if subject and not loose and word not in ONLY_AFTER else 0


def best_place(text: str) -> PlaceReading | None:
    """The place where the text plays: the last it goes to, else the first it is in."""
    readings = read_places(text)
    surest = max((reading.certainty for reading in readings), default=0)
    equals = [reading for reading in readings if reading.certainty == surest]
    return (equals[-1] if surest == 3 else equals[0]) if equals else None


def named_place(words: str) -> PlaceReading | None:
    """The place that a short description is about, its first place word: *an old library by the sea*."""
    tokens = tokens_of(words)
    for at, token in enumerate(tokens):
        entry = place_entry(tokens, at)
        if entry is not None:
            name, near, _ = entry
            return PlaceReading(name, ALIASES.get(token, token), near, at, 1)
    return None


def read_time(text: str) -> TimeReading | None:
    """The last time of day that the text tells, or none."""
    tokens = ["", *tokens_of(text), ""]
    found: list[TimeReading] = []
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if before == "good" or (token == "day" and before in ("some", "")):
            continue
        if token in time_table():
            time, near = time_table()[token]
            found.append(TimeReading(time, token, near))
        elif (
            token == "dark" and before in ("after", "got", "grew", "became", "the", "was") and after in ".,;!"
        ):
            found.append(TimeReading("night", "night", False))
        elif token in ("sun", "moon", "stars") and before not in ("on", "to", "among"):
            found.append(light_of(token, after, tokens))
    if {"day", "night"} <= {reading.word for reading in found}:
        return None
    return found[-1] if found else None


def light_of(token: str, after: str, tokens: list[str]) -> TimeReading:
    """What the sun, the moon or the stars tell: they rise, set or shine."""
    if token != "sun":
        return TimeReading("night", "night", False)
    if after in ("rose", "rises", "rising", "came") or "dawn" in tokens:
        return TimeReading("sunset", "sunrise", True)
    setting = not {"set", "sets", "sank", "sinks", "down", "setting", "sinking"}.isdisjoint(tokens)
    return TimeReading("sunset", "sunset", False) if setting else TimeReading("day", "day", False)


def read_actions(text: str) -> list[ActionReading]:
    """All verbs of the text that a puppet can show, in the order of the text."""
    tokens = tokens_of(text)
    found = []
    for at, token in enumerate(tokens):
        before = tokens[max(at - 3, 0) : at]
        before = before[before.index(",") + 1 :] if "," in before else before
        if token in ("goodbye", "farewell", "hello"):
            found.append(ActionReading("waves", token, False, at, 3))
            continue
        entry = action_table().get(token)
        if entry is None or (before and before[-1] in DETERMINERS | {"of"}):
            continue
        if token in ("left", "gone") and before and before[-1] in ("was", "were", "is", "are", "on", "to"):
            continue
        if token == "called" and {"a", "an"} & set(before):  # a dog called Bruno
            continue
        if any(word in ("not", "never") or word.endswith(("n't", "n’t")) for word in before):
            continue
        action, near, verb, weight = entry
        found.append(ActionReading(action, verb, near, at, weight))
    return found


def best_action(readings: list[ActionReading]) -> ActionReading | None:
    """The most telling verb, and of equals the first."""
    return max(readings, key=lambda reading: (reading.weight, -reading.at), default=None)


@cache
def place_table() -> dict[str, tuple[SetName, bool, bool]]:
    """Word -> (set, near, loose)."""
    table: dict[str, tuple[SetName, bool, bool]] = {}
    for names, near, loose in (
        (LOOSE_PLACES, False, True),
        (NEAR_PLACES, True, False),
        (SAME_PLACES, False, False),
    ):
        for name, words in names.items():
            table.update(dict.fromkeys(words.split(), (name, near, loose)))
    return table


@cache
def time_table() -> dict[str, tuple[TimeOfDay, bool]]:
    """Word -> (time, near)."""
    table: dict[str, tuple[TimeOfDay, bool]] = {}
    for names, near in ((NEAR_TIMES, True), (SAME_TIMES, False)):
        for name, words in names.items():
            table.update(dict.fromkeys(words.split(), (name, near)))
    return table


@cache
def action_table() -> dict[str, tuple[Action, bool, str, int]]:
    """Inflected verb -> (action, near, the verb's dictionary form, weight)."""
    table: dict[str, tuple[Action, bool, str, int]] = {}
    for names, near, weight in (
        (SILENT_ACTIONS, False, 1),
        (NEAR_ACTIONS, True, 2),
        (SAME_ACTIONS, False, 3),
    ):
        for name, verbs in names.items():
            for verb in verbs.split():
                table.update(dict.fromkeys(forms_of(verb), (name, near, verb, weight)))
    return table


def forms_of(verb: str) -> list[str]:
    """A verb with its inflections: wave, waves, waved, waving."""
    stem = verb.removesuffix("e")
    third = f"{verb}es" if verb.endswith(("s", "h", "go")) else f"{verb}s"
    return [verb, third, f"{stem}ed", f"{stem}ing", *IRREGULAR_FORMS.get(verb, "").split()]
