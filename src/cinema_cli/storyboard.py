"""The storyboard: shots, each with a caption and a keyframe; the one noun that all commands share.

A film that was ingested and a film that was made are the same folder: ``storyboard.json``,
``keyframes/``, ``clips/``.  Every convention about the document is decided here, what may stand in a field
in ``fields``: characters are tagged ``<Name>`` in captions (paper, 3.1), a shot remembers only shots of
its own film and portraits that lie in it, and whoever is tagged belongs to the cast.

The keyframe of an ingested shot is its mid-clip frame (3.1), whose time is ``source.mid``; the
keyframe of a shot that is to be rendered is its first frame (3.3).
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StrictInt, model_validator

from cinema_cli.config import Config, build
from cinema_cli.errors import InputError
from cinema_cli.fields import (
    MAX_FRAME_PIXELS,
    NAME_PATTERN,
    Caption,
    Line,
    Moment,
    MovieName,
    Name,
    Rate,
    RelativePath,
    Seconds,
    Sha256,
    ShotId,
    Side,
    seconds,
)
from cinema_cli.files import read_json, write_atomic

FILE_NAME = "storyboard.json"
VERSION = 1

MAX_SHOTS = 10_000
"""Several times the cuts of the fastest-cut feature film."""
MAX_FILE_BYTES = 64 * 2**20
"""Ten thousand shots with full captions stay below this; a larger file is not read."""
MAX_CAST = 1_000
MAX_LINES = 32
"""Spoken in one shot: more than anybody could read while it lasts."""
MAX_SPOKEN = 500
"""Characters of one spoken line."""

_TAG = re.compile(f"<({NAME_PATTERN})>")


def tags(caption: str) -> tuple[str, ...]:
    """The characters that a caption tags, each once, in order."""
    return tuple(dict.fromkeys(_TAG.findall(caption)))


def strip_tags(caption: str) -> str:
    """The caption with names in place of tags: "<Mira> waves" becomes "Mira waves"."""
    return _TAG.sub(r"\1", caption)


class Portrait(Config):
    """A picture of somebody that was taken from another film (4.3) and lies in this one since."""

    picture: RelativePath
    """The copy, of the size that it has there."""
    caption: Caption
    """What it shows, with the look that they have there; it tags nobody else."""
    film: Line
    """Title of the other film, or the name of its folder."""
    shot: ShotId
    """Whose keyframe it is there."""
    picture_sha256: Sha256
    """Of the picture as it was taken."""


class CastMember(Config):
    """Who is in the film and how they look."""

    name: Name
    """As it stands in captions between < and >."""
    look: Caption = ""
    """What a caption says of them where they first appear."""
    portrait: Portrait | None = None
    """Only where they come from another film: remembered by every shot that tags them."""

    @model_validator(mode="after")
    def _alone(self) -> "CastMember":
        others = set(tags(self.portrait.caption)) - {self.name} if self.portrait else set()
        if others:
            raise ValueError(f"portrait: a caption of <{self.name}> alone was wanted, found <{min(others)}>.")
        return self


class Source(Config):
    """Where an ingested shot lies in its movie."""

    movie: MovieName
    """File name of the movie."""
    start: Moment
    """Time of the first frame."""
    mid: Moment
    """Time of the mid-clip frame, which is the keyframe."""
    end: Moment
    """Time at which the next shot begins."""

    @model_validator(mode="after")
    def _ordered(self) -> "Source":
        if not seconds(self.start) <= seconds(self.mid) < seconds(self.end):
            raise ValueError(f"start <= mid < end was wanted, found {self.start}, {self.mid}, {self.end}.")
        return self


class Remembered(Config):
    """One earlier shot, or a portrait, that a keyframe was drawn with in its context."""

    shot: ShotId
    """Which one; a record of the past, so the shot may have been removed since.  Of a portrait its shot in
    the other film."""
    portrait_of: Name | None = None
    """Whose portrait it is; none where it is a shot of this film."""
    film: Line | None = None
    """From which film the portrait was taken."""
    why: Literal["score", "pin", "recent", "introduced"] | None = None
    """What chose it: its score, a pin, that it is among the last ones, or that its caption told the look of
    somebody whom this shot only names; none in older documents."""
    by: Literal["clip", "t5", "recency"] | None = None
    """What the score compares: pictures and words (CLIP), words (T5), or how long ago it was."""
    score: float | None = None
    """How well it matched, where retrieval chose it."""
    short_side_tokens: Annotated[StrictInt, Field(ge=1)]
    """The size at which it was remembered (GoldenMem)."""
    picture_sha256: Sha256 | None = None
    """Of its keyframe's file then; another one now means that this memory is of a picture that is gone."""


