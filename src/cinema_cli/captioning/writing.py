"""Words into a storyboard: which shots want them, and how they get there without treading on a person's."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cinema_cli.captioning.annotators import Film, Reader
from cinema_cli.captioning.verdict import Annotation, tagged
from cinema_cli.config import build
from cinema_cli.storyboard import CastMember, Shot, Storyboard, tags

State = Literal["wanted", "skipped", "by_hand"]


def state(shot: Shot, film: Film, inputs: str, *, again: bool) -> State:
    """Whether a shot wants words; ``inputs`` is what they would be made from.

    ``again`` lets words go that a person wrote.
    """
    if not (shot.caption or shot.rejected):
        return "wanted"
    written = film.book.written(shot.id, shot.caption, shot.rejected)
    if written is None:
        return "wanted" if again else "by_hand"
    return "skipped" if written == inputs else "wanted"


@dataclass(frozen=True)
class Words:
    """New words for one shot."""

    before: Shot
    """The shot as it was when they were asked for."""
    annotation: Annotation
    """The words."""
    inputs: str
    """What they were made from."""


class Writer:
    """Takes new words for a film and puts them into its storyboard."""

    def __init__(self, film: Film, reader: Reader, *, again: bool) -> None:
        """``again`` lets words go that a person wrote."""
        self._film, self._about, self._cast, self._again = film, reader.about, reader.cast, again
        self._words: dict[str, Words] = {}
        self._edited: list[str] = []
        self._strays: list[str] = []

    def add(self, words: Words) -> None:
        """Keep words until the next ``save``."""
        self._words[words.before.id] = words

    @property
    def notes(self) -> list[str]:
        """What a person should know of the storyboard as it was saved last."""
        name = self._film.folder.name
        edited = [f"{name}, shot {id}: edited meanwhile, left as it is" for id in self._edited]
        return edited + [
            f"{name}: <{who}> is tagged in words that stay, and stays in the cast" for who in self._strays
        ]

    def save(self) -> Storyboard:
        """Put them into the storyboard as it lies on the disk now; a shot edited meanwhile is left alone."""
        folder = self._film.folder
        board = Storyboard.load(folder)
        shots = tuple(self._reworded(shot) for shot in board.shots)
        changed = {**dict(board), **self._whole(board), "shots": shots}
        changed["cast"] = self._members(board, shots, str(changed["caption"]))
        new = build(Storyboard, changed, f"{folder} with its captions")
        if new != board:
            new.save(folder)
        self._words.clear()
        return new

    def _reworded(self, shot: Shot) -> Shot:
        words = self._words.get(shot.id)
        if words is None:
            return shot
        before, annotation = words.before, words.annotation
        if (shot.caption, shot.rejected) != (before.caption, before.rejected):
            self._edited.append(shot.id)
            return shot
        changes = {"caption": annotation.caption, "rejected": annotation.rejected}
        new = build(Shot, {**dict(shot), **changes}, f"{self._film.folder}, shot {shot.id}")
        # In the book first: what is in the storyboard and not in the book is a person's.
        self._film.book.note(shot.id, new.caption, new.rejected, inputs=words.inputs)
        return new

    def _whole(self, board: Storyboard) -> dict[str, str]:
        """Title and global caption, where the annotator knows them and nobody wrote others."""
        caption = tagged(self._about.caption, self._cast).caption
        ingested = self._film.ingested
        given = "" if ingested is None else Path(ingested.movie).stem  # the title that ingest gives
        changes = {}
        for place, new, old, default in (
            ("title", self._about.title, board.title, given),
            ("caption", caption, board.caption, ""),
        ):
            free = old in ("", default) or self._film.book.written(f"({place})", old) is not None
            if new and (free or self._again):
                self._film.book.note(f"({place})", new, inputs="the whole film")
                changes[place] = new
        return changes

    def _members(self, board: Storyboard, shots: tuple[Shot, ...], caption: str) -> tuple[CastMember, ...]:
        """The list, and whoever else is tagged in words that stay: a storyboard's cast holds all its tags."""
        if not self._cast.characters:
            return board.cast
        before = {member.name: member for member in board.cast}
        members = {member.name: member for member in self._cast.members()}
        if self._film.cast is None:  # nobody gave a list: looks that stand in the storyboard stay
            members |= {name: old for name, old in before.items() if name in members and old.look}
        tagged_now = dict.fromkeys(
            name for words in (caption, *(shot.caption for shot in shots)) for name in tags(words)
        )
        self._strays = [name for name in tagged_now if name not in members]
        members |= {name: before.get(name, CastMember(name=name)) for name in self._strays}
        return tuple(members.values())
