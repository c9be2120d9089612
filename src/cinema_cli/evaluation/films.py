"""A film as it is measured: its storyboard, its keyframes, its clips, read one shot at a time.

A film that was ingested and a film that was made are the same folder; what a folder lacks (clips, the film
file) is not measured, and said to be missing.

Shapes:  F frames   H, W pixels
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cinema_cli.contact_sheet import FILM_NAME
from cinema_cli.errors import InputError
from cinema_cli.ffmpeg import decode, probe
from cinema_cli.fields import inside
from cinema_cli.files import sha256_file
from cinema_cli.models.pictures import read_picture
from cinema_cli.storyboard import FILE_NAME, Shot, Storyboard

Frame = NDArray[np.uint8]
"""(H, W, 3), RGB."""
Clip = NDArray[np.uint8]
"""(F, H, W, 3), RGB."""

MAX_CLIP_BYTES = 2 * 2**30
"""A clip is held in memory while it is measured; one that needs more is an error."""


@dataclass(frozen=True)
class Film:
    """A film's folder and its document."""

    folder: Path
    board: Storyboard

    @classmethod
    def open(cls, path: Path) -> "Film":
        """The film at ``path``: a folder or its ``storyboard.json``.

        Raises:
            InputError: it is not there, no storyboard, or a storyboard without shots.
        """
        folder = path.parent if path.name == FILE_NAME else path
        if not (folder / FILE_NAME).is_file():
            raise InputError(f"{path}: a film's folder with a {FILE_NAME} was wanted, found none.")
        board = Storyboard.load(folder)
        if not board.shots:
            raise InputError(f"{path}: a film with shots was wanted, found none in its {FILE_NAME}.")
        return cls(folder, board)

    @property
    def shots(self) -> tuple[Shot, ...]:
        """In the order of the film."""
        return self.board.shots

    @cached_property
    def sha256(self) -> str:
        """Of the storyboard's file."""
        return sha256_file(self.folder / FILE_NAME)

    @property
    def movie(self) -> Path | None:
        """The film file, where there is one."""
        path = self.folder / FILM_NAME
        return path if path.is_file() else None

    def keyframe(self, shot: Shot) -> Frame | None:
        """The shot's picture; none where it has none yet.

        Raises:
            InputError: the storyboard names one that is not there or cannot be read.
        """
        if shot.keyframe is None:
            return None
        path = inside(self.folder, shot.keyframe)
        return read_picture(path, self.board.frame_size, "Make it again with `cinema plan`.")

    def clip(self, shot: Shot) -> Clip | None:
        """All frames of the shot's clip, as large as the file has them; none where it has none yet.

        Raises:
            InputError: the storyboard names one that is not there, cannot be read, or is too large.
        """
        if shot.clip is None:
            return None
        path = inside(self.folder, shot.clip)
        info = probe(path)
        needed = info.frames * info.height * info.width * 3
        if needed > MAX_CLIP_BYTES:
            raise InputError(f"{path}: a clip of at most {MAX_CLIP_BYTES} bytes was wanted, found {needed}.")
        return np.stack(list(decode(path)))

    def rate(self, shot: Shot) -> float:
        """Frames a second of the shot's clip."""
        assert shot.clip is not None, shot.id
        return float(probe(inside(self.folder, shot.clip)).rate)
