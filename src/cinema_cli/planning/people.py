"""Who is in a story: people by name, people by what they are ("the old woman"), and who *she* is.

Two passes.  The first reads the whole text: its names (``names``), what they are (*Otto, the baker*),
who is a she and who a he.  The second goes sentence by sentence and tells who is there, pronouns included:
*she* is the last one spoken of who can be a she, *they* are the last two, *I* is the narrator.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from cinema_cli.planning.common_words import (
    AGES,
    ANIMALS,
    DOING,
    GENERIC,
    NOT_QUITE_HUMAN,
    ROLES,
    TITLES,
    Gender,
    words,
)
from cinema_cli.planning.names import INSIDE, LONGEST_NAME, Candidates, bare, is_capital
from cinema_cli.planning.prose import Sentence
from cinema_cli.theatre.reading import DETERMINERS, WORD, action_table

NARRATOR = "The Narrator"
ABSENT = frozenset(("of", "about", "without", "like", "than", "from", "for", "as"))
KIN = frozenset(("mother", "father", "grandmother", "grandfather", "grandma", "grandpa", "mum", "mom", "dad"))
STRANGERS = {"she": "woman", "he": "man"}
"""Who a pronoun is that means nobody named before."""
PRONOUNS: dict[str, Gender] = {"she": "she", "he": "he", "him": "he", "her": "she", "his": "he"}
SPOKEN_FOR = frozenset(("i", "me", "myself", "my"))
SEVERAL = frozenset(("they", "them", "both", "themselves", "their"))
OWNING = frozenset(("his", "her", "my", "their"))
"""Words that tell whose a thing is: the owner is shown when nobody else is there."""
AFTER_OBJECT = words("""
to on in into onto from with and the a an by at for his that up down away out off back home until
again across over as but how what when where why if through toward towards under along after before
because while around past there
""")
"""Words before which *her* is a person and not the owner of a thing."""


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


class People:
    """Everybody in a story, and the memory of who was spoken of last."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self.known: dict[str, Person] = {}
        """By name or role, in small letters."""
        self.recent: list[Person] = []
        """Last spoken of first."""
        self.narrator: Person | None = None
        candidates = Candidates([WORD.findall(sentence.text) for sentence in sentences])
        self.places = candidates.places
        for run in candidates.names():
            self._add_name(run, candidates.counts[run])
        for person in set(self.known.values()):
            person.name = max(person.forms, key=lambda form: (person.forms[form], len(form), form))
        told = [WORD.findall(sentence.told) for sentence in sentences]
        for tokens in told:
            self._read_apposition(tokens)
            self._read_narrator(tokens)
        self._vote(told)

    def who(self, sentence: Sentence) -> list[Presence]:
        """Who is there in a sentence, in order, each once; the memory moves on."""
        tokens = WORD.findall(sentence.told)
        found: list[Presence] = []
        owners: list[Presence] = []
        at = 0
        while at < len(tokens):
            person, length = self._named(tokens, at)
            if person is not None and tokens[at + length - 1].endswith(("'s", "’s")):
                owners.append(Presence(person, at))
            elif person is not None and not absent(tokens, at):
                found.append(Presence(person, at))
            elif person is None:
                meant = [Presence(other, at) for other in self._meant(tokens, at, found)]
                if tokens[at].lower() in OWNING and not is_object(tokens, at):
                    owners += meant
                else:
                    found += meant
            self._remember([presence.person for presence in found[-1:]])
            at += length
        found = found or owners
        unique: dict[Person, Presence] = {}
        for presence in found:
            unique.setdefault(presence.person, presence)
        self._remember(list(unique))
        return list(unique.values())

    def _remember(self, persons: list[Person]) -> None:
        self.recent = list(dict.fromkeys([*persons, *self.recent]))

    def _add_name(self, run: str, count: int) -> None:
        """A name, joined with the person who already bears part of it: *Anna* is *Anna Karenina*."""
        words = run.split()
        titles = [word.lower() for word in words if word.lower() in TITLES]
        parts = [word.lower() for word in words if word.lower() not in TITLES] or titles
        gender = next((TITLES[title] for title in titles if TITLES[title]), None)
        person = self.known.get(" ".join(parts))
        if person is None or (gender and person.gender and gender != person.gender):
            person = Person(run)
        person.gender = person.gender or gender
        person.forms[run[:LONGEST_NAME].strip()] += count
        roles = [title for title in titles if title in ROLES]
        for key in (run.lower(), " ".join(parts), *parts, *roles):
            self.known.setdefault(key, person)
        self.known[run.lower()] = person

    def _named(self, tokens: list[str], at: int) -> tuple[Person | None, int]:
        """Who is named at a token, by name or by role, and how many tokens that takes."""
        if is_capital(tokens[at]):
            for length in range(min(5, len(tokens) - at), 0, -1):
                words = [bare(token) for token in tokens[at : at + length] if token != "."]
                person = self.known.get(" ".join(words).lower())
                if person is not None and tokens[at + length - 1] != ".":
                    return person, length
        return self._by_role(tokens, at), 1

    def _by_role(self, tokens: list[str], at: int) -> Person | None:
        """Who *the old woman* is: somebody spoken of before, or somebody new."""
        noun = tokens[at].lower()
        if noun not in ROLES and noun not in ANIMALS:
            return None
        before = words_before(tokens, at)
        kin = noun in KIN and is_capital(tokens[at])
        compound = at + 1 < len(tokens) and tokens[at + 1].lower() in ROLES
        if compound or (before is None and not kin):
            return None
        adjectives = before or []
        if noun in ("dog", "puppy") and not {"and", "with"}.isdisjoint(tokens[max(at - 4, 0) : at]):
            return None  # somebody's dog is a thing carried along
        if noun in ANIMALS and noun not in self.known and not acts(tokens, at):
            return None
        age = next((word for word in adjectives if word in AGES), None) if noun in GENERIC else None
        key = f"{age} {noun}" if age else noun
        indefinite = bool(adjectives) and adjectives[-1] in ("a", "an", "another")
        person = self.known.get(key)
        if person is None and not (age and indefinite):
            person = self.known.get(noun)
        if person is None:
            gender = ROLES.get(noun)
            person = Person(f"The {key.title()}", gender, noun if noun in NOT_QUITE_HUMAN else None)
        self.known[key] = self.known[noun] = person
        return person

    def _meant(self, tokens: list[str], at: int, found: list[Presence]) -> list[Person]:
        """Whom a pronoun means; *him* and *her* are not the one who acts."""
        word = tokens[at].lower()
        if word in SPOKEN_FOR and tokens[at] in ("I", "me", "myself", "my", "My"):
            return [self._narrator()]
        if word.startswith(("i'", "i’")) and tokens[at][0] == "I":
            return [self._narrator()]
        if word in ("we", "us"):
            narrator = self._narrator()
            return [narrator, *[person for person in self.recent if person is not narrator][:1]]
        if word in SEVERAL:
            return self.recent[:2]
        gender = PRONOUNS.get(word.split("'")[0].split("’")[0])
        if gender is None:
            return []
        acting = found[-1].person if found and is_object(tokens, at) else None
        for person in self.recent:
            if person.gender in (gender, None) and person not in (self.narrator, acting):
                person.gender = gender
                return [person]
        role = STRANGERS.get(word)
        if role is None:
            return []
        stranger = Person(f"The {role.title()}", gender)
        self.known.setdefault(role, stranger)
        return [stranger]

    def _narrator(self) -> Person:
        if self.narrator is None:
            self.narrator = Person(NARRATOR)
        return self.narrator

    def _read_narrator(self, tokens: list[str]) -> None:
        """The narrator's name: *my name is Ishmael*, *call me Ishmael*."""
        lower = [token.lower() for token in tokens]
        for at in range(2, len(tokens)):
            before = lower[at - 3 : at]
            if before[-2:] in (["i", "am"], ["call", "me"]) or before == ["my", "name", "is"]:
                person, _ = self._named(tokens, at) if is_capital(tokens[at]) else (None, 1)
                self.narrator = self.narrator or person

    def _read_apposition(self, tokens: list[str]) -> None:
        """What somebody is: *a girl called Mira*, *Otto, the baker,* and *her brother Tom*."""
        lower = [token.lower() for token in tokens]
        for at, noun in enumerate(lower):
            if (noun not in ROLES and noun not in ANIMALS) or words_before(tokens, at) is None:
                continue
            person = self._after_noun(tokens, lower, at) or self._before_noun(tokens, lower, at)
            if person is not None:
                ages = [f"{word} {noun}" for word in words_before(tokens, at) or [] if word in AGES]
                for key in (noun, *ages):
                    self.known.setdefault(key, person)
                person.gender = person.gender or ROLES.get(noun)
                person.kind = noun if noun in NOT_QUITE_HUMAN else person.kind

    def _after_noun(self, tokens: list[str], lower: list[str], at: int) -> Person | None:
        """*a girl called Mira*, *the baker Otto*, *her brother, Tom,*."""
        following = at + 1
        comma = lower[following : following + 1] == [","]
        following += comma
        called = lower[following : following + 1] in (["called"], ["named"])
        following += called
        if following >= len(tokens) or not is_capital(tokens[following]):
            return None
        person, length = self._name_only(tokens, following)
        closed = lower[following + length : following + length + 1] in ([","], ["."])
        return person if called or not comma or closed else None

    def _before_noun(self, tokens: list[str], lower: list[str], at: int) -> Person | None:
        """*Otto, the old baker,* and *Otto was a baker*."""
        start = at - 1
        while start >= 0 and lower[start] not in DETERMINERS:
            start -= 1
        if start < 2 or lower[start] not in ("the", "a", "an"):
            return None
        linked = lower[start - 1] in ("was", "is")
        closed = lower[at + 1 : at + 2] in ([","], ["."], ["who"], ["with"], ["of"], ["in"])
        if not linked and not (lower[start - 1] == "," and closed):
            return None
        return self._name_only(tokens, start - 2)[0] if is_capital(tokens[start - 2]) else None

    def _name_only(self, tokens: list[str], at: int) -> tuple[Person | None, int]:
        person, length = self._named(tokens, at)
        return (None, 1) if length == 1 and tokens[at].lower() in ROLES else (person, length)

    def _vote(self, told: list[list[str]]) -> None:
        """Learn who is a she and who a he from sentences about one person only."""
        votes: dict[Person, Counter[str]] = {}
        named: list[list[Person]] = []
        for tokens in told:
            hits = [self.known.get(bare(token).lower()) for token in tokens if is_capital(token)]
            named.append(list(dict.fromkeys(person for person in hits if person is not None)))
        for index, persons in enumerate(named):
            if len(persons) != 1:
                continue
            heard = list(told[index])
            if index + 1 < len(told) and not named[index + 1]:
                heard += told[index + 1][:4]
            words = (token.lower() for token in heard)
            votes.setdefault(persons[0], Counter()).update(word for word in words if word in ("she", "he"))
        for person, counts in votes.items():
            if person.gender is None and counts["she"] != counts["he"]:
                person.gender = "she" if counts["she"] > counts["he"] else "he"


