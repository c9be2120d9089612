"""Who is in a story: people by name, people by what they are ("the old woman"), and who *she* is.

Two passes.  The first reads the whole text: its names (``names``), what they are (*Otto, the baker*),
who is a she and who a he.  The second goes sentence by sentence and tells who is there, pronouns included:
*she* is the last one spoken of who can be a she, *they* are the last who were together, *I* is the narrator.
"""

from collections import Counter
from collections.abc import Sequence

from cinema_cli.planning.before import NOTHING, Before
from cinema_cli.planning.common_words import (
    AGES,
    ANIMALS,
    GENERIC,
    NOT_QUITE_HUMAN,
    ROLES,
    SAME_KIN,
    TITLES,
)
from cinema_cli.planning.names import LONGEST_NAME, Candidates, bare, is_capital, is_question
from cinema_cli.planning.person import NARRATOR, Called, Person, Presence, words_of
from cinema_cli.planning.phrases import (
    absent,
    acts,
    described,
    feels,
    is_apposition,
    is_object,
    it_acts,
    vanished,
    words_before,
)
from cinema_cli.planning.pronouns import (
    COMPANIONS,
    NUMBERS,
    OWNING,
    PRONOUNS,
    SEVERAL,
    SPOKEN_FOR,
    STRANGER_NAMES,
    STRANGERS,
)
from cinema_cli.planning.prose import Sentence
from cinema_cli.theatre.reading import DETERMINERS, WORD

KIN = {word: same for same in SAME_KIN for word in same}


