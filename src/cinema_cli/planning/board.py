"""The storyboard of a story: written once, kept as a person edits it, written anew when the story changes.

``plan.json`` beside it remembers what it was planned from.  As long as that is the same, the document on
disk is the truth, with every caption that was changed by hand.  Planned anew, a shot whose words stay the
same stays the same shot: its id, seed, keyframe and clip; a new shot takes the lowest id that is free.
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from cinema_cli.config import Config, build
from cinema_cli.errors import InputError
from cinema_cli.files import read_json, sha256_json, write_atomic
from cinema_cli.models.captions import with_looks
from cinema_cli.planning.shot_list import ShotList
from cinema_cli.planning.story import MOST_ASKED, write_shot_list
from cinema_cli.runtime import MAX_SEED
from cinema_cli.storyboard import FILE_NAME, Seconds, Sha256, Shot, Side, Storyboard
from cinema_cli.theatre.world import FRAME_SIZE

RECORD_NAME = "plan.json"
PREVIOUS_NAME = "storyboard.previous.json"
MAX_RECORD_BYTES = 1 << 22

Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
Asked = Annotated[int, Field(ge=1, le=MOST_ASKED)]


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


class PlanRecord(Config):
    """What a storyboard was planned from, in ``plan.json``."""

    format: Literal["cinema-plan"] = "cinema-plan"
    """Says what the file is."""
    story_sha256: Sha256
    """Of the story's text."""
    shots: Asked | None
    """How many were asked for."""
    seed: Seed
    """Of the whole film."""
    frame_size: tuple[Side, Side]
    """Height and width in pixels."""
    shot_seconds: Seconds
    """How long a shot lasts."""
    notes: tuple[str, ...] = ()
    """What was staged otherwise than the story says."""

    @classmethod
    def load(cls, folder: Path) -> "PlanRecord | None":
        """The record of a folder, if it has one."""
        path = folder / RECORD_NAME
        return build(cls, read_json(path, MAX_RECORD_BYTES), str(path)) if path.exists() else None

    def save(self, folder: Path) -> None:
        """Write it."""
        write_atomic(folder / RECORD_NAME, self.model_dump_json(indent=2) + "\n")


def storyboard_of(text: str, folder: Path, config: StoryConfig) -> tuple[Storyboard, tuple[str, ...]]:
    """The storyboard of a story in ``folder``, on the disk when this returns; and what is to be told.

    Raises:
        InputError: the folder holds a storyboard that was not planned from a story.
    """
    last = PlanRecord.load(folder)
    old = Storyboard.load(folder) if (folder / FILE_NAME).exists() else None
    if old is not None and last is None:
        raise InputError(
            f"{folder / FILE_NAME}: a folder for a new film was wanted, found a storyboard that was not "
            "planned from a story; planning would replace it. Choose another folder with --out."
        )
    wanted = _record(text, last, config)
    if old is not None and last is not None and wanted == last.model_copy(update={"notes": ()}):
        return old, last.notes
    listed = write_shot_list(text, wanted.shots, wanted.seed)
    new = _written(listed, wanted)
    notes = listed.notes
    if old is not None and last is not None:
        if wanted.seed == last.seed:
            new = _carried_over(new, old)
        old.save(folder / PREVIOUS_NAME)
        notes = (f"planned anew; the storyboard as it was before is in {PREVIOUS_NAME}", *notes)
    wanted = wanted.model_copy(update={"notes": listed.notes})
    if old is None:  # a folder with a storyboard is ours only if it has a record
        wanted.save(folder)
    new.save(folder)
    wanted.save(folder)
    return new, notes


def shot_seed(seed: int, *what: object) -> int:
    """A seed that depends on nothing but the film's seed and what it is for."""
    return int(sha256_json([seed, *what])[:8], 16)


def _record(text: str, last: PlanRecord | None, config: StoryConfig) -> PlanRecord:
    """What is wanted now; what is not said stays as it was."""
    story, shots, seed = sha256_json(text), config.shots, config.seed
    if last is not None:
        seed = last.seed if seed is None else seed
        shots = last.shots if shots is None and story == last.story_sha256 else shots
    return PlanRecord(
        story_sha256=story,
        shots=shots,
        seed=seed or 0,
        frame_size=config.frame_size,
        shot_seconds=config.shot_seconds,
    )


def _written(listed: ShotList, record: PlanRecord) -> Storyboard:
    """The document of a shot list, nothing drawn yet."""
    board = build(
        Storyboard,
        {
            "title": listed.title,
            "caption": listed.caption,
            "frame_size": record.frame_size,
            "cast": [{"name": entry.name, "look": entry.look} for entry in listed.cast],
            "shots": [
                {
                    "id": f"{number:04d}",
                    "scene": shot.scene,
                    "caption": shot.caption,
                    "duration": record.shot_seconds,
                }
                for number, shot in enumerate(listed.shots, start=1)
            ],
        },
        "the storyboard of this story",
    )
    # The same words twice are two pictures; words that move to another place keep theirs.
    times: dict[str, int] = {}
    shots = []
    for shot in board.shots:
        words = with_looks(shot.caption, board.cast)
        times[words] = times.get(words, 0) + 1
        shots.append(shot.model_copy(update={"seed": shot_seed(record.seed, words, times[words])}))
    return board.model_copy(update={"shots": tuple(shots)})


def _carried_over(new: Storyboard, old: Storyboard) -> Storyboard:
    """The new shots, each the old one where scene and words are the same."""
    waiting: dict[tuple[str, str], list[Shot]] = {}
    for shot in old.shots:
        waiting.setdefault((shot.scene, with_looks(shot.caption, old.cast)), []).append(shot)
    matched: list[tuple[Shot, Shot | None]] = []
    for shot in new.shots:
        same = waiting.get((shot.scene, with_looks(shot.caption, new.cast)))
        matched.append((shot, same.pop(0) if same else None))
    kept = {before.id for _, before in matched if before is not None}
    free = _free_ids(kept)
    shots = []
    for shot, before in matched:
        if before is None:
            shots.append(shot.model_copy(update={"id": next(free)}))
            continue
        # Its caption may tell a look that another shot told before.
        changes = {
            "caption": shot.caption,
            "duration": shot.duration,
            "pin": tuple(id for id in before.pin if id in kept),
            "forbid": tuple(id for id in before.forbid if id in kept),
        }
        shots.append(before.model_copy(update=changes))
    return build(Storyboard, {**dict(new), "shots": tuple(shots)}, "the storyboard of this story")


def _free_ids(taken: set[str]) -> Iterator[str]:
    return (id for id in (f"{number:04d}" for number in count(1)) if id not in taken)
