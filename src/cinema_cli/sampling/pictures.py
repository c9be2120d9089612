"""Keyframes of a dataset as the trainer takes them: read, checked, and made as small as the preset wants.

The filter is Lanczos, which Pillow widens by the factor of reduction: 400 x 800 becomes 128 x 256 without
aliasing.  A keyframe is never stretched: another shape than that of the frame is an error.

Shapes:  H, W pixels
"""

import numpy as np
from PIL import Image

from cinema_cli.errors import InputError
from cinema_cli.fields import inside
from cinema_cli.models.pictures import Frame, read_picture
from cinema_cli.sampling.kept import KeptFilm
from cinema_cli.storyboard import Shot

ROUNDING = 0.01
"""Sides whose ratio differs by less are the same shape in whole pixels: 2:1 at 854 x 428 for instance."""


def read_keyframe(film: KeptFilm, shot: Shot) -> Frame:
    """A kept keyframe as it lies in the dataset (H, W, 3).

    Raises:
        InputError: it is not there, no picture, or not of its film's frame size.
    """
    assert shot.keyframe is not None, shot.id  # it would not be kept
    repair = f"It is the keyframe of shot {shot.id} of {film.name}; run `cinema ingest` on its movie again."
    return read_picture(inside(film.folder, shot.keyframe), film.frame_size, repair)


def small_keyframe(film: KeptFilm, shot: Shot, frame_size: tuple[int, int]) -> Frame:
    """A kept keyframe at the size that is trained on (H, W, 3)."""
    frame = read_keyframe(film, shot)
    if frame.shape[:2] == frame_size:
        return frame
    small = Image.fromarray(frame).resize((frame_size[1], frame_size[0]), Image.Resampling.LANCZOS)
    return np.asarray(small)


def refuse_other_shapes(film: KeptFilm, frame_size: tuple[int, int]) -> None:
    """Told before training starts, because it holds for all of a film's keyframes.

    Raises:
        InputError: the film's frames would have to be stretched or enlarged.
    """
    height, width = film.frame_size
    wanted = frame_size[1] / frame_size[0]
    if abs(width / height / wanted - 1) > ROUNDING or height < frame_size[0]:
        raise InputError(
            f"{film.folder}: frames of at least {frame_size[0]} x {frame_size[1]} in that shape were wanted, "
            f"found {height} x {width}. Ingest the movie with such a crop, or change the preset's frame size."
        )