class People:
    """Everybody in a story, those of the film that it continues included, and who was spoken of last."""

    def __init__(self, sentences: Sequence[Sentence], before: Before = NOTHING) -> None:
        self.met = {each.name: Person(each.name, each.pronoun, each.kind) for each in before.called}
        """Those whom the film showed before, by name."""
        self.known = {word: self.met[each.name] for each in before.called[::-1] for word in each.words}
        """By name or role, in small letters."""
        self.narrator = self.known.pop("i", None)
        self.seen = [self.met[name] for name in before.seen]
        self.recent = list(self.seen)
        """Last spoken of first."""
        self.together: list[Person] = []
        """Those whom a sentence last showed side by side."""
        self.gone: set[Person] = set()
        """Whom the last sentence read tells to be away: *the stranger was gone*."""
        self.strangers = {
            pronoun: self.met[name] for pronoun, name in STRANGER_NAMES.items() if name in self.met
        }
        """Who *she* and *he* are while nobody was named."""
        candidates = Candidates([WORD.findall(sentence.text) for sentence in sentences])
        self.places = candidates.places
        for run in candidates.names():
            self._add_name(run, candidates.counts[run])
        for person in set(self.known.values()) - set(self.met.values()):
            person.name = max(person.forms, key=lambda form: (person.forms[form], len(form), form))
        told = [WORD.findall(sentence.told) for sentence in sentences]
        for tokens in told:
            self._read_apposition(tokens)
            self._read_narrator(tokens)
        self._read_naming([token for tokens in told for token in tokens])
        self._vote([*(WORD.findall(caption) for caption in before.captions), [], *told])

    def forget(self) -> None:
        """Go back to the beginning of the story: of nobody it has spoken yet."""
        self.recent, self.together = list(self.seen), []

    def called(self, person: Person) -> Called:
        """How this story speaks of somebody."""
        words = [word for word, other in self.known.items() if other is person]
        words += ["i"] if person is self.narrator else []
        return Called(name=person.name, pronoun=person.gender, kind=person.kind, words=tuple(words))

    def named_in(self, sentence: Sentence) -> set[Person]:
        """Those who are called by name in a sentence."""
        tokens = WORD.findall(sentence.told)
        hits = {self.known.get(bare(token).lower()) for token in tokens if is_capital(token)}
        return {person for person in hits if person is not None}

    def who(self, sentence: Sentence) -> list[Presence]:
        """Who is there in a sentence, in order, each once; the memory moves on."""
        tokens = WORD.findall(sentence.told)
        found: list[Presence] = []
        owners: list[Presence] = []
        self.gone = set()
        at = end = 0
        while at < len(tokens):
            person, length = self._named(tokens, at)
            if person is not None and found and is_apposition(tokens, at, end):
                person = self._same(person, tokens[at], found[-1].person)
            if person is not None and tokens[at + length - 1].endswith(("'s", "’s")):
                owners.append(Presence(person, at))
            elif person is not None and vanished(tokens, at + length):
                self.gone.add(person)
                self._remember([person])
            elif person is not None and not absent(tokens, at):
                found.append(Presence(person, at))
            elif person is None:
                meant = [Presence(other, at) for other in self._meant(tokens, at, found)]
                end = at + 1 if meant else end
                if tokens[at].lower() in OWNING and not is_object(tokens, at):
                    owners += meant
                else:
                    found += meant
            end = at + length if person is not None else end
            self._remember([presence.person for presence in found[-1:]])
            at += length
        found = found or owners
        unique: dict[Person, Presence] = {}
        for presence in found:
            unique.setdefault(presence.person, presence)
        self._remember(list(unique))
        if len(unique) > 1 and "us" not in tokens:
            self.together = list(unique)
        return list(unique.values())

    def _same(self, person: Person, noun: str, other: Person) -> Person:
        """The one whom an apposition is about: *the mayor, a tall woman,* is one person."""
        if person is other or person in self.recent:
            return person
        self.known[noun.lower()] = other
        other.gender = other.gender or person.gender
        return other

    def _is_name(self, person: Person) -> bool:
        return not person.name.startswith("The ") and person.name.split()[0].lower() not in ROLES

    def _several(self) -> list[Person]:
        """Who *they* are: those last seen together, until two others have come."""
        others = self.recent[: min(map(self.recent.index, self.together), default=0)]
        return self.together if self.together and len(others) < 2 else self.recent[:2]

    def _remember(self, persons: list[Person]) -> None:
        self.recent = list(dict.fromkeys([*persons, *self.recent]))

    def _add_name(self, run: str, count: int) -> None:
        """A name, joined with the person who already bears part of it: *Anna* is *Anna Karenina*."""
        words = run.split()
        titles = [word.lower() for word in words if word.lower() in TITLES]
        parts = [word.lower() for word in words if word.lower() not in TITLES] or titles
        gender = next((TITLES[title] for title in titles if TITLES[title]), None)
        person = self.known.get(" ".join(parts)) or self._met(parts[0])
        if person is None or (gender and person.gender and gender != person.gender):
            person = Person(run)
        person.gender = person.gender or gender
        person.forms[run[:LONGEST_NAME].strip()] += count
        for key in words_of(run):
            self.known.setdefault(key, person)
        self.known[run.lower()] = person

    def _met(self, first: str) -> Person | None:
        """Whom the film knows by that first name alone: its *Mira* is the *Mira Lane* of the story."""
        return next((person for name, person in self.met.items() if name.lower() == first), None)

    def _named(self, tokens: list[str], at: int) -> tuple[Person | None, int]:
        """Who is named at a token, by name or by role, and how many tokens that takes."""
        if is_capital(tokens[at]):
            for length in range(min(5, len(tokens) - at), 0, -1):
                words = [bare(token) for token in tokens[at : at + length] if token != "."]
                person = self.known.get(" ".join(words).lower())
                asks = length == 1 and is_question(tokens, at)
                if person is not None and tokens[at + length - 1] != "." and not asks:
                    return person, length
        return self._by_role(tokens, at), 1

    def _by_role(self, tokens: list[str], at: int) -> Person | None:
        """Who *the old woman* is: somebody spoken of before, or somebody new."""
        noun = tokens[at].lower()
        if noun not in ROLES and noun not in ANIMALS and not feels(tokens, at):
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
            person = next((self.known[word] for word in KIN.get(noun, (noun,)) if word in self.known), None)
        if person is None:
            gender = ROLES.get(noun)
            own = noun in KIN and (not before or (len(before) == 1 and before[0] in OWNING))
            name = noun.title() if own else f"The {key.title()}"
            person = Person(name, gender, noun if noun in NOT_QUITE_HUMAN else None)
        self.known[key] = self.known[noun] = person
        return person

    def _meant(self, tokens: list[str], at: int, found: list[Presence]) -> list[Person]:
        """Whom a pronoun means; *him* and *her* are not the one who acts."""
        word = tokens[at].lower()
        if it_acts(tokens, at) and self.recent and self.recent[0].kind:
            return self.recent[:1]
        if word in SPOKEN_FOR and tokens[at] in ("I", "me", "myself", "my", "My"):
            return [self._narrator()]
        if word.startswith(("i'", "i’")) and tokens[at][0] == "I":
            return [self._narrator()]
        if word in ("we", "us"):
            narrator = self._narrator()
            known = self._several() if narrator in self.together else self.recent
            others = [person for person in known if person is not narrator]
            return [narrator, *(others if narrator in self.together else others[:1])]
        if word == "them" and tokens[at - 1 : at] == ["of"] and tokens[max(at - 2, 0)].lower() in NUMBERS:
            return self.recent[: NUMBERS[tokens[at - 2].lower()]]
        several = self._several() if word in SEVERAL | COMPANIONS else []
        companions = tokens[max(at - 1, 0)].lower() in ("the", "both") and tokens[at + 1 : at + 2] != ["of"]
        if word in SEVERAL or (companions and all(self._is_name(person) for person in several)):
            return several
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
        stranger = self.strangers.setdefault(word, Person(STRANGER_NAMES[word], gender))
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

    def _read_naming(self, tokens: list[str]) -> None:
        """Who got a name later: *She walked in. Her name was Vera*, *a boy came; his name was Ali*."""
        lower = [token.lower() for token in tokens]
        last: dict[str, list[str]] = {}
        for at, word in enumerate(lower):
            before = words_before(lower, at)
            if word in ROLES and before is not None:
                keys = [word, *(f"{age} {word}" for age in before if age in AGES)]
                last |= dict.fromkeys([ROLES[word] or "she", ROLES[word] or "he"], keys)
            named = word in ("her", "his") and lower[at + 1 : at + 2] == ["name"]
            if (
                not named
                or lower[at + 2 : at + 3] not in (["was"], ["is"])
                or not is_capital((tokens[at + 3 :] or ["."])[0])
            ):
                continue
            person, _ = self._name_only(tokens, at + 3)
            if person is not None:
                pronoun = PRONOUNS[word]
                person.gender = person.gender or pronoun
                for key in last.get(pronoun, ()):
                    self.known.setdefault(key, person)
                self.strangers.setdefault(pronoun, person)

    def _read_apposition(self, tokens: list[str]) -> None:
        """What somebody is: *a girl called Mira*, *Otto, the baker,* and *her brother Tom*."""
        lower = [token.lower() for token in tokens]
        for at, noun in enumerate(lower):
            if (noun not in ROLES and noun not in ANIMALS) or words_before(tokens, at) is None:
                continue
            person = self._after_noun(tokens, lower, at) or self._before_noun(tokens, lower, at)
            if person is not None:
                ages = [f"{word} {noun}" for word in words_before(tokens, at) or [] if word in AGES]
                for key in (noun, *ages, *described(lower, at)):
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
