"""Captions that lie beside a movie: the theatre's truth, or .jsonl, .vtt and .srt with a time for each.

What a file is, its content says, not its name.  Note that the .srt beside a movie usually holds what
is *said*; here it is read as what is *seen*.

A line of .jsonl is an object with "shot" (its id) or "start" and "end" (seconds), a "caption", and
perhaps "characters", and "keep": false with a "reject_reason".
"""

import html
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any

import pysubs2
from pydantic import BeforeValidator, Field, StrictBool, StrictStr, model_validator

from cinema_cli.config import Config, build
from cinema_cli.errors import InputError, MissingError
from cinema_cli.fields import MAX_MOMENT, Caption, Line, ShotId, seconds
from cinema_cli.files import sha256_file
from cinema_cli.storyboard import MAX_CAST, CastMember, Source
from cinema_cli.theatre.captions import describe_look
from cinema_cli.theatre.movies import MAX_SIDECAR_BYTES, Truth

SUFFIXES = (".truth.json", ".jsonl", ".vtt", ".srt")
"""Looked for in this order; the first that is there is read."""
MAX_TEXT_BYTES = 16 * 2**20
MAX_CUES = 100_000

_STAMP = re.compile(r"^[ \t]*\d{1,3}:\d\d:\d\d[,.]\d{1,3}[ \t]*-->", re.MULTILINE)
_MARKUP = re.compile(r"</?(?:i|b|u|s|c|v|font|ruby|rt|lang)(?:[.\s][^<>]*)?>|<[\d:.]+>")
_NO_REASON_GIVEN = "discarded in the sidecar"


def _moment(value: object) -> Fraction:
    """Seconds, exactly: a JSON number as it is written, or rational text."""
    if isinstance(value, Fraction):
        return value
    if isinstance(value, str):
        value = seconds(value)
    elif isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"seconds were wanted, found {value!r}.")
    if isinstance(value, Decimal) and not -12 <= int(value.as_tuple().exponent) <= 6:
        raise ValueError("seconds of at most 12 decimals were wanted.")
    if not 0 <= value <= MAX_MOMENT:
        raise ValueError(f"0 to {MAX_MOMENT} seconds were wanted, found {value}.")
    return Fraction(value)


Moment = Annotated[Any, BeforeValidator(_moment)]


class Cue(Config):
    """Words for a stretch of the movie, or for a shot."""

    shot: ShotId | None = None
    """Which shot, where the words were written for this storyboard."""
    start: Moment = Fraction(0)
    """Seconds."""
    end: Moment = Fraction(0)
    """Seconds."""
    caption: Caption = ""
    """What is seen."""
    characters: Annotated[tuple[StrictStr, ...], Field(max_length=MAX_CAST)] | None = None
    """Who is tagged; None where the file does not say."""
    keep: StrictBool = True
    """Whether the frame may be trained on."""
    reject_reason: Line = ""
    """Why not."""

    @model_validator(mode="after")
    def _means_something(self) -> "Cue":
        if self.shot is None and not self.start < self.end:
            raise ValueError('"shot", or "start" before "end", was wanted.')
        if self.keep and not self.caption.strip():
            raise ValueError("a caption was wanted, found none.")
        return self

    @property
    def rejected(self) -> str | None:
        """The reason, where the frame is discarded."""
        return None if self.keep else self.reject_reason or _NO_REASON_GIVEN


@dataclass(frozen=True)
class About:
    """What is known of a whole film."""

    title: str = ""
    caption: str = ""
    cast: tuple[CastMember, ...] = ()


