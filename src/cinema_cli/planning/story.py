"""A story becomes a shot list by a plain rule, with no model (paper, 4.1: the planner's part before drawing).

1.  The story, or the screenplay in Fountain (``fountain``), is cut into sentences (``prose``); a first line
    that is no sentence is the title.
2.  A sentence makes a shot.  Sentences of up to three words that name nobody new, and speech after speech,
    join the sentence before them in their paragraph.  More than 48 shots are condensed, and the notes say
    so.  Asked for ``shots=N``, neighbours are joined evenly or sentences cut at their commas; when nothing
    is left to cut, moments are shown twice, the second time nearer.
3.  Each sentence is read for who, where, when and what (``people``, ``beats``); a shot shows the sentence
    in which most happens.
4.  Looks come from the text, and where it says nothing from the name (``looks``).
5.  A new place or hour opens wide, speech and feeling are shown near (``camera``).
6.  What the theatre lacks is staged as the nearest thing it has, and told (``theatre.staging``).
"""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from cinema_cli.errors import InputError
from cinema_cli.planning.beats import NOWHERE, Beat, BeatReader
from cinema_cli.planning.camera import Camera
from cinema_cli.planning.common_words import DOING, ROLES, words
from cinema_cli.planning.fountain import is_fountain, to_prose
from cinema_cli.planning.groups import groups_note
from cinema_cli.planning.looks import Wardrobe
from cinema_cli.planning.names import capitalised, has_both_cases
from cinema_cli.planning.people import People, Person
from cinema_cli.planning.phrases import feels
from cinema_cli.planning.prose import Prose, Sentence, clauses_of, cut
from cinema_cli.planning.shot_list import CastEntry, PlannedShot, ShotList
from cinema_cli.theatre.captions import canonical_caption, describe_look
from cinema_cli.theatre.reading import WORD, action_table, place_table
from cinema_cli.theatre.screenplay import line_of
from cinema_cli.theatre.staging import Acting, ShotDescription, stage, with_article
from cinema_cli.theatre.world import Place, Puppet

MOST_BYTES = 1_000_000
"""A long novel; a film of a story needs far less."""
MOST_SHOTS = 48
"""Without ``shots`` a film is not longer than what the keyframe model was trained on (paper, table 3)."""
MOST_ASKED = 10_000
SHORT = 3
"""Words; a shorter sentence makes no shot of its own."""
IN_THE = words("morning afternoon evening daylight sunlight sunshine moonlight starlight")
SMALL_WORDS = words("the a an and of to in is was he she it i they on at with his her")
FOREIGN = (
    "little of this story is English, the language that this rule reads: places and doings may be missed"
)
ONE_CASE = "the story does not tell names by capital letters: only usual first names are found"
LONGEST_LINE = 300
"""Characters of the story kept beside a shot."""
ACTING = words("i we he she they")
MOST_NAMED = 4
"""People whom the line about the whole names: the largest cast of a training movie."""

MOST_SETS = 5
"""Places that it names, likewise."""


def read_story(path: Path) -> str:
    """The text of a story file: UTF-8, or UTF-16 with its mark."""
    try:
        data = path.read_bytes() if path.stat().st_size <= MOST_BYTES else None
    except FileNotFoundError as error:
        raise InputError(f"{path}: a story was wanted, but there is no such file. Check the name.") from error
    except OSError as error:
        raise InputError(
            f"{path}: a text file was wanted, but it cannot be read ({error.strerror})."
        ) from error
    if data is None:
        raise InputError(
            f"{path}: a story of at most {MOST_BYTES // 1_000_000} MB was wanted, "
            f"found {path.stat().st_size:,} bytes. Take a chapter of it."
        )
    text = decode(data, path)
    if not text.strip():
        raise InputError(f"{path}: a story was wanted, but the file is empty. Write a few sentences into it.")
    return text


