"""Prose cut into a title, paragraphs and sentences, with what is told kept apart from what is said.

A sentence ends at ``.``, ``!``, ``?`` or ``…`` (and their East Asian forms), but not after an abbreviation
or an initial, not inside a quotation, and not before a small letter ("Stop!" she said).
"""

import re
import unicodedata
from dataclasses import dataclass

from cinema_cli.planning.common_words import SPEAKING
from cinema_cli.theatre.reading import NAME, read_actions

WORD = re.compile(NAME)

ABBREVIATIONS = frozenset(
    ("mr", "mrs", "ms", "dr", "prof", "st", "mt", "capt", "col", "gen", "lt", "sgt", "rev", "hon",
     "jr", "sr", "vs", "etc", "eg", "ie", "no", "vol", "ch", "approx", "dept", "fig", "mme", "mlle",
     "insp")
)  # fmt: skip
TITLE_WORDS = 12
TITLE_CHARACTERS = 80
LONGEST = 400
"""Characters; a longer sentence is cut at a semicolon, a comma or a space."""

_TERMINATOR = re.compile(r"[.!?…]+[\"'”’»)\]*_]*(?=\s|$)|[。！？]+[”’」』)]*")
_OPEN, _CLOSE = "“«„「『", "”»」』"
_MARKS = "“”«»„「」『』\"'‘’ "
_SAID = re.compile(
    r"“[^”]*(?:”|$)|«[^»]*(?:»|$)|„[^“”]*(?:[“”]|$)|「[^」]*(?:」|$)|『[^』]*(?:』|$)|\"[^\"]*(?:\"|$)"
    r"|(?<!\w)['‘](?=\w)(?:[^'’]|(?<=\w)['’](?=\w)){1,400}[,.!?…—]['’](?!\w)"
)


@dataclass(frozen=True)
class Sentence:
    """A sentence, and how it lies in the text."""

    text: str
    paragraph: int
    opens: bool = False
    """Whether it is the first of its paragraph."""

    @property
    def told(self) -> str:
        """The words outside quotations."""
        return _SAID.sub(" “” ", self.text)

    @property
    def said(self) -> tuple[str, ...]:
        """What is said in it, without quotation marks."""
        found = (" ".join(match.group().strip(_MARKS).split()) for match in _SAID.finditer(self.text))
        return tuple(text for text in found if WORD.search(text))

    @property
    def continues(self) -> bool:
        """Whether it goes on with the sentence before: the second half of one that was cut."""
        return self.text[:1].islower()

    @property
    def speaks(self) -> bool:
        """Whether somebody says something in it."""
        return _SAID.search(self.text) is not None

    @property
    def words(self) -> int:
        """How many words it has."""
        return len(self.text.split())


@dataclass(frozen=True)
class Prose:
    """A story as sentences."""

    title: str
    """As the text gives it, or empty."""
    sentences: tuple[Sentence, ...]


def cut(text: str) -> Prose:
    """Cut a story into its title and its sentences."""
    paragraphs = paragraphs_of(text)
    title = ""
    if len(paragraphs) > 1 or (paragraphs and "\n" in paragraphs[0]):
        first, _, rest = paragraphs[0].partition("\n")
        if is_title(first):
            title = first.strip("#*_= \t")
            paragraphs = [rest.strip(), *paragraphs[1:]] if rest.strip() else paragraphs[1:]
    sentences: list[Sentence] = []
    for number, paragraph in enumerate(paragraphs):
        pieces = sentences_of(" ".join(paragraph.split()))
        sentences += [Sentence(piece, number, index == 0) for index, piece in enumerate(pieces)]
    return Prose(title, tuple(sentences))