class Sidecar:
    """A file that was read: what it says of the whole, and the words for any shot."""

    def __init__(self, path: Path, cues: Iterable[Cue], about: About = About(), movie: str = "") -> None:
        """``movie`` is the SHA-256 of the movie that the file belongs to, where it says so."""
        self.path, self.about, self.movie = path, about, movie
        self.sha256 = sha256_file(path)
        found = list(cues)
        if len(found) > MAX_CUES:
            raise InputError(f"{path}: at most {MAX_CUES} captions were wanted, found {len(found)}.")
        self._of_shot = {cue.shot: cue for cue in found if cue.shot is not None}
        self._timed = sorted((cue for cue in found if cue.shot is None), key=lambda cue: cue.start)
        self._starts = [cue.start for cue in self._timed]
        self._latest_end = list(accumulate((cue.end for cue in self._timed), max))

    def cue(self, shot: str, source: Source | None) -> Cue | None:
        """The words for a shot: with its id, else at its mid-clip time, else with the largest overlap."""
        if shot in self._of_shot or source is None:
            return self._of_shot.get(shot)
        start, mid, end = (seconds(time) for time in (source.start, source.mid, source.end))
        near = list(self._overlapping(start, end))
        at_mid = [cue for cue in near if cue.start <= mid < cue.end]
        return max(at_mid or near, key=lambda cue: min(cue.end, end) - max(cue.start, start), default=None)

    def _overlapping(self, start: Fraction, end: Fraction) -> Iterator[Cue]:
        """Backwards from the last cue that begins before ``end``, while one can still reach ``start``."""
        index = bisect_left(self._starts, end) - 1
        while index >= 0 and self._latest_end[index] > start:
            if self._timed[index].end > start:
                yield self._timed[index]
            index -= 1


def find_sidecar(movie: Path, folder: Path) -> tuple[Path, list[Path]]:
    """The file to read for a movie, and others that are there and are not read.

    Raises:
        MissingError: there is none.
    """
    there = [path for suffix in SUFFIXES if (path := folder / f"{movie.stem}{suffix}").is_file()]
    if not there:
        names = ", ".join(f"{movie.stem}{suffix}" for suffix in SUFFIXES)
        raise MissingError(
            f"{movie.name}: captions in a file beside the movie were wanted ({names}), found none in "
            f"{folder}. Put one there, name its folder with --sidecars, or let a model write them: "
            "--annotator openai."
        )
    return there[0], there[1:]


def read_sidecar(path: Path) -> Sidecar:
    """Read captions; the content decides what they are written in."""
    text = _text(path)
    if text.startswith("{"):
        if '"cinema-theatre-truth"' in text[:4096]:
            return _truth(path)
        return Sidecar(path, _json_lines(path, text))
    if text.startswith("WEBVTT") or _STAMP.search(text[:8192]):
        return Sidecar(path, _subtitles(path, text, "vtt" if text.startswith("WEBVTT") else "srt"))
    raise InputError(
        f"{path}: captions as the theatre's truth, .jsonl, .vtt or .srt were wanted, found {text[:40]!r}."
    )


def _text(path: Path) -> str:
    most = MAX_SIDECAR_BYTES if path.name.endswith(".truth.json") else MAX_TEXT_BYTES
    try:
        size = path.stat().st_size
        if size > most:
            raise InputError(f"{path}: at most {most} bytes were wanted, found {size}.")
        return path.read_text(encoding="utf-8-sig").lstrip()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: UTF-8 text was wanted, found other bytes at {error.start}. Save it as UTF-8."
        ) from error


def _truth(path: Path) -> Sidecar:
    truth = Truth.load(path)
    cues = [Cue(start=shot.start, end=shot.end, caption=shot.caption) for shot in truth.shots]
    cast = tuple(CastMember(name=puppet.name, look=describe_look(puppet)) for puppet in truth.cast)
    return Sidecar(path, cues, About(truth.title, truth.caption, cast), truth.sha256)


def _json_lines(path: Path, text: str) -> Iterator[Cue]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            data = json.loads(line, parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, RecursionError, ArithmeticError) as error:
            raise InputError(f"{path}, line {number}: a JSON object was wanted: {error}.") from error
        if not isinstance(data, dict):
            raise InputError(f"{path}, line {number}: a JSON object was wanted, found {line[:40]!r}.")
        yield build(Cue, data, f"{path}, line {number}")


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not a number that JSON has")


def _subtitles(path: Path, text: str, kind: str) -> Iterator[Cue]:
    try:
        events = pysubs2.SSAFile.from_string(text, format_=kind, keep_html_tags=True).events
    except (pysubs2.exceptions.Pysubs2Error, ValueError) as error:
        raise InputError(f"{path}: {kind} was wanted, found a fault in it: {error}.") from error
    for number, event in enumerate(events, start=1):
        words = _MARKUP.sub("", event.text.replace("\\N", " "))
        words = " ".join((html.unescape(words) if kind == "vtt" else words).split())
        if words:
            cue = {"start": Fraction(event.start, 1000), "end": Fraction(event.end, 1000), "caption": words}
            yield build(Cue, cue, f"{path}, caption {number}")
