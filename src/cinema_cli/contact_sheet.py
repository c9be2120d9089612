"""A storyboard to look at: one self-contained page, or one plain picture.

The page needs no script, no network and no other file: pictures are inlined, and its own security
policy forbids the rest.  It shows what a shot saw when it was drawn, and why: small pictures, each as large
as it was remembered (GoldenMem; paper, section 3.2), so that one sees the past fade, with the score or the
pin that chose it.
"""

import base64
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cinema_cli.errors import InputError
from cinema_cli.fields import MAX_FRAME_PIXELS, inside, seconds
from cinema_cli.files import sha256_file, write_atomic
from cinema_cli.progress import clock
from cinema_cli.storyboard import CastMember, Remembered, Shot, SpokenLine, Storyboard, tags

if TYPE_CHECKING:
    from PIL import Image

PAGE_NAME = "contact-sheet.html"
FILM_NAME = "film.mp4"

WIDTHS = ((100, 512), (1_000, 320), (10_000, 160))
"""Width of a picture on the page, in pixels, for up to so many shots: a page stays below about 100 MB."""
MEMORY_WIDTH = 96
MEMORY_HEIGHT = 46
"""Height on the page of a memory at full size; smaller ones are drawn to scale."""
PORTRAIT_WIDTH = 192
LEAST_HEIGHT = 4
"""Of a memory: below this nothing is to be seen."""

SCORED_BY = {"clip": "CLIP", "t5": "T5", "recency": "recency"}
"""What a score is called on the page; one of older documents does not say what made it."""
SCORE_MEANS = {
    "clip": "CLIP: how well its picture fits these words",
    "t5": "T5: how alike the words are",
    "recency": "recency: how short a time ago it was",
}

Run = tuple[str, float | None]
"""A piece of text, with the hue of the name it is."""


@dataclass(frozen=True)
class Memory:
    """One remembered shot, or portrait, as the page shows it."""

    shot: str
    """What stands below the picture: its id, or whose portrait it is and of which film."""
    title: str
    """All that is known of it in one line: *shot 0003 · CLIP 0.31 · 15 tokens*."""
    reason: str
    """Why it was remembered, as it stands below the picture: *pin 0.31*, *recent*; perhaps empty."""
    pinned: bool
    here: bool
    """Whether the film still has the shot, so that a link leads to it."""
    drawn: bool
    height: int
    picture: str
    """The class that names its small picture."""


@dataclass(frozen=True)
class Face:
    """One of the cast as the page shows them."""

    name: str
    hue: float
    look: list[Run]
    portrait: str | None
    """The picture with which they came from another film."""
    origin: str
    """Where it was taken: *The Lamp Keeper, shot 0003*; else empty."""
    sha256: str | None
    """Of the portrait's file."""


@dataclass(frozen=True)
class Card:
    """One shot as the page shows it."""

    shot: Shot
    start: str
    seconds: str
    runs: list[Run]
    lines: list[tuple[SpokenLine, float | None]]
    """What is said, each with the hue of who says it; a voice that no caption names has none."""
    picture: str | None
    small: str | None
    clip: str | None
    times: str | None
    memories: list[Memory]


def write_contact_sheet(storyboard: Storyboard, folder: Path) -> Path:
    """Write ``contact-sheet.html`` beside the storyboard and return its path."""
    hues = name_hues(storyboard)
    cast = [_face(member, folder, hues) for member in storyboard.cast]
    cards = list(_cards(storyboard, folder, hues, cast))
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    total = sum((seconds(shot.duration) for shot in storyboard.shots), Fraction(0))
    made_with = next((s.keyframe_made_with for s in storyboard.shots if s.keyframe_made_with), None)
    used = {memory.by for shot in storyboard.shots for memory in shot.context}
    page = environment.get_template("contact_sheet.html.j2").render(
        board=storyboard,
        caption=text_runs(storyboard.caption, hues),
        cast=cast,
        cards=cards,
        length=clock(float(total)),
        scenes=len({shot.scene for shot in storyboard.shots if shot.scene}),
        film=FILM_NAME if (folder / FILM_NAME).is_file() else None,
        ratio=storyboard.frame_size[1] / storyboard.frame_size[0],
        made_with=made_with,
        movie=next((shot.source.movie for shot in storyboard.shots if shot.source), None),
        remembering=any(shot.context for shot in storyboard.shots),
        forbidding=any(shot.forbid for shot in storyboard.shots),
        scored_by=[SCORE_MEANS[by] for by in SCORE_MEANS if by in used],
        flagged=sum(1 for shot in storyboard.shots if shot.flags),
    )
    path = folder / PAGE_NAME
    write_atomic(path, page)
    return path


def name_hues(storyboard: Storyboard) -> dict[str, float]:
    """A hue in degrees for every name: the golden angle apart, in the order of the cast, then of mention."""
    names = [member.name for member in storyboard.cast]
    for caption in (storyboard.caption, *(shot.caption for shot in storyboard.shots)):
        names += tags(caption)
    return {name: (28 + 137.508 * index) % 360 for index, name in enumerate(dict.fromkeys(names))}


def text_runs(caption: str, hues: dict[str, float]) -> list[Run]:
    """A caption in pieces, its tagged names with their hues; what is no tag stays as written."""
    if not hues:
        return [(caption, None)]
    names = "|".join(re.escape(name) for name in hues)
    pieces = re.split(f"<({names})>", caption)
    return [(piece, hues[piece] if index % 2 else None) for index, piece in enumerate(pieces) if piece]


