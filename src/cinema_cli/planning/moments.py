"""Moments: which sentences of a story share a shot, and what of them is shown (paper, 4.1).

A sentence makes a shot.  Very short ones, and speech after speech, join the one before.  To as many shots as
were asked for, neighbours are joined evenly, sentences cut at their joints, moments shown again.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

from cinema_cli.planning.beats import NOWHERE, Beat, BeatReader
from cinema_cli.planning.before import Before
from cinema_cli.planning.common_words import ROLES, words
from cinema_cli.planning.groups import groups_note
from cinema_cli.planning.looks import Wardrobe
from cinema_cli.planning.people import People
from cinema_cli.planning.phrases import feels
from cinema_cli.planning.prose import Prose, Sentence, clauses_of
from cinema_cli.storyboard import MAX_LINES, SpokenLine
from cinema_cli.theatre.reading import WORD

MOST_SHOTS = 48
"""Without ``shots`` a film is not longer than what the keyframe model was trained on (paper, table 3)."""
SHORT = 3
"""Words; a shorter sentence makes no shot of its own."""
LONGEST_LINE = 300
"""Characters of the story kept beside a shot."""
ACTING = words("i we he she they")


def group(prose: Prose, shots: int | None, people: People, notes: list[str]) -> list[list[Sentence]]:
    """Sentences to shots; at most as many groups as shots are wanted."""
    groups: list[list[Sentence]] = []
    for sentence in prose.sentences:
        if groups and shots is None and joins(groups[-1], sentence, people):
            groups[-1].append(sentence)
        else:
            groups.append([sentence])
    if shots is None and len(groups) > MOST_SHOTS:
        notes.append(
            f"the story has {len(groups)} moments; it is condensed to {MOST_SHOTS} shots "
            "(ask for a number of shots to have more)"
        )
        return spread(groups, MOST_SHOTS)
    if shots is not None and len(groups) > shots:
        return spread(groups, shots)
    return split(groups, shots) if shots is not None else groups


def joins(before: list[Sentence], sentence: Sentence, people: People) -> bool:
    """Whether a sentence joins the ones before it: a very short one, or speech after speech.

    One that names somebody else makes a shot of its own, or that person would not be seen.
    """
    shown = {person for each in before for person in people.named_in(each)}
    new, old = subjects(sentence), {word for each in before for word in subjects(each)}
    others = not people.named_in(sentence) <= shown or not new - ACTING <= old
    others = others or bool(old and not new <= old)
    if before[-1].paragraph != sentence.paragraph or others:
        return False
    opening = sum(each.words for each in before) <= SHORT and not shown
    short = sentence.words <= SHORT or opening
    return short or (before[-1].speaks and sentence.speaks and not WORD.findall(sentence.told.strip(" “”")))


def subjects(sentence: Sentence) -> set[str]:
    """The pronouns and the people without a name in a sentence."""
    tokens = [token.lower() for token in WORD.findall(sentence.told)]
    return {
        token for at, token in enumerate(tokens) if token in ACTING or token in ROLES or feels(tokens, at)
    }


def spread(groups: list[list[Sentence]], shots: int) -> list[list[Sentence]]:
    """Neighbours joined evenly until there are so many."""
    bounds = [index * len(groups) // shots for index in range(shots + 1)]
    return [
        [sentence for each in groups[first:last] for sentence in each] for first, last in pairwise(bounds)
    ]


def split(groups: list[list[Sentence]], shots: int) -> list[list[Sentence]]:
    """The longest sentences cut at their joints until there are so many, or nothing is left to cut."""
    groups = list(groups)
    whole: set[str] = set()
    while len(groups) < shots:
        candidates = [index for index, each in enumerate(groups) if each[0].text not in whole]
        if not candidates:
            break
        index = max(candidates, key=lambda candidate: len(groups[candidate][0].text))
        sentence = groups[index][0]
        halves = clauses_of(sentence.text)
        if halves is None:
            whole.add(sentence.text)
            continue
        first, second = halves
        groups[index : index + 1] = [
            [Sentence(first, sentence.paragraph, sentence.opens)],
            [Sentence(second, sentence.paragraph)],
        ]
    return groups


@dataclass(frozen=True)
class Moment:
    """What a shot shows: a beat, all the words it stands for, and whether it was just shown."""

    beat: Beat
    text: str
    again: bool = False
    lines: tuple[SpokenLine, ...] = ()
    """What is said meanwhile."""


def read_moments(
    groups: list[list[Sentence]], people: People, notes: list[str], before: Before
) -> tuple[list[Moment], Wardrobe]:
    """Every sentence read in order; of each group the weightiest beat is shown."""
    reader = BeatReader([sentence for sentences in groups for sentence in sentences], people, before)
    if reader.place == NOWHERE:
        notes.append("the story names no place that the theatre knows: it plays on the bare stage")
    wardrobe = Wardrobe()
    moments = []
    for sentences in groups:
        beats = []
        for sentence in sentences:
            beat, present = reader.read(sentence)
            wardrobe.read([token.lower() for token in WORD.findall(sentence.told)], present)
            beats.append(beat)
        text = " ".join(sentence.text for sentence in sentences)
        lines = tuple(line for beat in beats for line in beat.lines)
        shown = max(beats, key=lambda beat: (bool(beat.doing), beat.weight))
        moments.append(Moment(shown, bounded(text), lines=lines))
    notes += groups_note(reader.groups)
    if reader.unshown:
        notes.append(
            f"the weather of the theatre is always fair: no {' and no '.join(sorted(reader.unshown))}"
        )
    return moments, wardrobe


def with_few_lines(moments: list[Moment], notes: list[str]) -> list[Moment]:
    """Moments with no more spoken lines than a shot may have."""
    for moment in moments:
        if len(moment.lines) > MAX_LINES:
            count = len(moment.lines)
            notes.append(f"of {count} lines that are spoken in one shot, the first {MAX_LINES} are kept")
    return [replace(moment, lines=moment.lines[:MAX_LINES]) for moment in moments]


def repeat(moments: list[Moment], shots: int) -> list[Moment]:
    """Moments shown again, evenly, until there are so many."""
    counts = [
        (index + 1) * shots // len(moments) - index * shots // len(moments) for index in range(len(moments))
    ]
    return [
        Moment(moment.beat, moment.text, again > 0, () if again else moment.lines)
        for moment, count in zip(moments, counts, strict=True)
        for again in range(count)
    ]


def bounded(text: str) -> str:
    """The text, cut with an ellipsis where it is too long."""
    return text if len(text) <= LONGEST_LINE else f"{text[: LONGEST_LINE - 1].rstrip()}…"