class MadeWith(Config):
    """What a keyframe or clip was made from; other inputs make it stale."""

    model: Line
    """Name of the model."""
    weights_sha256: Sha256
    """Of its weights."""
    inputs_sha256: Sha256
    """Of caption, seed, cast and, for a clip, its keyframe."""
    preset: Line
    """The preset it was made with."""
    version: Line
    """The version of cinema."""
    backend: Line | None = None
    """What drew it where that was not the paper's own model."""


Spoken = Annotated[Line, Field(max_length=MAX_SPOKEN, pattern=r"^[^<>]+$")]


class SpokenLine(Config):
    """What somebody says in a shot; a film shows it as a subtitle."""

    speaker: Name
    """Who says it; a voice from elsewhere is in no picture, so it need not be of the cast."""
    text: Spoken
    """The words, without quotation marks."""


FlagReason = Literal["near-black", "near-white", "blurred", "double-exposure", "near-duplicate"]
"""What can speak against a keyframe that was taken from a movie."""


class Flag(Config):
    """Something that speaks against an ingested keyframe; it is told, never acted upon in silence."""

    reason: FlagReason
    """What is wrong with the picture."""
    value: float
    """What was measured."""
    limit: float
    """From where on it counts."""
    shot: ShotId | None = None
    """The earlier shot of which it is a near-duplicate."""


class Shot(Config):
    """One shot: words, a picture, perhaps a clip."""

    id: ShotId
    """Names its files, so letters, digits, - and _ only."""
    scene: Line = ""
    """Where and when it plays; shots of the same scene share these words."""
    caption: Caption = ""
    """What is seen; characters are tagged <Name>."""
    duration: Seconds
    """Seconds, as rational text."""
    lines: Annotated[tuple[SpokenLine, ...], Field(max_length=MAX_LINES)] = ()
    """What is said in it, in order."""
    keyframe: RelativePath | None = None
    """The picture (the module's docstring tells which frame it is)."""
    clip: RelativePath | None = None
    """The moving picture."""
    seed: Annotated[StrictInt, Field(ge=0, lt=2**63)] | None = None
    """Seed of its noise."""
    source: Source | None = None
    """Only where the shot was ingested."""
    flags: tuple[Flag, ...] = ()
    """What ``cinema ingest`` found against its keyframe."""
    rejected: Line | None = None
    """Why the annotator discarded the keyframe (3.1)."""
    pin: tuple[ShotId, ...] = ()
    """Shots that it must remember."""
    forbid: tuple[ShotId, ...] = ()
    """Shots that it must not remember."""
    context: tuple[Remembered, ...] = ()
    """What its keyframe was drawn with."""
    keyframe_made_with: MadeWith | None = None
    """From what its keyframe was made."""
    clip_made_with: MadeWith | None = None
    """From what its clip was made."""

    @property
    def kept(self) -> bool:
        """Whether training may use the shot: it has a picture and words, and nothing speaks against it."""
        return bool(self.keyframe and self.caption and not self.flags and self.rejected is None)


