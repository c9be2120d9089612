"""Names in a story: which of its words with a capital letter are people, which are places, which neither.

Inside a sentence a capital letter speaks for a name; at its beginning only a word that does what people do,
or comes back, or is a known name.  What is only ever *in* or *at* is a place; weekdays, languages and
countries are nobody.  A word of a script without capitals counts as a name in a text that has them.
"""

import re
from collections import Counter

from cinema_cli.planning.common_words import (
    DOING,
    NEVER_NAMES,
    ORDINARY,
    PLACE_NAMES,
    ROLES,
    TITLES,
    words,
)
from cinema_cli.theatre.names import REAL_NAMES
from cinema_cli.theatre.reading import LOOKING, MOTION, WORD, action_table, place_table

LONGEST_NAME = 40
INSIDE = frozenset(("in", "into", "at", "near", "through", "across", "around", "outside", "inside"))
PERHAPS_PLACE = frozenset(("to", "from", "of", "for"))
PARTICLES = frozenset(("van", "von", "de", "da", "di", "del", "la", "bin", "al", "ibn", "der"))
KNOWN_NAMES = frozenset(REAL_NAMES) | words("""
Tom Fred Ted Ned Bob Bill Jim Joe John James Mary Jane Lily Molly Sally Emily Billy Holly Polly Kelly Milly
Tilly Nelly Amy Beth Peter Harry Charlie William Michael Robert Susan Linda Sarah Jennifer Jessica Ashley
Matthew Andrew Joshua Chris Brian Kevin Steven Jason Jeff Ryan Jacob Nick Dan Mike Steve Alex Ellie Abby Katie
Sophie Olivia Ethan Liam Lucas Mason Logan Ava Mia Tony Jenny Rachel Rebecca Ann Anne Annie Margaret Helen
Betty Dorothy Edward Albert Walter Ralph Jared Alfred Winifred Mildred Manfred Ling Ping Irving Sterling
""")
ALSO_NAMES = words("will rose grace mark hope joy faith bill jack pat rob sue art ray penny sunny amber ivy")
"""Ordinary words that are names where somebody of that name does something."""
BEING = words("was is were are has had have always never still then also only just")
ASKED = words("you he she it they we i the this that there a an my your his her our their")


class Candidates:
    """Words with a capital letter, and what speaks for each being a name."""

    def __init__(self, texts: list[list[str]]) -> None:
        self.inner = {
            token
            for tokens in texts
            for at, token in enumerate(tokens)
            if is_capital(token) and not is_first(tokens, at)
        }
        self.small = {token for tokens in texts for token in tokens if token.islower()}
        letters = Counter(has_case(token) for tokens in texts for token in tokens if token[0].isalpha())
        self.cased = letters[True] >= letters[False]
        self.counts: Counter[str] = Counter()
        self.inside: Counter[str] = Counter()
        self.doing: Counter[str] = Counter()
        self.located: Counter[str] = Counter()
        self.perhaps: Counter[str] = Counter()
        for tokens in texts:
            self._read(tokens)
        self.places = frozenset(run for run in self.counts if self._is_place(run))

    def names(self) -> list[str]:
        """The names, longest first, so that a part of a name finds the whole."""
        runs = [run for run in self.counts if run not in self.places and self._is_name(run)]
        return sorted(runs, key=lambda run: (-len(run.split()), -self.counts[run], run))

    def _read(self, tokens: list[str]) -> None:
        at = 0
        while at < len(tokens):
            words, length = self._run(tokens, at)
            if words:
                self._weigh(tokens, at, words, length)
            at += max(length, 1)

    def _run(self, tokens: list[str], at: int) -> tuple[list[str], int]:
        """The words with capital letters from a token on, as far as they may be one name."""
        if not self._may_begin(tokens, at):
            return [], 1
        words = [bare(tokens[at])]
        end = at + 1
        while end < len(tokens) and not tokens[end - 1].endswith(("'s", "’s")):
            if tokens[end] == "." and words[-1].lower() in TITLES:
                end += 1
            elif tokens[end].lower() in PARTICLES and end + 1 < len(tokens) and is_capital(tokens[end + 1]):
                words.append(tokens[end])
                end += 1
            elif is_capital(tokens[end]) and has_case(tokens[end]) and self._may_be(tokens[end]):
                words.append(bare(tokens[end]))
                end += 1
            else:
                break
        only_title = all(word.lower() in TITLES for word in words)
        return ([], end - at) if only_title else (words, end - at)

    def _may_be(self, token: str) -> bool:
        word = bare(token)
        shouting = len(word) > 1 and word.isupper() and has_case(word)
        small = word.lower()
        nobody = not NEVER_NAMES.isdisjoint((small, small.removesuffix("s"))) or small in ("i", "i'm", "i’m")
        return not nobody and not shouting

    def _may_begin(self, tokens: list[str], at: int) -> bool:
        token = tokens[at]
        word = bare(token)
        if not is_capital(token) or not self._may_be(token) or (not has_case(token) and not self.cased):
            return False
        if len(word) > LONGEST_NAME or (word.lower() in ROLES and word.lower() not in TITLES):
            return False
        if not is_first(tokens, at):
            return True
        if word.lower() in TITLES and at + 1 < len(tokens):
            return is_capital(tokens[at + 1]) or tokens[at + 1] == "."
        small = word.lower()
        if small.endswith("s") and small.removesuffix("s") in ROLES:
            return False
        somebody = word in self.inner or is_pair(tokens, at)
        if small in ORDINARY or small.replace("’", "'") in ORDINARY or small in self.small:
            return (
                small in ALSO_NAMES
                and (somebody or is_finite(tokens, at + 1))
                and not is_question(tokens, at)
            )
        if word in KNOWN_NAMES or somebody:
            return True
        return not word.endswith(("ing", "ly", "ed", "ness", "tion"))

    def _weigh(self, tokens: list[str], at: int, words: list[str], length: int) -> None:
        run = " ".join(words)
        self.counts[run] += 1
        before = tokens[at - 1].lower() if at else ""
        owns = tokens[at + length - 1].endswith(("'s", "’s"))
        looked_at = before == "at" and at > 1 and LOOKING.match(tokens[at - 2].lower()) is not None
        travelled = before in ("to", "from") and not MOTION.isdisjoint(tokens[max(at - 6, 0) : at])
        if (before in INSIDE or travelled) and not owns and not looked_at:
            self.located[run] += 1
        elif before in PERHAPS_PLACE and not owns:
            self.perhaps[run] += 1
        elif not is_first(tokens, at) and before not in ("the", "a", "an"):
            self.inside[run] += 1
        following = tokens[at + length].lower() if at + length < len(tokens) else ""
        did = following.endswith("ed") and not run.endswith("s")
        does = did or following in DOING or following in action_table()
        if (does or is_described(tokens, at + length)) and before not in ("the", "a", "an"):
            self.doing[run] += 1

    def _is_place(self, run: str) -> bool:
        if run.lower() in PLACE_NAMES or run.split()[-1].lower() in PLACE_NAMES:
            return True
        if any(word.lower() in place_table() for word in run.split()):
            return True
        if self.inside[run] or self.doing[run] or run in KNOWN_NAMES:
            return False
        return bool(self.located[run])

    def _is_name(self, run: str) -> bool:
        first = run.split()[0]
        if self.inside[run] or first.lower() in TITLES or first in KNOWN_NAMES or not has_case(first):
            return True
        return bool(self.doing[run] or self.perhaps[run]) or (
            self.counts[run] > 1 and run.lower() not in self.small
        )