def words_before(tokens: list[str], at: int) -> list[str] | None:
    """The adjectives before a noun, nearest first, the determiner last; none without a determiner."""
    words: list[str] = []
    for back in range(at - 1, max(at - 5, -1), -1):
        word = tokens[back].lower()
        words.append(word)
        if word in DETERMINERS:
            return words
        if not word[0].isalpha() or word in ABSENT or word in INSIDE or word in ("and", "or", "to", "with"):
            return None
    return None


def absent(tokens: list[str], at: int) -> bool:
    """Whether somebody is only spoken of: *a letter from Otto*; but *in front of Otto* is there."""
    start = at - len(words_before(tokens, at) or []) - 1
    if start < 0 or tokens[start].lower() not in ABSENT:
        return False
    return not (
        start and tokens[start - 1].lower() in ("front", "side", "top", "because", "waited", "looked")
    )


def is_object(tokens: list[str], at: int) -> bool:
    """Whether a pronoun is one to whom something is done: *led her on*, not *her lamp*."""
    word = tokens[at].lower()
    if word in ("him", "them"):
        return True
    if word != "her":
        return False
    return at + 1 == len(tokens) or not tokens[at + 1][0].isalpha() or tokens[at + 1].lower() in AFTER_OBJECT


def acts(tokens: list[str], at: int) -> bool:
    """Whether the noun does something in the next words."""
    for token in tokens[at + 1 : at + 4]:
        if not token[0].isalpha():
            return False
        if token.lower() in DOING or token.lower() in action_table() or token.lower() in ("called", "named"):
            return True
    return False
