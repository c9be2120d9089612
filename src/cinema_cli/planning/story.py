"""A story becomes a shot list by a plain rule, with no model (paper, 4.1: the planner's part before drawing).

1.  The story, or the screenplay in Fountain (``fountain``), is cut into sentences (``prose``); a first line
    that is no sentence is the title.
2.  A sentence makes a shot (``moments``).  Sentences of up to three words that name nobody new, and speech
    after speech, join the sentence before them in their paragraph.  More than 48 shots are condensed, and
    the notes say so.  Asked for ``shots=N``, neighbours are joined evenly or sentences cut at their commas;
    when nothing is left to cut, moments are shown twice, the second time nearer.
3.  Each sentence is read for who, where, when and what (``people``, ``beats``); a shot shows the sentence
    in which most happens.
4.  Looks come from the text, and where it says nothing from the name (``looks``).
5.  A new place or hour opens wide, speech and feeling are shown near (``camera``).
6.  A story that continues a film takes up its people, their looks and its places (``before``).
7.  What the theatre lacks is staged as the nearest thing it has, and told (``theatre.staging``).
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cinema_cli.errors import InputError
from cinema_cli.models.captions import with_looks
from cinema_cli.planning.before import NOTHING, Before
from cinema_cli.planning.camera import Camera, Setup
from cinema_cli.planning.common_words import DOING, words
from cinema_cli.planning.final_draft import MOST_FDX_BYTES, is_final_draft, to_fountain
from cinema_cli.planning.fountain import is_fountain, to_prose
from cinema_cli.planning.looks import Wardrobe, said_in
from cinema_cli.planning.moments import Moment, group, read_moments, repeat, with_few_lines
from cinema_cli.planning.names import capitalised, has_both_cases
from cinema_cli.planning.people import People
from cinema_cli.planning.person import Person
from cinema_cli.planning.prose import Prose, cut
from cinema_cli.planning.shot_list import CastEntry, PlannedShot, ShotList
from cinema_cli.planning.told import DirectedBy
from cinema_cli.storyboard import tags
from cinema_cli.theatre.captions import canonical_caption, describe_look
from cinema_cli.theatre.reading import WORD, action_table, place_table
from cinema_cli.theatre.screenplay import line_of
from cinema_cli.theatre.staging import Acting, ShotDescription, stage, with_article
from cinema_cli.theatre.world import Place, Puppet

MOST_BYTES = 1_000_000
"""A long novel; a film of a story needs far less."""
MOST_ASKED = 10_000
IN_THE = words("morning afternoon evening daylight sunlight sunshine moonlight starlight")
SMALL_WORDS = words("the a an and of to in is was he she it i they on at with his her")
FOREIGN = (
    "little of this story is English, the language that this rule reads: places and doings may be missed"
)
ONE_CASE = "the story does not tell names by capital letters: only usual first names are found"
MOST_NAMED = 4
"""People whom the line about the whole names: the largest cast of a training movie."""

MOST_SETS = 5
"""Places that it names, likewise."""


def read_story(path: Path) -> str:
    """The text of a story file: UTF-8, or UTF-16 with its mark; Final Draft's XML becomes Fountain."""
    final_draft = path.suffix.lower() == ".fdx"
    most = MOST_FDX_BYTES if final_draft else MOST_BYTES
    try:
        data = path.read_bytes() if path.stat().st_size <= most else None
    except FileNotFoundError as error:
        raise InputError(f"{path}: a story was wanted, but there is no such file. Check the name.") from error
    except OSError as error:
        raise InputError(
            f"{path}: a text file was wanted, but it cannot be read ({error.strerror})."
        ) from error
    if data is None:
        raise InputError(
            f"{path}: a story of at most {most // 1_000_000} MB was wanted, "
            f"found {path.stat().st_size:,} bytes. Take a chapter of it."
        )
    if data.strip() and (final_draft or is_final_draft(data)):
        return bounded_text(to_fountain(data, path), path)
    text = decode(data, path)
    if not text.strip():
        raise InputError(f"{path}: a story was wanted, but the file is empty. Write a few sentences into it.")
    return text


def bounded_text(text: str, path: Path) -> str:
    """A text that is no longer than a story may be."""
    if len(text) > MOST_BYTES:
        raise InputError(
            f"{path}: a story of at most {MOST_BYTES:,} characters was wanted, found {len(text):,}. "
            "Take a part of it."
        )
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