def _face(member: CastMember, folder: Path, hues: dict[str, float]) -> Face:
    look, portrait = text_runs(member.look, hues), member.portrait
    if portrait is None:
        return Face(member.name, hues[member.name], look, None, "", None)
    path = inside(folder, portrait.picture)
    picture = _read(path, f"the storyboard names this portrait of <{member.name}>", "Put a picture there")
    origin = f"{portrait.film}, shot {portrait.shot}"
    return Face(
        member.name, hues[member.name], look, _inlined(picture, PORTRAIT_WIDTH), origin, sha256_file(path)
    )


def _cards(
    storyboard: Storyboard, folder: Path, hues: dict[str, float], cast: Sequence[Face]
) -> Iterator[Card]:
    width = next(width for shots, width in WIDTHS if len(storyboard.shots) <= shots)
    drawn = {shot.id: shot.keyframe is not None for shot in storyboard.shots}
    largest = max((memory.short_side_tokens for s in storyboard.shots for memory in s.context), default=1)
    remembered = {m.shot for shot in storyboard.shots for m in shot.context if m.portrait_of is None}
    portraits = {(face.name, face.sha256): number for number, face in enumerate(cast) if face.portrait}
    start = Fraction(0)
    for shot in storyboard.shots:
        picture = open_keyframe(shot, folder)
        recalled = picture is not None and shot.id in remembered
        yield Card(
            shot=shot,
            start=clock(float(start)),
            seconds=f"{float(seconds(shot.duration)):.3g} s",
            runs=text_runs(shot.caption, hues),
            lines=[(line, hues.get(line.speaker)) for line in shot.lines],
            picture=_inlined(picture, width) if picture else None,
            small=_inlined(picture, MEMORY_WIDTH) if picture and recalled else None,
            clip=quote(shot.clip) if shot.clip and inside(folder, shot.clip).is_file() else None,
            times=_source_times(shot),
            memories=[
                _memory(memory, shot, drawn, largest)
                if memory.portrait_of is None
                else _portrait(memory, portraits.get((memory.portrait_of, memory.picture_sha256)), largest)
                for memory in shot.context
            ],
        )
        start += seconds(shot.duration)


def _memory(memory: Remembered, shot: Shot, drawn: dict[str, bool], largest: int) -> Memory:
    """What is shown of one remembered shot, to the scale at which the largest has its full height."""
    pinned = memory.why == "pin" or (memory.why is None and memory.shot in shot.pin)
    number = "" if memory.score is None else f"{memory.score:.2f}".replace("-", "−")
    score = number and f"{SCORED_BY[memory.by] if memory.by else 'score'} {number}"
    why = memory.why if memory.why in ("recent", "introduced") else ""
    size = _size(memory)
    return Memory(
        shot=memory.shot,
        title=" · ".join(filter(None, (f"shot {memory.shot}", "pinned" if pinned else why, score, size))),
        reason=" ".join(filter(None, ("pin" if pinned else why, number))),
        pinned=pinned,
        here=memory.shot in drawn,
        drawn=drawn.get(memory.shot, False),
        height=_height(memory, largest),
        picture=f"k-{memory.shot}",
    )


def _portrait(memory: Remembered, number: int | None, largest: int) -> Memory:
    """The same of a portrait; ``number`` is its place in the cast, none where it is another one since."""
    film = memory.film or "another film"
    return Memory(
        shot=f"{memory.portrait_of}, {film}",
        title=f"portrait of {memory.portrait_of} · {film}, shot {memory.shot} · {_size(memory)}",
        reason="portrait",
        pinned=True,
        here=False,
        drawn=number is not None,
        height=_height(memory, largest),
        picture=f"p-{number}",
    )


def _size(memory: Remembered) -> str:
    tokens = memory.short_side_tokens
    return f"{tokens} token{'' if tokens == 1 else 's'}"


def _height(memory: Remembered, largest: int) -> int:
    return max(LEAST_HEIGHT, round(MEMORY_HEIGHT * memory.short_side_tokens / largest))


def _source_times(shot: Shot) -> str | None:
    """Where an ingested shot lies in its movie: its first frame, its keyframe, its end."""
    if shot.source is None:
        return None
    return " · ".join(
        precise(seconds(text)) for text in (shot.source.start, shot.source.mid, shot.source.end)
    )


def precise(moment: Fraction) -> str:
    """Seconds as 1:02:03.45, to the hundredth."""
    hundredths = round(moment * 100)
    return f"{clock(hundredths // 100)}.{hundredths % 100:02d}"


def open_keyframe(shot: Shot, folder: Path) -> "Image.Image | None":
    """A shot's keyframe; none where it has none yet.

    Raises:
        InputError: the storyboard names one that is not there, or is no picture.
    """
    if shot.keyframe is None:
        return None
    path = inside(folder, shot.keyframe)
    return _read(path, f"shot {shot.id} names this keyframe", "Draw it again: cinema plan")


def _read(path: Path, wanted: str, repair: str) -> "Image.Image":
    """The picture; if it is gone the error says who ``wanted`` it and what to do."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=("PNG", "JPEG", "WEBP")) as picture:
            if picture.width * picture.height > MAX_FRAME_PIXELS:
                raise InputError(f"{path}: wanted at most {MAX_FRAME_PIXELS} pixels, found {picture.size}.")
            return picture.convert("RGB")
    except FileNotFoundError as error:
        raise InputError(f"{path}: {wanted}, but it is not there. {repair}") from error
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: wanted a png, jpg or webp picture: {error}") from error


def _inlined(picture: "Image.Image", width: int) -> str:
    """The picture as a data URI; a small one is enlarged at most twice."""
    from PIL import Image

    width = min(width, 2 * picture.width)
    height = max(1, round(picture.height * width / picture.width))
    stream = io.BytesIO()
    picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0).save(
        stream, "JPEG", quality=90, subsampling=0
    )
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