def decode(data: bytes, path: Path) -> str:
    """The text of the bytes, or an error that says what they are."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: begins like UTF-16 but is not; save it as UTF-8.") from error
    if b"\x00" in data:
        raise InputError(
            f"{path}: a text was wanted, found a binary file (a zero byte at {data.index(0):,}). "
            "Export the story as plain text."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: UTF-8 text was wanted, but byte {error.start:,} (0x{data[error.start]:02x}) is none. "
            "Save the file as UTF-8 and try again."
        ) from error


def write_shot_list(text: str, shots: int | None = None, seed: int = 0) -> ShotList:
    """The shots of a story.

    Args:
        text: The story.
        shots: How many shots; the story decides when none.
        seed: Varies the layouts of the places, nothing else.
    """
    if shots is not None and not 1 <= shots <= MOST_ASKED:
        raise InputError(f"between 1 and {MOST_ASKED:,} shots were wanted, found {shots}.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InputError("text in Unicode was wanted, but the story has half a character (a lone surrogate).")
    plain = (to_prose(text) if is_fountain(text) else text).replace("<", " ").replace(">", " ")
    prose = cut(plain if has_both_cases(plain) else capitalised(plain))
    if not prose.sentences:
        raise InputError("a story in words was wanted, but the text has none. Write a few sentences.")
    notes = [] if is_english(prose) else [FOREIGN]
    notes += [] if has_both_cases(plain) else [ONE_CASE]
    people = People(prose.sentences)
    groups = group(prose, shots, people, notes)
    moments, wardrobe = read_moments([[sentence] for sentence in prose.sentences], people, notes)
    if len(groups) != len(prose.sentences):
        # Whole sentences told the looks; joined or cut, the story is read once more from its beginning.
        people.forget()
        moments, _ = read_moments(groups, people, [])
    if shots is not None:
        moments = repeat(moments, shots)
    return film(prose, moments, wardrobe, seed, notes)


def is_english(prose: Prose) -> bool:
    """Whether a text uses the usual words of English; of a few words nobody can tell."""
    tokens = [word for sentence in prose.sentences for word in WORD.findall(sentence.text) if word.islower()]
    known = SMALL_WORDS | DOING | action_table().keys() | place_table().keys()
    return len(tokens) < 8 or 4 * sum(token in known for token in tokens) >= len(tokens)


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


def read_moments(
    groups: list[list[Sentence]], people: People, notes: list[str]
) -> tuple[list[Moment], Wardrobe]:
    """Every sentence read in order; of each group the weightiest beat is shown."""
    reader = BeatReader([sentence for sentences in groups for sentence in sentences], people)
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
        moments.append(Moment(max(beats, key=lambda beat: (bool(beat.doing), beat.weight)), bounded(text)))
    notes += groups_note(reader.groups)
    if reader.unshown:
        notes.append(
            f"the weather of the theatre is always fair: no {' and no '.join(sorted(reader.unshown))}"
        )
    return moments, wardrobe


def repeat(moments: list[Moment], shots: int) -> list[Moment]:
    """Moments shown again, evenly, until there are so many."""
    counts = [
        (index + 1) * shots // len(moments) - index * shots // len(moments) for index in range(len(moments))
    ]
    return [
        Moment(moment.beat, moment.text, again > 0)
        for moment, count in zip(moments, counts, strict=True)
        for again in range(count)
    ]


def film(prose: Prose, moments: list[Moment], wardrobe: Wardrobe, seed: int, notes: list[str]) -> ShotList:
    """The shot list: everybody dressed, every shot staged and captioned."""
    camera = Camera()
    setups = [camera.choose(moment.beat, moment.again) for moment in moments]
    puppets = wardrobe.dress(camera.order)
    planned = []
    seen: set[str] = set()
    for moment, setup in zip(moments, setups, strict=True):
        acting = tuple(
            Acting(puppets[doing.person], doing.words, position, setup.facing)
            for doing, position in zip(setup.doing, setup.positions, strict=True)
        )
        beat = moment.beat
        staged, said = stage(ShotDescription(beat.place, beat.time, setup.size, acting), seed)
        notes += said
        names = [figure.puppet.name for figure in staged.figures]
        described = tuple(name for name in names if name not in seen)
        seen.update(names)
        caption = canonical_caption(staged, frozenset(described))
        planned.append(PlannedShot(scene_of(beat), moment.text, staged, described, caption))
    cast = tuple(
        CastEntry(puppet.name, describe_look(puppet), puppet)
        for puppet in puppets.values()
        if puppet.name in seen
    )
    notes += casting_notes(puppets, wardrobe, seen)
    title = prose.title or title_of(prose.sentences[0].text)
    return ShotList(title, caption_of(planned), cast, tuple(planned), tuple(dict.fromkeys(notes)))


def caption_of(planned: list[PlannedShot]) -> str:
    """The line about the whole, worded as in training: who is seen most, and where, in order."""
    seen = Counter(figure.puppet for shot in planned for figure in shot.staged.figures)
    stars = {puppet for puppet, _ in seen.most_common(MOST_NAMED)}
    sets = Counter(shot.staged.place.set for shot in planned)
    main = {name for name, _ in sets.most_common(MOST_SETS)}
    cast = tuple(puppet for puppet in seen if puppet in stars)
    return line_of(cast, [Place(name, 0) for name in sets if name in main])


def casting_notes(puppets: dict[Person, Puppet], wardrobe: Wardrobe, seen: set[str]) -> list[str]:
    """Who is played by a puppet though no human being, and what the wardrobe lacks."""
    notes = []
    for person, puppet in puppets.items():
        if puppet.name in seen:
            if person.kind:
                notes.append(f"{with_article(person.kind)} is played by a puppet")
            notes += wardrobe.notes.get(person, [])
    return notes


def scene_of(beat: Beat) -> str:
    """Where and when, in the story's words: *the library at night*."""
    word = {"tonight": "night", "darkness": "night", "daytime": "day", "nighttime": "night"}.get(
        beat.time, beat.time
    )
    before = "by" if word == "day" else "in the" if word in IN_THE else "at"
    return f"{beat.place[:80]} {before} {word}"


def title_of(sentence: str) -> str:
    """A title from the first words of a story."""
    words = re.sub(r"[“”\"«»]", "", sentence).strip("'‘’ ").split()
    title = " ".join(words[:6])[:60].rstrip(' ,.;:!?“”"')
    return f"{title} …" if len(words) > 6 else title


def bounded(text: str) -> str:
    """The text, cut with an ellipsis where it is too long."""
    return text if len(text) <= LONGEST_LINE else f"{text[: LONGEST_LINE - 1].rstrip()}…"