def write_shot_list(text: str, shots: int | None = None, seed: int = 0, before: Before = NOTHING) -> ShotList:
    """The shots of a story.

    Args:
        text: The story.
        shots: How many shots; the story decides when none.
        seed: Varies the layouts of the places, nothing else.
        before: The film that the story continues.

    Raises:
        InputError: the text has no words, or so many shots cannot be made.
    """
    if shots is not None and not 1 <= shots <= MOST_ASKED:
        raise InputError(f"between 1 and {MOST_ASKED:,} shots were wanted, found {shots}.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InputError("text in Unicode was wanted, but the story has half a character (a lone surrogate).")
    plain = plain_of(text)
    prose = prose_of(plain)
    if not prose.sentences:
        raise InputError("a story in words was wanted, but the text has none. Write a few sentences.")
    notes = [] if is_english(prose) else [FOREIGN]
    notes += [] if has_both_cases(plain) else [ONE_CASE]
    people = People(prose.sentences, before)
    groups = group(prose, shots, people, notes)
    moments, wardrobe = read_moments([[sentence] for sentence in prose.sentences], people, notes, before)
    if len(groups) != len(prose.sentences):
        # Whole sentences told the looks; joined or cut, the story is read once more from its beginning.
        people.forget()
        moments, _ = read_moments(groups, people, [], before)
    moments = with_few_lines(moments, notes)
    if shots is not None:
        moments = repeat(moments, shots)
    notes += keep_looks(wardrobe, people, before)
    camera = Camera(order=[person for person in people.met.values() if person in people.seen])
    setups = [camera.choose(moment.beat, moment.again) for moment in moments]
    puppets = wardrobe.dress(list(dict.fromkeys([*people.met.values(), *camera.order])))
    planned, said = stage_all(moments, setups, puppets, seed, before)
    shown = {name for shot in planned for name in tags(shot.caption)}
    new = {
        person: puppet
        for person, puppet in puppets.items()
        if puppet.name in shown and puppet.name not in people.met
    }
    return ShotList(
        title=prose.title or title_of(prose.sentences[0].text),
        caption=caption_of(planned),
        cast=tuple(CastEntry(puppet.name, describe_look(puppet), puppet) for puppet in new.values()),
        shots=planned,
        called=tuple(people.called(person) for person in puppets if person.name in shown),
        notes=tuple(dict.fromkeys([*notes, *said, *casting_notes(new, wardrobe)])),
    )


class PlainRule:
    """The rule as a ``ShotWriter``: no model, no cost."""

    by: DirectedBy | None = None

    def write(self, text: str, shots: int | None, seed: int, before: Before) -> ShotList:
        """See ``write_shot_list``."""
        return write_shot_list(text, shots, seed, before)


PLAIN_RULE = PlainRule()


def plain_of(text: str) -> str:
    """A story as prose, a screenplay included, without what would read as a tag."""
    return (to_prose(text) if is_fountain(text) else text).replace("<", " ").replace(">", " ")


def prose_of(plain: str) -> Prose:
    """Its sentences, with capital letters where it has none."""
    return cut(plain if has_both_cases(plain) else capitalised(plain))


def is_english(prose: Prose) -> bool:
    """Whether a text uses the usual words of English; of a few words nobody can tell."""
    tokens = [word for sentence in prose.sentences for word in WORD.findall(sentence.text) if word.islower()]
    known = SMALL_WORDS | DOING | action_table().keys() | place_table().keys()
    return len(tokens) < 8 or 4 * sum(token in known for token in tokens) >= len(tokens)


def keep_looks(wardrobe: Wardrobe, people: People, before: Before) -> list[str]:
    """Everybody of the film looks as it shows them; a line for each whom the story describes otherwise."""
    return [
        f"{member.name} looks as before in this film: {member.look or 'as its pictures show'}; "
        "what the text says otherwise is not shown"
        for member in before.cast
        if wardrobe.keep(people.met[member.name], said_in(member.look))
    ]


def stage_all(
    moments: list[Moment], setups: list[Setup], puppets: dict[Person, Puppet], seed: int, before: Before
) -> tuple[tuple[PlannedShot, ...], list[str]]:
    """Every shot staged and captioned, and what was staged otherwise; a look is told once in a film."""
    planned, notes = [], []
    seen = set(before.seen)
    looks = {member.name: member for member in before.cast}
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
        caption = canonical_caption(staged, frozenset(described) - looks.keys())
        # The look of a member of the cast who was not seen yet stands in the document's own words.
        caption = with_looks(caption, [looks[name] for name in described if name in looks])
        scene = scene_of(before.places.get(staged.place, beat.place), beat.time)
        planned.append(PlannedShot(scene, moment.text, staged, described, caption, moment.lines))
    return tuple(planned), notes


def caption_of(planned: Sequence[PlannedShot]) -> str:
    """The line about the whole, worded as in training: who is seen most, and where, in order."""
    staged = [shot.staged for shot in planned if shot.staged is not None]
    seen = Counter(figure.puppet for shot in staged for figure in shot.figures)
    stars = {puppet for puppet, _ in seen.most_common(MOST_NAMED)}
    sets = Counter(shot.place.set for shot in staged)
    main = {name for name, _ in sets.most_common(MOST_SETS)}
    cast = tuple(puppet for puppet in seen if puppet in stars)
    return line_of(cast, [Place(name, 0) for name in sets if name in main])


def casting_notes(puppets: dict[Person, Puppet], wardrobe: Wardrobe) -> list[str]:
    """Who is played by a puppet though no human being, and what the wardrobe lacks."""
    notes = []
    for person in puppets:
        if person.kind:
            notes.append(f"{with_article(person.kind)} is played by a puppet")
        notes += wardrobe.notes.get(person, [])
    return notes


def scene_of(place: str, time: str) -> str:
    """Where and when, in the story's words: *the library at night*."""
    word = {"tonight": "night", "darkness": "night", "daytime": "day", "nighttime": "night"}.get(time, time)
    before = "by" if word == "day" else "in the" if word in IN_THE else "at"
    return f"{place[:80]} {before} {word}"


def title_of(sentence: str) -> str:
    """A title from the first words of a story."""
    words = re.sub(r"[“”\"«»]", "", sentence).strip("'‘’ ").split()
    title = " ".join(words[:6])[:60].rstrip(' ,.;:!?“”"')
    return f"{title} …" if len(words) > 6 else title
