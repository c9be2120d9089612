"""What pixels tell of one shot: what is kept of it after it was looked at, and its row of the table.

Shapes:  a keyframe is uint8 (H, W, 3), RGB; a clip uint8 (F, H, W, 3)
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cinema_cli.evaluation.colours import Palette, palette
from cinema_cli.evaluation.duplicates import Neighbour, Thumb, thumb
from cinema_cli.evaluation.exposure import Exposure, empty_frames, exposure
from cinema_cli.evaluation.fidelity import Fidelity, fidelity
from cinema_cli.evaluation.films import Film
from cinema_cli.evaluation.flicker import Flicker, flicker
from cinema_cli.evaluation.optical_flow import Motion, motion
from cinema_cli.evaluation.report import Cell
from cinema_cli.evaluation.sharpness import sharpness
from cinema_cli.storyboard import Shot

COLUMNS = (
    "PSNR, dB",
    "SSIM",
    "steadiness",
    "held pairs",
    "fastest, px",
    "dynamic",
    "sharpness",
    "brightness",
    "black, %",
    "white, %",
    "nearest",
    "apart",
)
"""Of the table of shots: six of the clip, six of the keyframe."""


@dataclass(frozen=True)
class PictureLook:
    """What is kept of a keyframe."""

    exposure: Exposure
    sharpness: float
    thumb: Thumb
    palette: Palette


@dataclass(frozen=True)
class ClipLook:
    """What is kept of a clip."""

    fidelity: Fidelity | None
    """Of its first frame to the keyframe; none where they cannot be compared."""
    flicker: Flicker
    motion: Motion | None
    frames: int
    empty: int
    """Frames that show nothing."""


@dataclass(frozen=True)
class ShotLook:
    """What one shot showed."""

    shot: Shot
    picture: PictureLook | None
    clip: ClipLook | None


def look_at(film: Film, shot: Shot) -> ShotLook:
    """Read a shot's keyframe and clip, measure both, keep numbers.

    Raises:
        InputError: one that the storyboard names cannot be read.
    """
    keyframe, clip = film.keyframe(shot), film.clip(shot)
    picture = moving = None
    if keyframe is not None:
        picture = PictureLook(exposure(keyframe), sharpness(keyframe), thumb(keyframe), palette(keyframe))
    if clip is not None:
        # The keyframe of an ingested shot is its middle, cut out otherwise than its clip.
        begins = keyframe is not None and shot.source is None
        moving = ClipLook(
            fidelity(keyframe, clip[0]) if keyframe is not None and begins else None,
            flicker(clip),
            motion(clip, film.rate(shot)),
            len(clip),
            empty_frames(clip),
        )
    return ShotLook(shot, picture, moving)


def row(look: ShotLook, beside: Mapping[str, tuple[str, Neighbour]]) -> tuple[Cell, ...]:
    """The cells of a shot, under ``COLUMNS``.

    Args:
        look: What it showed.
        beside: By shot id, the id of the shot with the nearest keyframe, and how near it is.
    """
    return (*_clip_cells(look.clip), *_picture_cells(look.picture), *_beside_cells(beside.get(look.shot.id)))


def _clip_cells(clip: ClipLook | None) -> tuple[Cell, ...]:
    if clip is None:
        return (None,) * 6
    return (
        round(clip.fidelity.psnr, 2) if clip.fidelity else None,
        round(clip.fidelity.ssim, 4) if clip.fidelity else None,
        None if clip.flicker.steadiness is None else round(clip.flicker.steadiness, 4),
        clip.flicker.held,
        round(clip.motion.fastest, 2) if clip.motion else None,
        clip.motion.dynamic if clip.motion else None,
    )


def _picture_cells(picture: PictureLook | None) -> tuple[Cell, ...]:
    if picture is None:
        return (None,) * 4
    light = picture.exposure
    levels = (round(light.brightness, 3), round(100 * light.black, 1), round(100 * light.white, 1))
    return (round(picture.sharpness, 1), *levels)


def _beside_cells(found: tuple[str, Neighbour] | None) -> tuple[Cell, ...]:
    return (None, None) if found is None else (found[0], round(found[1].apart, 2))
