"""The storyboard of a story: written once, kept as a person edits it, written anew when the story changes.

``plan.json`` beside it remembers what it was planned from.  As long as that is the same, the document on
disk is the truth, with every caption that was changed by hand.  Planned anew, a shot whose words stay the
same stays the same shot: its id, seed, keyframe and clip; a new shot takes the lowest id that is free, and
the shots that continue the film (``continuing``) stay at its end.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import count
from pathlib import Path

from cinema_cli.config import Config, build
from cinema_cli.errors import InputError
from cinema_cli.fields import Seconds, Side
from cinema_cli.files import sha256_json
from cinema_cli.models.captions import with_looks
from cinema_cli.planning.guests import Invitation, before_with, named
from cinema_cli.planning.records import Asked, ContinuedRecord, PlanRecord, Seed
from cinema_cli.planning.shot_list import ShotList, ShotWriter
from cinema_cli.planning.story import PLAIN_RULE
from cinema_cli.storyboard import FILE_NAME, CastMember, Shot, Storyboard, tags
from cinema_cli.theatre.world import FRAME_SIZE

PREVIOUS_NAME = "storyboard.previous.json"


class StoryConfig(Config):
    """How a story becomes shots."""

    shots: Asked | None = None
    """How many; when absent the number of the last run on the same story, else the story decides."""
    seed: Seed | None = None
    """Of the film: layouts of places, noise of pictures; when absent the one of the last run, else 0."""
    frame_size: tuple[Side, Side] = FRAME_SIZE
    """Height and width in pixels."""
    shot_seconds: Seconds = "2"
    """How long a shot lasts, as rational text."""
    cast_from: tuple[str, ...] = ()
    """Other films, each as its folder or its storyboard: whom the story names comes from there (4.3)."""


def storyboard_of(
    text: str,
    folder: Path,
    config: StoryConfig,
    writer: ShotWriter = PLAIN_RULE,
    invitation: Invitation | None = None,
) -> tuple[Storyboard, tuple[str, ...]]:
    """The storyboard of a story in ``folder``, on the disk when this returns; and what is to be told.

    Where the same story was planned by a director, the plain rule leaves it as it is.

    Args:
        text: The story.
        folder: Of the film.
        config: How the story becomes shots.
        writer: Turns the story into shots.
        invitation: Who comes from other films; when absent, those of the last run whom the story names.

    Raises:
        InputError: the folder holds a storyboard that was not planned from a story.
    """
    last, continued = PlanRecord.load(folder), ContinuedRecord.load(folder)
    old = Storyboard.load(folder) if (folder / FILE_NAME).exists() else None
    if old is not None and last is None:
        raise InputError(
            f"{folder / FILE_NAME}: a folder for a new film was wanted, found a storyboard that was not "
            "planned from a story; planning would replace it. Choose another folder with --out."
        )
    wanted = _record(text, last, config, writer, invitation)
    if old is not None and last is not None and wanted.same_wish(last):
        if invitation is not None:
            invitation.bring(folder, again=False)
        return old, last.notes
    before, dressed = before_with(text, wanted.guests)
    listed = writer.write(text, wanted.shots, wanted.seed, before)
    told = (*(invitation.notes if invitation else ()), *dressed, *listed.notes)
    tail = tuple(shot for shot in old.shots if shot.id in continued.ids) if old is not None else ()
    new = _written(listed, wanted, before.cast, {shot.seed for shot in tail})
    notes = told
    if old is not None and last is not None:
        same_seed = wanted.seed == last.seed
        planned = [shot for shot in old.shots if same_seed and shot.id not in continued.ids]
        new = _carried_over(new, old, planned, continued.ids)
        new = _with_tail(new, old, tail)
        old.save(folder / PREVIOUS_NAME)
        kept = (f"the {len(tail)} shots that continue the film stay at its end",) if tail else ()
        other = _other_hand(last, writer)
        notes = (
            f"planned anew; the storyboard as it was before is in {PREVIOUS_NAME}",
            *other,
            *kept,
            *notes,
        )
    found = {"notes": told, "called": listed.called, "director": writer.by, "told": listed.told}
    wanted = wanted.model_copy(update=found)
    if old is None:  # a folder with a storyboard is ours only if it has a record
        wanted.save(folder)
    if invitation is not None:
        invitation.bring(folder, again=True)
    new.save(folder)
    wanted.save(folder)
    return new, notes


def shot_seed(seed: int, *what: object) -> int:
    """A seed that depends on nothing but the film's seed and what it is for."""
    return int(sha256_json([seed, *what])[:8], 16)


