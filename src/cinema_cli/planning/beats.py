"""Beats: what each sentence of a story shows, read in order with what was said before in mind.

Place and time hold until the story changes them; people hold through sentences that name nobody, unless
such a sentence opens a paragraph or looks at the place, the hour or the weather: then the stage is empty.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from cinema_cli.planning.before import NOTHING, Before
from cinema_cli.planning.common_words import FEELING, SPEAKING, words
from cinema_cli.planning.groups import groups_in
from cinema_cli.planning.names import INSIDE, bare, is_capital
from cinema_cli.planning.people import People
from cinema_cli.planning.person import Person, Presence
from cinema_cli.planning.prose import Sentence
from cinema_cli.storyboard import SpokenLine
from cinema_cli.theatre.reading import (
    WORD,
    best_action,
    best_place,
    named_place,
    place_table,
    read_actions,
    read_time,
    time_table,
)

NOWHERE = "the stage"
"""Where a story plays that names no place at all: the bare stage of the theatre."""

WEATHER = {
        "rain": "rain", "rained": "rain", "raining": "rain", "storm": "storm", "storms": "storm",
    "fog": "fog",     "mist": "mist", "wind": "wind", "winds": "wind", "thunder": "thunder",
    "lightning": "lightning",     "clouds": "clouds", "hail": "hail", "drizzle": "rain",
    "snowed": "falling snow", "snowing": "falling snow",
}  # fmt: skip
SCENERY = WEATHER.keys() | words("""
snow sky sun moon stars air silence leaves waves tide birds light shadows nobody empty
""")
BACK = words("back return returned returns returning")
DEPARTURE = re.compile(r"\b(?:left|leaves|leaving|leave|from) (?:the |his |her |their |my |our )?([^\W\d_]+)")
HEADED = re.compile(r"In the ([^,:]{1,60}), (?:by|at|in the) \w+: ")
"""A scene heading as prose: *In the brick's patio, by day: ...*"""
PROPER_BEFORE = INSIDE | {"to", "from", "reached", "towards"}
ENDS_SPEECH = (".", ",", "!", "?", "…", "—", "-")
WITHOUT_ARTICLE = frozenset(("home", "space", "mars", "orbit"))


@dataclass(frozen=True)
class Doing:
    """Somebody and the words of what they do."""

    person: Person
    words: str


@dataclass(frozen=True)
class Beat:
    """What one sentence shows."""

    text: str
    place: str
    time: str
    doing: tuple[Doing, ...]
    near: bool
    """Whether it is about speech or feeling: the camera goes close."""
    back: bool
    """Whether somebody comes back: they walk against the way they went."""
    weight: int
    """How much happens; of sentences that share a shot the weightiest is shown."""
    lines: tuple[SpokenLine, ...] = ()
    """What is said."""


