"""Pictures as they are shown to a model: opened with care, not larger than it needs, one JPEG each."""

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

from cinema_cli.chat.model import Picture
from cinema_cli.errors import InputError
from cinema_cli.fields import MAX_FRAME_PIXELS

if TYPE_CHECKING:
    from PIL import Image

MAX_PICTURE_BYTES = 32 * 2**20
"""A keyframe is below 1 MB and a photograph below 16 MB; a larger file is not read."""
FORMATS = ("PNG", "JPEG", "WEBP")
QUALITY = 92


def read_bytes(path: Path) -> bytes:
    """The bytes of a picture file, bounded."""
    try:
        if not path.is_file():  # a pipe would be waited for
            raise InputError(
                f"{path}: a picture was wanted, found {'another thing' if path.exists() else 'nothing'}."
            )
        size = path.stat().st_size
        if size > MAX_PICTURE_BYTES:
            raise InputError(f"{path}: at most {MAX_PICTURE_BYTES} bytes were wanted, found {size}.")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: the picture cannot be read ({error.strerror}).") from error


def sha256(data: bytes) -> str:
    """The SHA-256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def shown(path: Path, longest: int) -> Picture:
    """The picture at ``path`` as it is sent: RGB, its long side at most ``longest`` pixels.

    Raises:
        InputError: it is not there, too large, or no png, jpg or webp.
    """
    from PIL import Image, UnidentifiedImageError

    data = read_bytes(path)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_FRAME_PIXELS:  # before a pixel is decoded
                raise InputError(
                    f"{path}: at most {MAX_FRAME_PIXELS} pixels were wanted, found {picture.size}."
                )
            sent = _jpeg(picture, longest)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: a png, jpg or webp picture was wanted: {error}.") from error
    return Picture(sent, "image/jpeg", sha256(data), longest)


def _jpeg(picture: "Image.Image", longest: int) -> bytes:
    from PIL import Image

    picture = picture.convert("RGB")
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=QUALITY, subsampling=0)
    return stream.getvalue()