class Storyboard(Config):
    """The document.  It is never changed in place: ``with_shot`` gives a changed copy."""

    format: Literal["cinema-storyboard"] = "cinema-storyboard"
    """Says what the file is."""
    version: Literal[1] = 1
    """Of the format."""
    title: Line = ""
    """Of the film."""
    caption: Caption = ""
    """The global caption: one paragraph about the whole."""
    frame_size: tuple[Side, Side]
    """Height and width in pixels."""
    frame_rate: Rate = "24"
    """Frames a second of the film, as rational text."""
    cast: Annotated[tuple[CastMember, ...], Field(max_length=MAX_CAST)] = ()
    """Who is in it; when given, captions may tag nobody else."""
    shots: Annotated[tuple[Shot, ...], Field(max_length=MAX_SHOTS)] = ()
    """In the order of the film."""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "Storyboard":
        height, width = self.frame_size
        if height * width > MAX_FRAME_PIXELS:
            raise ValueError(
                f"frame_size: at most {MAX_FRAME_PIXELS} pixels were wanted, found {height} x {width}."
            )
        _refuse_twice("shot id", [shot.id for shot in self.shots])
        _refuse_twice("cast name", [member.name for member in self.cast])
        self._check_memories()
        self._check_tags()
        return self

    def _check_memories(self) -> None:
        known = {shot.id for shot in self.shots}
        for shot in self.shots:
            for field, wanted in (("pin", shot.pin), ("forbid", shot.forbid)):
                for other in wanted:
                    if other not in known or other == shot.id:
                        raise ValueError(
                            f"shot {shot.id}: {field} wants another shot of this film, found {other!r}."
                        )
            both = set(shot.pin) & set(shot.forbid)
            if both:
                raise ValueError(f"shot {shot.id}: {min(both)} is pinned and forbidden at once; remove one.")

    def _check_tags(self) -> None:
        names = {member.name for member in self.cast}
        if not names:
            return
        for where, caption in [("caption", self.caption), *((f"shot {s.id}", s.caption) for s in self.shots)]:
            for name in tags(caption):
                if name not in names:
                    raise ValueError(
                        f"{where}: <{name}> is not in the cast ({', '.join(sorted(names))}). "
                        "Add it to the cast or correct the tag."
                    )

    @classmethod
    def load(cls, path: Path) -> "Storyboard":
        """Read a storyboard; ``path`` is the file or its folder."""
        file = path / FILE_NAME if path.is_dir() else path
        data = read_json(file, MAX_FILE_BYTES)
        if not isinstance(data, dict) or data.get("format") != "cinema-storyboard":
            raise InputError(
                f'{file}: a storyboard ("format": "cinema-storyboard") was wanted, found other data.'
            )
        version = data.get("version")
        if type(version) is not int:
            raise InputError(f"{file}: version {VERSION} was wanted, found {version!r}.")
        if version > VERSION:
            raise InputError(
                f"{file}: version {version} is newer than this cinema reads ({VERSION}). Update cinema."
            )
        return build(cls, data, str(file))

    def save(self, path: Path) -> None:
        """Write the document; ``path`` is the file or its folder."""
        file = path if path.suffix == ".json" else path / FILE_NAME
        write_atomic(file, self.model_dump_json(indent=2, exclude_none=True) + "\n")

    def shot(self, id: str) -> Shot:
        """The shot of that id."""
        for shot in self.shots:
            if shot.id == id:
                return shot
        known = f"{self.shots[0].id} to {self.shots[-1].id}" if self.shots else "no shots"
        raise InputError(f"There is no shot {id!r}. The film has {known}.")

    def portrayed(self, shot: Shot) -> tuple[CastMember, ...]:
        """Those whom a shot tags and who have a portrait, in the order of the cast."""
        names = tags(shot.caption)
        return tuple(member for member in self.cast if member.portrait and member.name in names)

    def chosen(self, words: Sequence[str]) -> tuple[str, ...]:
        """The ids that words such as "0007" or, without the zeros, "7" mean, in the order of the film."""
        short = {shot.id.lstrip("0"): shot.id for shot in self.shots}
        wanted = {self.shot(short.get(word.strip().lstrip("0"), word.strip())).id for word in words}
        return tuple(shot.id for shot in self.shots if shot.id in wanted)

    def with_shot(self, id: str, **changes: Any) -> "Storyboard":
        """A copy in which one shot is changed; both are checked anew."""
        changed = build(Shot, {**dict(self.shot(id)), **changes}, f"shot {id}")
        shots = tuple(changed if shot.id == id else shot for shot in self.shots)
        return build(Storyboard, {**dict(self), "shots": shots}, f"with shot {id} changed")


def _refuse_twice(what: str, names: list[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise ValueError(f"the {what} {name!r} is given twice; each must differ.")
