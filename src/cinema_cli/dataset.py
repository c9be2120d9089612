"""A dataset: a folder of films, each a folder with a storyboard, and what is known of where they came from.

dataset/
└── night-train/
    ├── storyboard.json
    ├── keyframes/0001.png
    └── ingest.json          which movie, and how it was read
"""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StrictInt

from cinema_cli.config import Config, build
from cinema_cli.errors import InputError
from cinema_cli.fields import Line, Moment, Rate, Sha256
from cinema_cli.files import read_json, write_atomic
from cinema_cli.storyboard import FILE_NAME as STORYBOARD

RECORD = "ingest.json"
MAX_RECORD_BYTES = 4 * 2**20

Count = Annotated[StrictInt, Field(ge=0)]


class Ingested(Config):
    """Where an ingested film came from, and how it was read."""

    format: str = Field("cinema-ingest", pattern="^cinema-ingest$")
    """Says what the file is."""
    movie: Line
    """File name of the movie."""
    path: str = Field(max_length=4096)
    """Where it lay when it was read, as an absolute path; sidecars are looked for beside it."""
    sha256: Sha256
    """Of the movie's bytes: the same content is the same movie, whatever its name or date."""
    bytes: Count
    """Size of the movie."""
    frames: Count
    """Frames that were decoded."""
    duration: Moment
    """Seconds, as rational text."""
    frame_rate: Rate
    """Frames a second, as rational text."""
    frame_size: tuple[Count, Count]
    """Height and width of the movie as shown."""
    picture: tuple[Count, Count, Count, Count]
    """Top, left, height and width of what is not black border."""
    settings: dict[str, Any]
    """The expanded config it was read with."""
    notes: tuple[Line, ...] = ()
    """What a person should know: frames missing at the end, tone mapping, other video tracks."""
    seconds_taken: float
    """Wall-clock seconds that reading took."""
    version: Line
    """The version of cinema."""

    @classmethod
    def load(cls, folder: Path) -> "Ingested":
        """Read the record of a film's folder."""
        file = folder / RECORD
        return build(cls, read_json(file, MAX_RECORD_BYTES), str(file))

    def save(self, folder: Path) -> None:
        """Write the record into a film's folder."""
        write_atomic(folder / RECORD, self.model_dump_json(indent=2) + "\n")


def films(dataset: Path) -> list[Path]:
    """The folders of a dataset that hold a storyboard, by name; a single film's folder is a dataset of one.

    Raises:
        InputError: there is no such folder, or no film in it.
    """
    if not dataset.is_dir():
        found = "a file" if dataset.exists() else "nothing"
        raise InputError(f"{dataset}: a dataset (a folder of ingested films) was wanted, found {found}.")
    if (dataset / STORYBOARD).is_file():
        return [dataset]
    with os.scandir(dataset) as entries:
        names = sorted(
            e.name for e in entries if not e.name.startswith(".") and e.is_dir(follow_symlinks=False)
        )
    found_films = [dataset / name for name in names if (dataset / name / STORYBOARD).is_file()]
    if not found_films:
        raise InputError(
            f"{dataset}: a folder of ingested films was wanted, found none in it. See: cinema ingest --help"
        )
    return found_films
