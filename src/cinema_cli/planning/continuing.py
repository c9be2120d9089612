"""``cinema plan --continue``: a text becomes shots at the end of a film that is there (paper, 3.2 and 4.1).

The film may have been planned, ingested or written by hand.  Its cast keeps its names and looks, a place that
returns keeps its words, *she* is whoever was seen last, and the text begins where and when the film left off.
Nothing is done twice: ``continued.json`` beside the storyboard remembers which text became which shots.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from statistics import median_low

from cinema_cli.config import build
from cinema_cli.errors import InputError
from cinema_cli.fields import seconds
from cinema_cli.files import sha256_json
from cinema_cli.planning.before import Before
from cinema_cli.planning.board import StoryConfig, with_seeds
from cinema_cli.planning.person import Called, called_by_name
from cinema_cli.planning.records import Continuation, ContinuedRecord, PlanRecord
from cinema_cli.planning.shot_list import ShotList, ShotWriter
from cinema_cli.planning.story import PLAIN_RULE
from cinema_cli.planning.told import Told
from cinema_cli.storyboard import MAX_SHOTS, CastMember, Shot, Storyboard, strip_tags, tags
from cinema_cli.theatre.reading import best_place, read_time
from cinema_cli.theatre.staging import stage_place
from cinema_cli.theatre.world import Place

LONGEST_NUMBER = 9
"""Digits; a longer id is a name that happens to be made of digits."""
_HOUR = re.compile(r"(?:(.+?),? )?((?:(?:by|at|in the|-|–|—) )?\w+)")
"""A scene whose last words may tell the hour: *the library at night*, *INT. KITCHEN - NIGHT*."""


def continue_film(
    text: str, folder: Path, config: StoryConfig, writer: ShotWriter = PLAIN_RULE
) -> tuple[Storyboard, tuple[str, ...]]:
    """The film in ``folder`` with a text appended, on the disk when this returns; and what is to be told.

    Of ``config`` its ``shots`` and ``seed`` count, for the new shots alone; size, rate and length of a shot
    are the film's.  A text that continues the film already appends nothing.

    Raises:
        InputError: there is no film in the folder, or the text cannot continue it; nothing was written.
    """
    board, planned, record = Storyboard.load(folder), PlanRecord.load(folder), ContinuedRecord.load(folder)
    text_sha256 = sha256_json(text)
    if planned is not None and text_sha256 == planned.story_sha256:
        return board, ("this text is the story that the film was planned from; nothing was appended",)
    done = record.of(text_sha256, [shot.id for shot in board.shots])
    if done:
        return board, (f"this text continues the film already ({spoken(done)}); nothing was appended",)
    seed = config.seed if config.seed is not None else planned.seed if planned else 0
    called = [*(planned.called if planned else ()), *(each for text in record.texts for each in text.called)]
    told = record.told or (planned.told if planned else None)
    longer, listed = continue_storyboard(board, text, seed, config.shots, called, record.ids, told, writer)
    new = tuple(shot.id for shot in longer.shots[len(board.shots) :])
    others = tuple(each for each in record.texts if each.text_sha256 != text_sha256)
    entry = Continuation(
        text_sha256=text_sha256, shots=new, called=listed.called, director=writer.by, told=listed.told
    )
    # The record first: killed in between, it names shots that are not there, and the text is read again.
    ContinuedRecord(texts=(*others, entry)).save(folder)
    longer.save(folder)
    return longer, (f"{spoken(new)} continue the film", *listed.notes)


def continue_storyboard(
    board: Storyboard,
    text: str,
    seed: int,
    shots: int | None = None,
    called: Sequence[Called] = (),
    taken: frozenset[str] = frozenset(),
    told: Told | None = None,
    writer: ShotWriter = PLAIN_RULE,
) -> tuple[Storyboard, ShotList]:
    """A storyboard with a text as shots at its end, nothing of them drawn; and the new shots as a list.

    Args:
        board: The film, planned, ingested or written by hand.
        text: What happens next, plain text or Fountain.
        seed: Of the layouts of new places and of the noise of the new pictures.
        shots: How many the text becomes; it decides itself when none.
        called: What is known of how its story speaks of the cast; later ones count more.
        taken: Ids that new shots may not have, such as those of removed ones.
        told: What a director told of the film.
        writer: Turns the text into shots.

    Raises:
        InputError: the film has no shots, or would have too many; the text has no words.
    """
    if not board.shots:
        raise InputError(
            "A film to continue was wanted, found a storyboard without shots. Plan its story first."
        )
    listed = writer.write(text, shots, seed, replace(before_of(board, seed, called), told=told or Told()))
    total = len(board.shots) + len(listed.shots)
    if total > MAX_SHOTS:
        raise InputError(
            f"At most {MAX_SHOTS:,} shots were wanted, found {len(board.shots):,} in the film and "
            f"{len(listed.shots):,} to append. Ask for fewer with --shots, or begin another film."
        )
    cast = (*cast_of(board), *(CastMember(name=entry.name, look=entry.look) for entry in listed.cast))
    cast = cast if listed.cast else board.cast
    duration = median_low([(seconds(shot.duration), shot.duration) for shot in board.shots])[1]
    ids = next_ids([shot.id for shot in board.shots], taken)
    new = [
        Shot(id=next(ids), scene=shot.scene, caption=shot.caption, duration=duration, lines=shot.lines)
        for shot in listed.shots
    ]
    new = with_seeds(new, cast, seed, {shot.seed for shot in board.shots})
    longer = {**dict(board), "cast": cast, "shots": (*board.shots, *new)}
    return build(Storyboard, longer, "the film with what continues it"), listed


def before_of(board: Storyboard, seed: int, called: Sequence[Called] = ()) -> Before:
    """What a film shows before the text that continues it.

    Args:
        board: The film.
        seed: Of the layouts of its places.
        called: What is known of how its story speaks of the cast.
    """
    cast = cast_of(board)
    known = {each.name: each for each in called}
    shown = dict.fromkeys(name for shot in reversed(board.shots) for name in tags(shot.caption))
    place, time = left_off(board.shots[-1])
    return Before(
        cast=cast,
        called=tuple(known.get(member.name) or called_by_name(member.name) for member in cast),
        seen=tuple(shown),
        captions=tuple(strip_tags(shot.caption) for shot in board.shots),
        place=place,
        time=time,
        places=places_of(board, seed),
    )


def cast_of(board: Storyboard) -> tuple[CastMember, ...]:
    """The cast; of a document without one, those whom its captions tag."""
    named = dict.fromkeys(name for shot in board.shots for name in tags(shot.caption))
    return board.cast or tuple(CastMember(name=name) for name in named)


def left_off(shot: Shot) -> tuple[str, str]:
    """Where and when a shot plays, by its scene, else by its caption; no place when neither tells."""
    place, time = place_and_time(shot.scene)
    caption = strip_tags(shot.caption)
    if not place:
        reading = best_place(caption)
        place = f"the {reading.word}" if reading is not None else ""
    told = read_time(caption)
    return place, time or (told.word if told is not None else "day")


def place_and_time(scene: str) -> tuple[str, str]:
    """The words of a scene for its place and its hour, either perhaps empty: *the library*, *night*."""
    reading = read_time(scene)
    if reading is None:
        return scene, ""
    match = _HOUR.fullmatch(scene)
    if match is None or read_time(match[2]) is None:
        return scene, reading.word
    return match[1] or "", reading.word


def places_of(board: Storyboard, seed: int) -> dict[Place, str]:
    """The words that a film uses for each place, the first ones where it has several."""
    found: dict[Place, str] = {}
    for scene in dict.fromkeys(shot.scene for shot in board.shots if shot.scene):
        place = place_and_time(scene)[0]
        if place:
            found.setdefault(stage_place(place, seed, []), place)
    return found


def next_ids(ids: Sequence[str], taken: frozenset[str]) -> Iterator[str]:
    """The numbers after the last one, as wide as the others: after 0008 comes 0009."""
    numbers = [id for id in {*ids, *taken} if id.isdecimal() and len(id) <= LONGEST_NUMBER]
    width = max(map(len, numbers), default=4)
    last = max(map(int, numbers), default=0)
    return (id for id in (f"{number:0{width}d}" for number in count(last + 1)) if id not in ids)


def spoken(ids: Sequence[str]) -> str:
    """*shot 0009* or *shots 0009 to 0014*."""
    return f"shot {ids[0]}" if len(ids) == 1 else f"shots {ids[0]} to {ids[-1]}"
