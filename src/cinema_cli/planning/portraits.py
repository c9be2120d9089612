"""Portraits: one picture of somebody, taken from another film and kept in this one (paper, 4.3, Fig. 10b).

The picture is a keyframe that shows nobody else.  It is copied as it is, so that this film is whole without
the other one, and brought to the film's size only when it is read: another frame size, or a picture that a
person puts in its place, needs nothing else.  Every shot that tags its person remembers it, the first one as
the last: what a shot was drawn from is then told by the document alone, in whatever order shots are drawn.

Shapes:  H, W pixels
"""

import re
from collections.abc import Set
from itertools import count
from pathlib import Path
from typing import NoReturn

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from cinema_cli.errors import InputError
from cinema_cli.fields import MAX_FRAME_PIXELS, inside
from cinema_cli.files import sha256_file
from cinema_cli.models.captions import with_looks
from cinema_cli.models.pictures import Frame
from cinema_cli.planning.windows import WindowConfig
from cinema_cli.storyboard import CastMember, Portrait, Shot, Storyboard, tags
from cinema_cli.theatre.wording import SIZE_WORDS

FOLDER = "cast"
LEAST_LEFT = 0.5
"""How much of a portrait has to be left when it is cut to the shape of the film's frames."""
FRAMINGS = {
    word.lower(): rank
    for rank, size in enumerate(("medium", "wide", "close-up"))
    for word in SIZE_WORDS[size]  # type: ignore[index]
}
"""How a caption begins that tells its framing; the best for a portrait has 0."""


def best_shot(board: Storyboard, member: CastMember) -> Shot | None:
    """The shot whose keyframe shows somebody best, and nobody else.

    First one whose caption tells the look; then a medium shot, a wide one, a close-up; then the first.
    """
    alone = [
        shot
        for shot in board.shots
        if shot.keyframe and tags(shot.caption) == (member.name,) and not shot.flags and not shot.rejected
    ]

    def rank(shot: Shot) -> tuple[bool, int]:
        tells = bool(member.look) and member.look in shot.caption
        opening = re.split(r"[.,:;]", shot.caption, maxsplit=1)[0].strip().lower()
        return not tells, FRAMINGS.get(opening, len(FRAMINGS))

    return min(alone, key=rank, default=None)


def take(
    board: Storyboard, folder: Path, member: CastMember, taken: Set[str]
) -> tuple[Portrait, Path] | None:
    """The portrait of somebody in a film, and the picture that it is to be copied from.

    Args:
        board: of the other film.
        folder: where it lies.
        member: whose.
        taken: names of files, in small letters, that the copy may not have.

    Raises:
        InputError: the picture is gone.
    """
    shot = best_shot(board, member)
    if shot is None:
        return _handed_on(folder, member, taken)
    source = inside(folder, str(shot.keyframe))
    if not source.is_file():
        raise InputError(
            f"{source}: the keyframe of shot {shot.id}, which shows <{member.name}>, was wanted, but there "
            f"is no such file. Draw it again first: cinema plan {folder} --redo {shot.id}"
        )
    portrait = Portrait(
        picture=f"{FOLDER}/{file_name(member.name, source.suffix.lower(), taken)}",
        caption=with_looks(shot.caption, [member]),
        film=film_name(board, folder),
        shot=shot.id,
        picture_sha256=sha256_file(source),
    )
    return portrait, source


def _handed_on(folder: Path, member: CastMember, taken: Set[str]) -> tuple[Portrait, Path] | None:
    """The portrait with which somebody came into a film that never shows them alone."""
    if member.portrait is None:
        return None
    source = inside(folder, member.portrait.picture)
    if not source.is_file():
        _gone(source, member)
    picture = f"{FOLDER}/{file_name(member.name, source.suffix.lower(), taken)}"
    return (
        member.portrait.model_copy(update={"picture": picture, "picture_sha256": sha256_file(source)}),
        source,
    )


def told_look(board: Storyboard, name: str) -> str:
    """How the captions of a film describe somebody for whom its cast tells no look; perhaps not at all."""
    pattern = re.compile(rf"<{re.escape(name)}>(?:,| is) (an? [^,.;:!?<>]+)")
    found = (pattern.search(shot.caption) for shot in board.shots)
    return next((match[1].strip() for match in found if match), "")


