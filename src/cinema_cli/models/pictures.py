"""Frames as picture files: written whole or not at all, read only when they are what the film needs.

Shapes:  H, W pixels
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from cinema_cli.errors import InputError
from cinema_cli.files import atomic_path

Frame = NDArray[np.uint8]
"""(H, W, 3), RGB."""

FLAT = 3
"""A frame whose channels span no more levels than this shows nothing; decoding alone moves one or two."""


def is_flat(frame: Frame) -> bool:
    """Whether a frame is nothing but one colour."""
    return bool((np.ptp(frame.reshape(-1, 3), axis=0) <= FLAT).all())


def write_picture(path: Path, frame: Frame) -> None:
    """Write a frame without loss."""
    with atomic_path(path) as temporary:
        Image.fromarray(frame).save(temporary)


def read_picture(path: Path, frame_size: tuple[int, int], repair: str) -> Frame:
    """A frame of exactly ``frame_size``; ``repair`` tells the reader of an error what to do.

    Raises:
        InputError: it is not there, no picture, or of another size.
    """
    wanted = f"a picture of {frame_size[0]} x {frame_size[1]} pixels was wanted"
    try:
        with Image.open(path, formats=("PNG", "JPEG", "WEBP")) as picture:
            if (picture.height, picture.width) != frame_size:  # before a pixel is decoded
                found = f"{picture.height} x {picture.width}"
                raise InputError(f"{path}: {wanted}, found {found}. {repair}")
            return np.array(picture.convert("RGB"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: {wanted}, but there is no such file. {repair}") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: {wanted}, found a file that cannot be read ({error}). {repair}") from error