class BeatReader:
    """Reads the sentences of a story one after the other."""

    def __init__(self, sentences: Sequence[Sentence], people: People, before: Before = NOTHING) -> None:
        self.people = people
        self.place = before.place or self._opening(sentences)
        self.time = before.time
        self.last: tuple[Person, ...] = ()
        self.speaker: Person | None = None
        self.unshown: set[str] = set()
        self.groups: list[str] = []

    def _opening(self, sentences: Sequence[Sentence]) -> str:
        """Where the story begins: the first place where it plays, else the bare stage."""
        for sentence in sentences:
            left = DEPARTURE.search(sentence.told.lower())
            place = self._proper_place(WORD.findall(sentence.told)) or place_in(left.group(1) if left else "")
            place = place or place_in(sentence.told, subject=True) or place_headed(sentence.told)
            if place:
                return place
        return NOWHERE

    def read(self, sentence: Sentence) -> tuple[Beat, list[Presence]]:
        """The beat of a sentence, and who is named in it."""
        told = self._without_names(sentence.told)
        tokens = WORD.findall(told)
        small = [token.lower() for token in tokens]
        present = self.people.who(sentence)
        self.groups += groups_in(tokens, {presence.at for presence in present})
        place = self._proper_place(tokens) or place_in(told, subject=not present, now=self.place)
        place = place or place_headed(told)
        time = read_time(told)
        self.unshown.update(WEATHER[word] for word in small if word in WEATHER)
        scenic = place is not None or time is not None or any(word in SCENERY for word in small)
        persons = [presence.person for presence in present] or self._silent(sentence, scenic)
        persons = [person for person in persons if person not in self.people.gone]
        here = place or place_seen(told) or self.place
        self.place = place or self.place
        self.time = time.word if time else self.time
        doing = tuple(
            Doing(person, words)
            for person, words in self._doings(persons, present, tokens, sentence.continues)
        )
        near = sentence.speaks or not (SPEAKING | FEELING).isdisjoint(small)
        self.speaker = persons[0] if sentence.speaks and persons else self.speaker
        self.last = tuple(persons)
        verbs = read_actions(told)
        weight = 2 * len(present) + max((verb.weight for verb in verbs), default=0) + 2 * (place is not None)
        back = not BACK.isdisjoint(small) or ("home" in small and "left" not in small)
        lines = self._lines(sentence, persons, small)
        return Beat(sentence.text, here, self.time, doing, near, back, weight, lines), present

    def _lines(self, sentence: Sentence, persons: list[Person], small: list[str]) -> tuple[SpokenLine, ...]:
        """What is said in a sentence and by whom; a word in quotation marks alone is no speech."""
        speaker = persons[0] if persons else self.speaker
        if speaker is None:
            return ()
        said = not SPEAKING.isdisjoint(small)
        texts = [text for text in sentence.said if said or text.endswith(ENDS_SPEECH)]
        return tuple(SpokenLine(speaker=speaker.name, text=text) for text in texts)

    def _without_names(self, told: str) -> str:
        """The words with names that mean an hour or a place taken out: *Dawn woke up*."""

        def unnamed(match: re.Match[str]) -> str:
            word = match.group()
            telling = word.lower() in time_table() or word.lower() in place_table()
            return "Somebody" if telling and is_capital(word) and word.lower() in self.people.known else word

        return WORD.sub(unnamed, told)

    def _silent(self, sentence: Sentence, scenic: bool) -> list[Person]:
        """Who is there when the sentence names nobody."""
        if sentence.continues:
            return list(self.last)
        if sentence.speaks:
            if not self.last:
                return self.people.recent[:1]
            others = [person for person in self.people.recent[:2] if person is not self.speaker]
            return others[:1] or list(self.last[:1])
        return [] if scenic or sentence.opens else list(self.last)

    def _doings(
        self, persons: list[Person], present: list[Presence], tokens: list[str], goes_on: bool
    ) -> list[tuple[Person, str]]:
        """What each does: the verb after the name, else the one before the first name; *and* shares it."""
        verbs = read_actions(" ".join(tokens))
        if not present:
            shared = best_action(verbs) if goes_on else None
            return [(person, shared.verb if shared else "stands") for person in persons]
        found: list[tuple[Person, str]] = []
        for index, presence in enumerate(present):
            end = present[index + 1].at if index + 1 < len(present) else len(tokens)
            own = best_action([verb for verb in verbs if presence.at < verb.at < end])
            if own is None and index + 1 < len(present) and joined(tokens, presence.at, end):
                own = best_action([verb for verb in verbs if verb.at > presence.at])
            if own is None and index == 0:
                own = best_action([verb for verb in verbs if verb.at < presence.at])
            if own is None and index and presence.at == present[index - 1].at:
                found.append((presence.person, found[-1][1]))
                continue
            found.append((presence.person, own.verb if own else "stands"))
        if len({presence.at for presence in present}) == 1:
            shared = best_action(verbs)
            return [(person, shared.verb if shared else "stands") for person, _ in found]
        return found

    def _proper_place(self, tokens: list[str]) -> str | None:
        """A place with a name of its own, after a word such as *in*."""
        for before, token in pairwise(tokens):
            if before.lower() in PROPER_BEFORE and bare(token) in self.people.places:
                return token
        return None


def place_in(told: str, subject: bool = False, now: str = "") -> str | None:
    """The words of the place where a sentence plays, or none.

    A place that is only spoken of (*the harbour was dark*) counts where ``subject`` says so; what lies in
    the place where we are now (*behind the boats*, in the harbour) does not lead away from it.
    """
    reading = named_place(told) if " " not in told else best_place(told)
    if reading is None or (reading.certainty == 1 and not subject and " " in told):
        return None
    here = named_place(now)
    if here is not None and here.set == reading.set and (reading.certainty < 3 or not reading.near):
        return now if reading.near or not here.near or reading.certainty < 3 else f"the {reading.word}"
    if reading.word in WITHOUT_ARTICLE:
        return "Mars" if reading.word == "mars" else reading.word
    return f"the {reading.word}"


def place_headed(told: str) -> str | None:
    """The place that a scene heading names, be it one that the theatre knows or not (``fountain``)."""
    heading = HEADED.match(told)
    return f"the {heading[1]}" if heading else None


def place_seen(told: str) -> str | None:
    """The set that somebody looks at, for this one shot; what only comes near a set is not gone to."""
    reading = best_place(told)
    return f"the {reading.word}" if reading is not None and reading.seen and not reading.near else None


def joined(tokens: list[str], at: int, end: int) -> bool:
    """Whether two people share their verb: *Mira and Otto ran*."""
    return end - at <= 3 and tokens[end - 1] in ("and", ",")