def paragraphs_of(text: str) -> list[str]:
    """Paragraphs of a text; control characters become spaces, accents one letter each."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"[\u0085\u2028\u2029]", "\n", text)
    text = re.sub(r"[^\S\n]|[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\ufeff]", " ", text)
    return [block.strip() for block in re.split(r"\n *(?:\n *)+", text) if WORD.search(block)]


def is_title(line: str) -> bool:
    """Whether a first line reads like a title: a few words, no sentence."""
    line = line.strip()
    if line.startswith("#"):
        return True
    short = len(line) <= TITLE_CHARACTERS and len(line.split()) <= TITLE_WORDS
    sentence = line.endswith((".", ",", ";", ":", "”", '"', "。")) or len(sentences_of(line)) > 1
    return short and WORD.search(line) is not None and not sentence


def sentences_of(paragraph: str) -> list[str]:
    """The sentences of a paragraph that is one line."""
    found: list[str] = []
    start = 0
    quoted = quotations(paragraph)
    for match in _TERMINATOR.finditer(paragraph):
        end = match.end()
        if ends_sentence(paragraph, start, match, quoted):
            found.append(paragraph[start:end].strip())
            start = end
    found.append(paragraph[start:].strip())
    return [piece for sentence in found if WORD.search(sentence) for piece in shortened(sentence)]


def quotations(paragraph: str) -> list[tuple[int, int]]:
    """From where to where somebody speaks; a quotation that is never closed does not count."""
    spans = [match.span() for match in _SAID.finditer(paragraph)]
    return [span for span in spans if paragraph[span[1] - 1] not in _OPEN and span[1] - span[0] > 1]


def ends_sentence(paragraph: str, start: int, match: re.Match[str], quoted: list[tuple[int, int]]) -> bool:
    """Whether the full stop (or its like) ends the sentence that began at ``start``."""
    after = paragraph[match.end() :].lstrip()
    first = after.lstrip("\"'“‘«„([*_—– ")[:1]
    if first.islower():
        return False
    if any(begin < match.start() and match.end() < end for begin, end in quoted):
        return False
    said_by = [word.lower() for word in WORD.findall(after)[1:3]]
    if match.group()[-1] in _CLOSE + "\"'" and not SPEAKING.isdisjoint(said_by):  # “Stop!” Mira said.
        return False
    if match.group()[0] != "." or match.group().startswith(".."):
        return True
    before = re.search(r"([^\W\d_]+)(?:\.[^\W\d_]+)*$", paragraph[start : match.start()])
    if before is None:
        return True
    initial = len(before.group(1)) == 1 and before.group(1).isupper() and before.group(1) != "I"
    return not (initial or before.group().replace(".", "").lower() in ABBREVIATIONS)


def shortened(sentence: str) -> list[str]:
    """The sentence, in pieces of at most ``LONGEST`` characters."""
    pieces = []
    while len(sentence) > LONGEST:
        at = max(sentence.rfind(mark, LONGEST // 2, LONGEST) for mark in ("; ", ", "))
        if at < 0:
            at = sentence.rfind(" ", 1, LONGEST)
        at = at if at > 0 else LONGEST - 1
        pieces.append(sentence[: at + 1].strip())
        sentence = sentence[at + 1 :].strip()
    return [piece for piece in [*pieces, sentence] if WORD.search(piece)]


def clauses_of(sentence: str) -> tuple[str, str] | None:
    """The sentence in two halves at the joint nearest its middle, or none when it has no joint."""
    quoted = quotations(sentence)
    joints = [
        match.end() if match.group().strip() in (",", ";", ":", "—") else match.start()
        for match in re.finditer(
            r"[,;:—] |(?<=\w) (?=(?:and|but|then|while|until|when|because|so|as) )", sentence
        )
        if not any(begin < match.start() < end for begin, end in quoted)
    ]
    halves = [(sentence[:at].strip(), sentence[at:].strip()) for at in joints]
    halves = [half for half in halves if all(does_something(part) for part in half)]
    return min(halves, key=lambda half: abs(len(half[0]) - len(half[1])), default=None)


def does_something(part: str) -> bool:
    """Whether a part of a sentence can be a shot of its own: three words, a verb among them."""
    return len(WORD.findall(part)) >= 3 and bool(read_actions(part))
