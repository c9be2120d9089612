"""What may stand in a field of a document: times, names, lines of text, paths; each checked when it is read.

Time is a rational number of seconds written as text.  A path is relative and names something inside the
folder of its document.  Sizes are bounded here, before anything is allocated for them.
"""

import re
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StrictInt

from cinema_cli.errors import InputError

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
MAX_NAME = 64
MAX_PATH = 1_024

_TIME = re.compile(r"[0-9]{1,12}(/[0-9]{1,12})?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
NAME_PATTERN = rf"[^\W_][^<>\x00-\x1f\x7f-\x9f]{{0,{MAX_NAME - 1}}}"
"""What a name may be, as it stands in a caption between < and >."""
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
    if not re.fullmatch(NAME_PATTERN, text) or text != text.strip():
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
MovieName = Annotated[str, Field(max_length=255), AfterValidator(_movie)]
ShotId = Annotated[str, Field(pattern=_ID)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Side = Annotated[StrictInt, Field(ge=1, le=MAX_FRAME_PIXELS)]