def is_finite(tokens: list[str], at: int) -> bool:
    """Whether a token is a verb that tells what somebody does or did, *be* and *have* aside."""
    verb = tokens[at].lower() if at < len(tokens) else ""
    form = action_table().get(verb)
    return (verb in DOING and verb not in BEING) or (form is not None and form[2] != verb)


def is_pair(tokens: list[str], at: int) -> bool:
    """Whether another word with a capital letter is joined to this one: *Hope and Joy*."""
    return at + 2 < len(tokens) and tokens[at + 1].lower() == "and" and is_capital(tokens[at + 2])


def is_question(tokens: list[str], at: int) -> bool:
    """Whether a word that may be a name begins a question instead: *Will he come?*."""
    following = tokens[at + 1].lower() if at + 1 < len(tokens) else ""
    return is_first(tokens, at) and tokens[at].lower() in ORDINARY and following in ASKED


def is_described(tokens: list[str], at: int) -> bool:
    """Whether somebody is told to be something: *Tom, a short man* or *Merlin the wizard*."""
    if tokens[at : at + 1] == ["the"] and at + 1 < len(tokens) and tokens[at + 1].lower() in ROLES:
        return True
    if tokens[at : at + 1] != [","] or tokens[at + 1 : at + 2] not in (
        ["a"],
        ["an"],
        ["the"],
        ["his"],
        ["her"],
    ):
        return False
    return any(token.lower() in ROLES for token in tokens[at + 2 : at + 6])


def is_capital(token: str) -> bool:
    """Whether a word may be a name by its first letter: a capital, or of a script without capitals."""
    return token[0].isalpha() and (token[0].isupper() or token[0].istitle() or not has_case(token))


def has_case(token: str) -> bool:
    """Whether the script of the word has capital letters."""
    return token[0].lower() != token[0].upper()


def is_first(tokens: list[str], at: int) -> bool:
    """Whether a token begins a sentence or a quotation."""
    return at == 0 or tokens[at - 1] in "“”\"'‘’«»„:—–([*.!?…"


def bare(token: str) -> str:
    """The word without the ending of possession."""
    return token.removesuffix("'s").removesuffix("’s")


def has_both_cases(text: str) -> bool:
    """Whether a text has capital and small letters, or its script knows no such thing."""
    return text == text.lower() == text.upper() or (text != text.lower() and text != text.upper())


def capitalised(text: str) -> str:
    """A text all in small or all in capital letters, with those of sentences and of usual names set."""
    names = {name.lower(): name for name in KNOWN_NAMES if name.lower() not in ORDINARY}
    text = WORD.sub(lambda match: names.get(match.group().lower(), match.group().lower()), text)
    text = re.sub(r"\bi\b", "I", text)
    return re.sub(
        r"(?:^|[.!?…][\"”]?\s)\s*[\"“]?\w", lambda match: match.group().upper(), text, flags=re.MULTILINE
    )