def film_name(board: Storyboard, folder: Path) -> str:
    """What a film is called: by its title, else by its folder."""
    return board.title or folder.resolve().name


def file_name(name: str, suffix: str, taken: Set[str]) -> str:
    """A file's name for a person's, on every system; none of ``taken``, which are in small letters."""
    plain = re.sub(r"[^\w '’-]", "_", name)[:40].strip()
    names = (plain if number == 1 else f"{plain}-{number}" for number in count(1))
    return next(f"{each}{suffix}" for each in names if f"{each}{suffix}".lower() not in taken)


def read_portrait(folder: Path, member: CastMember, frame_size: tuple[int, int]) -> Frame:
    """(H, W, 3): the portrait at the film's size, cut around its centre to the film's shape.

    Raises:
        InputError: it is gone, no picture, or of a shape that would leave less than half of it.
    """
    assert member.portrait is not None
    return fitted(inside(folder, member.portrait.picture), member, frame_size)[0]


def fitted(path: Path, member: CastMember, frame_size: tuple[int, int]) -> tuple[Frame, str | None]:
    """A picture of somebody at a frame size, and what was done to it, if anything.

    Raises:
        InputError: as ``read_portrait``.
    """
    try:
        with Image.open(path, formats=("PNG", "JPEG", "WEBP")) as picture:
            if picture.width * picture.height > MAX_FRAME_PIXELS:  # before a pixel is decoded
                raise InputError(
                    f"{path}: at most {MAX_FRAME_PIXELS} pixels were wanted, found {picture.size}."
                )
            pixels = picture.convert("RGB")
    except FileNotFoundError:
        _gone(path, member)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(
            f"{path}: a picture of <{member.name}> was wanted, found a file that cannot be read ({error}). "
            "Put a png, jpg or webp in its place."
        ) from error
    found, wanted = (pixels.height, pixels.width), frame_size
    if found == wanted:
        return np.array(pixels), None
    left = min(found[1] * wanted[0], found[0] * wanted[1]) / max(found[1] * wanted[0], found[0] * wanted[1])
    if left < LEAST_LEFT:
        raise InputError(
            f"{path}: a picture of <{member.name}> of about the shape of {wanted[0]} x {wanted[1]} pixels "
            f"was wanted, found {found[0]} x {found[1]}, of which {left:.0%} would be left. Cut it yourself, "
            "or choose another frame_size."
        )
    cut = f" and cut to {left:.0%} of it" if left < 1 else ""
    scaled = ImageOps.fit(pixels, (wanted[1], wanted[0]), Image.Resampling.BICUBIC)
    note = f"brought from {found[0]} x {found[1]} to {wanted[0]} x {wanted[1]} pixels{cut}"
    return np.array(scaled), note


def portrait_sha256(folder: Path, member: CastMember) -> str:
    """Of the picture as it lies there now; as it was taken where it does not."""
    assert member.portrait is not None
    path = inside(folder, member.portrait.picture)
    return sha256_file(path) if path.is_file() else member.portrait.picture_sha256


def check_portraits(board: Storyboard, folder: Path) -> None:
    """Raise InputError where a portrait of the film cannot be used."""
    for member in board.cast:
        if member.portrait is not None:
            read_portrait(folder, member, board.frame_size)


def words_alone(board: Storyboard, config: WindowConfig) -> tuple[str, ...]:
    """A line where frames are drawn jointly, beside which no portrait is seen."""
    names = [f"<{member.name}>" for member in board.cast if member.portrait]
    if config.mode != "joint" or not names:
        return ()
    return (f"drawn jointly, frames see no portrait: {', '.join(names)} by words only",)


def _gone(path: Path, member: CastMember) -> NoReturn:
    raise InputError(
        f"{path}: the portrait of <{member.name}> was wanted, but there is no such file. Put a picture "
        "there, take it again with --cast-from, or remove the portrait from the cast in the storyboard to go "
        "by words alone."
    )
