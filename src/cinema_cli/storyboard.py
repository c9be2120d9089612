"""The storyboard: shots, each with a caption and a keyframe; the one noun that all commands share.

A film that was ingested and a film that was made are the same folder: ``storyboard.json``,
``keyframes/``, ``clips/``.  Every convention about the document is decided here: time is a rational
number of seconds written as text, characters are tagged ``<Name>`` in captions (paper, 3.1), paths
are relative and stay inside the folder.

The keyframe of an ingested shot is its mid-clip frame (3.1), whose time is ``source.mid``; the
keyframe of a shot that is to be rendered is its first frame (3.3).
"""

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt, model_validator

from cinema_cli.config import Config, build
from cinema_cli.errors import InputError
from cinema_cli.files import read_json, write_atomic

FILE_NAME = "storyboard.json"
VERSION = 1

MAX_SHOTS = 10_000
"""Several times the cuts of the fastest-cut feature film."""
MAX_CAPTION = 4_000
"""Characters: far above the 512 text tokens that the largest text encoder here reads."""
MAX_FRAME_PIXELS = 67_108_864
"""8192 x 8192: above 8K film, and still 192 MiB as one RGB frame in memory."""
MAX_RATE = 240
"""Frames a second; the fastest rate that ordinary players show."""
MAX_DURATION = 3_600
"""Seconds in one shot: an hour is longer than any shot that a model makes or a cut detector should leave."""
MAX_MOMENT = 360_000
"""Seconds into a source movie: a hundred hours."""
MAX_FILE_BYTES = 64 * 2**20
"""Ten thousand shots with full captions stay below this; a larger file is not read."""
MAX_CAST = 1_000
MAX_NAME = 64
MAX_PATH = 1_024

_TIME = re.compile(r"[0-9]{1,12}(/[0-9]{1,12})?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NAME = rf"[^\W_][^<>\x00-\x1f\x7f-\x9f]{{0,{MAX_NAME - 1}}}"
_TAG = re.compile(f"<({_NAME})>")
_ID = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$"


def seconds(text: str) -> Fraction:
    """A rational number written as text, "4" or "1001/24", as an exact fraction."""
    if not _TIME.fullmatch(text):
        raise ValueError(f'a rational number written as "4" or "1001/24" was wanted, found {text!r}.')
    above, _, below = text.partition("/")
    if below and int(below) == 0:
        raise ValueError(f"a rational number was wanted, found {text!r}, which divides by zero.")
    return Fraction(int(above), int(below or 1))


def _written(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f'a rational number written as text, "4" or "1001/24", was wanted, found {value!r}.')
    return value


def _bounded(most: int, unit: str, zero: bool = False) -> AfterValidator:
    def check(text: str) -> str:
        if not (0 < seconds(text) <= most or (zero and seconds(text) == 0)):
            least = "" if zero else "more than 0 and "
            raise ValueError(f"{least}at most {most} {unit} were wanted, found {text!r}.")
        return text

    return AfterValidator(check)


def _line(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError(f"one line without control characters was wanted, found {text[:60]!r}.")
    return text


def _prose(text: str) -> str:
    if _CONTROL.search(text.replace("\n", "").replace("\t", "")):
        raise ValueError(f"text without control characters was wanted, found {text[:60]!r}.")
    return text


def _name(text: str) -> str:
    if not re.fullmatch(_NAME, text) or text != text.strip():
        raise ValueError(
            f"a name of at most {MAX_NAME} characters that starts with a letter or digit and has no < or > "
            f"was wanted, found {text[:80]!r}."
        )
    return text


def _movie(text: str) -> str:
    if _CONTROL.search(text) or "/" in text or "\\" in text or text in ("", ".", ".."):
        raise ValueError(f"the name of a movie file, without folders, was wanted, found {text[:80]!r}.")
    return text


def safe_relative(text: str) -> str:
    """The same path, if it can only name something inside a folder."""
    parts = text.split("/")
    refused = (
        len(text) > MAX_PATH
        or _CONTROL.search(text)
        or "\\" in text
        or ":" in text  # drive letters and URL schemes alike
        or any(part in ("", ".", "..") or part.startswith("~") for part in parts)
    )
    if refused:
        raise ValueError(
            f'a relative path inside the folder such as "keyframes/0001.png" was wanted, found {text[:80]!r}.'
        )
    return text


def inside(folder: Path, relative: str) -> Path:
    """The file of that relative path; a symlink that leads out of the folder is refused."""
    try:
        path = folder / safe_relative(relative)
    except ValueError as error:
        raise InputError(f"{folder}: {error}") from error
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError) as error:  # a ring of symlinks
        raise InputError(f"{path}: cannot be followed to a file ({error}).") from error
    if not resolved.is_relative_to(folder.resolve()):
        raise InputError(f"{path}: a file inside {folder} was wanted, but a link leads out to {resolved}.")
    return path


Seconds = Annotated[str, BeforeValidator(_written), _bounded(MAX_DURATION, "seconds")]
Moment = Annotated[str, BeforeValidator(_written), _bounded(MAX_MOMENT, "seconds", zero=True)]
Rate = Annotated[str, BeforeValidator(_written), _bounded(MAX_RATE, "frames a second")]
RelativePath = Annotated[str, AfterValidator(safe_relative)]
Line = Annotated[str, Field(max_length=MAX_CAPTION), AfterValidator(_line)]
Caption = Annotated[str, Field(max_length=MAX_CAPTION), AfterValidator(_prose)]
Name = Annotated[str, AfterValidator(_name)]
ShotId = Annotated[str, Field(pattern=_ID)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Side = Annotated[StrictInt, Field(ge=1, le=MAX_FRAME_PIXELS)]


def tags(caption: str) -> tuple[str, ...]:
    """The characters that a caption tags, each once, in order."""
    return tuple(dict.fromkeys(_TAG.findall(caption)))


def strip_tags(caption: str) -> str:
    """The caption with names in place of tags: "<Mira> waves" becomes "Mira waves"."""
    return _TAG.sub(r"\1", caption)


class CastMember(Config):
    """Who is in the film and how they look."""

    name: Name
    """As it stands in captions between < and >."""
    look: Caption = ""
    """What a caption says of them where they first appear."""


class Source(Config):
    """Where an ingested shot lies in its movie."""

    movie: Annotated[str, Field(max_length=255), AfterValidator(_movie)]
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
    """One earlier shot that a keyframe was drawn with in its context."""

    shot: ShotId
    """Which one; a record of the past, so the shot may have been removed since."""
    score: float | None = None
    """How well it matched, where retrieval chose it."""
    short_side_tokens: Annotated[StrictInt, Field(ge=1)]
    """The size at which it was remembered (GoldenMem)."""


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
