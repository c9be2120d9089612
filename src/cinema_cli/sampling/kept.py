"""Which keyframes of a dataset are kept for training, and where the others were lost (paper, 3.1).

A keyframe is kept when it has a picture and a caption, the annotator did not reject it and ``cinema ingest``
flagged nothing (``storyboard.Shot.kept``).  Flags can be allowed by name.  What is lost is counted once, by
the first reason that is found.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from cinema_cli.dataset import RECORD, Ingested
from cinema_cli.files import sha256_json
from cinema_cli.storyboard import Shot, Storyboard

NO_KEYFRAME, NO_FILE, REJECTED, NO_CAPTION = (
    "no keyframe",
    "keyframe file missing",
    "rejected",
    "no caption",
)


@dataclass(frozen=True)
class KeptFilm:
    """A film of a dataset with the shots whose keyframes are kept, in the order of the film."""

    folder: Path
    frame_size: tuple[int, int]
    shots: tuple[Shot, ...]
    lost: Counter[str]
    sha256: str
    """Of the movie's own hash, where it was ingested, and the ids of the kept shots."""

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.resolve().name


def kept_film(folder: Path, allow: Collection[str] = ()) -> KeptFilm:
    """Read a film's folder and sort its shots into kept and lost."""
    board = Storyboard.load(folder)
    reasons = [(shot, _lost(shot, folder, allow)) for shot in board.shots]
    shots = tuple(shot for shot, reason in reasons if reason is None)
    movie = Ingested.load(folder).sha256 if (folder / RECORD).is_file() else None
    return KeptFilm(
        folder,
        board.frame_size,
        shots,
        Counter(reason for _, reason in reasons if reason is not None),
        sha256_json({"movie": movie, "kept": [shot.id for shot in shots]}),
    )


def _lost(shot: Shot, folder: Path, allow: Collection[str]) -> str | None:
    """Why a shot's keyframe is not kept; None where it is."""
    if shot.keyframe is None:
        return NO_KEYFRAME
    if not (folder / shot.keyframe).is_file():
        return NO_FILE
    against = [flag.reason for flag in shot.flags if flag.reason not in allow]
    if against:
        return against[0]
    if shot.rejected is not None:
        return REJECTED
    return None if shot.caption else NO_CAPTION


def all_lost(films: Collection[KeptFilm]) -> dict[str, int]:
    """Where the keyframes of some films were lost, the most frequent reason first."""
    return dict(sum((film.lost for film in films), Counter[str]()).most_common())


def kept_pairs(films: Collection[KeptFilm]) -> Iterator[tuple[KeptFilm, Shot]]:
    """Every kept shot with its film."""
    for film in films:
        for shot in film.shots:
            yield film, shot