def with_seeds(
    shots: Iterable[Shot], cast: Sequence[CastMember], seed: int, used: Set[int | None]
) -> list[Shot]:
    """The shots with a seed each, none of which is ``used``.

    The same words twice are two pictures; words that move to another place keep theirs.
    """
    times: Counter[str] = Counter()
    seeded = []
    for shot in shots:
        words = with_looks(shot.caption, cast)
        chosen: int | None = None
        while chosen is None or chosen in used:
            times[words] += 1
            chosen = shot_seed(seed, words, times[words])
        seeded.append(shot.model_copy(update={"seed": chosen}))
    return seeded


def _other_hand(last: PlanRecord, writer: ShotWriter) -> tuple[str, ...]:
    """A line where a director wrote the film before and the plain rule does now."""
    if last.director is None or writer.by is not None:
        return ()
    return (f"planned by the plain rule, before by {last.director.model}; --director asks it again",)


def _record(
    text: str,
    last: PlanRecord | None,
    config: StoryConfig,
    writer: ShotWriter,
    invitation: Invitation | None,
) -> PlanRecord:
    """What is wanted now; what is not said stays as it was."""
    guests = invitation.guests if invitation is not None else named(text, last.guests) if last else ()
    story, shots, seed, director = sha256_json(text), config.shots, config.seed, writer.by
    if last is not None:
        director = last.director if director is None and story == last.story_sha256 else director
        seed = last.seed if seed is None else seed
        shots = last.shots if shots is None and story == last.story_sha256 else shots
    return PlanRecord(
        story_sha256=story,
        shots=shots,
        seed=seed or 0,
        frame_size=config.frame_size,
        shot_seconds=config.shot_seconds,
        guests=guests,
        director=director,
    )


def _written(
    listed: ShotList, record: PlanRecord, guests: Sequence[CastMember], used: Set[int | None]
) -> Storyboard:
    """The document of a shot list, nothing drawn yet; no shot has a seed that is ``used``.

    Of the ``guests`` those are in its cast who are seen.
    """
    shown = {name for text in (listed.caption, *(s.caption for s in listed.shots)) for name in tags(text)}
    new = [CastMember(name=entry.name, look=entry.look) for entry in listed.cast]
    board = build(
        Storyboard,
        {
            "title": listed.title,
            "caption": listed.caption,
            "frame_size": record.frame_size,
            "cast": [*(member for member in guests if member.name in shown), *new],
            "shots": [
                {
                    "id": f"{number:04d}",
                    "scene": shot.scene,
                    "caption": shot.caption,
                    "duration": record.shot_seconds,
                    "lines": shot.lines,
                }
                for number, shot in enumerate(listed.shots, start=1)
            ],
        },
        "the storyboard of this story",
    )
    shots = with_seeds(board.shots, board.cast, record.seed, used)
    return board.model_copy(update={"shots": tuple(shots)})


def _carried_over(
    new: Storyboard, old: Storyboard, shots_before: Sequence[Shot], taken: Set[str]
) -> Storyboard:
    """The new shots, each the one before where scene and words are the same; no new id is ``taken``."""
    waiting: dict[tuple[str, str], list[Shot]] = {}
    for shot in shots_before:
        waiting.setdefault((shot.scene, with_looks(shot.caption, old.cast)), []).append(shot)
    matched: list[tuple[Shot, Shot | None]] = []
    for shot in new.shots:
        same = waiting.get((shot.scene, with_looks(shot.caption, new.cast)))
        matched.append((shot, same.pop(0) if same else None))
    kept = {before.id for _, before in matched if before is not None}
    free = _free_ids(kept | taken)
    shots = []
    for shot, before in matched:
        if before is None:
            shots.append(shot.model_copy(update={"id": next(free)}))
            continue
        # Its caption may tell a look that another shot told before.
        changes = {
            "caption": shot.caption,
            "duration": shot.duration,
            "lines": shot.lines,
            "pin": tuple(id for id in before.pin if id in kept),
            "forbid": tuple(id for id in before.forbid if id in kept),
        }
        shots.append(before.model_copy(update=changes))
    return build(Storyboard, {**dict(new), "shots": tuple(shots)}, "the storyboard of this story")


def _with_tail(new: Storyboard, old: Storyboard, tail: Sequence[Shot]) -> Storyboard:
    """The new storyboard with the shots that continue the old one, and whoever is in them."""
    ids = {shot.id for shot in (*new.shots, *tail)}
    shots = [
        shot.model_copy(
            update={
                "pin": tuple(id for id in shot.pin if id in ids),
                "forbid": tuple(id for id in shot.forbid if id in ids),
            }
        )
        for shot in tail
    ]
    shown = {name for shot in tail for name in tags(shot.caption)} - {member.name for member in new.cast}
    cast = (*new.cast, *(member for member in old.cast if member.name in shown))
    longer = {**dict(new), "cast": cast, "shots": (*new.shots, *shots)}
    return build(Storyboard, longer, "the storyboard of this story and what continues it")


def _free_ids(taken: Set[str]) -> Iterator[str]:
    return (id for id in (f"{number:04d}" for number in count(1)) if id not in taken)
