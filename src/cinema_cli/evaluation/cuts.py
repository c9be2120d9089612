"""Cut agreement: whether the film is cut where its storyboard says.

The cuts that our own detectors find in ``film.mp4`` (``footage.shots``) are held against the storyboard's
cumulated durations, one to one, within one frame of the film.  What the detectors miss in a correct film
(cuts between two pictures that are alike, shots below 0.6 s; ``docs/ingest.md``) counts against it here.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

from cinema_cli.ffmpeg import probe
from cinema_cli.fields import seconds
from cinema_cli.footage.shots import ShotConfig, find_shots
from cinema_cli.storyboard import Storyboard

SHORTEST = ShotConfig().min_seconds
"""Seconds: the detectors find no shorter shot."""
TOLERANCE = 1
"""Frames by which a found cut may lie beside the one that was wanted."""


@dataclass(frozen=True)
class CutAgreement:
    """How many cuts were found where they were wanted, and which were not."""

    agreed: int
    missed: tuple[Fraction, ...]
    """Seconds at which a cut was wanted and none was found."""
    extra: tuple[Fraction, ...]
    """Seconds at which one was found and none was wanted."""

    @property
    def wanted(self) -> int:
        """By the storyboard."""
        return self.agreed + len(self.missed)

    @property
    def found(self) -> int:
        """In the film."""
        return self.agreed + len(self.extra)

    @property
    def recall(self) -> float | None:
        """Share of the wanted cuts that were found."""
        return self.agreed / self.wanted if self.wanted else None

    @property
    def precision(self) -> float | None:
        """Share of the found cuts that were wanted."""
        return self.agreed / self.found if self.found else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both: 2 agreed / (wanted + found)."""
        both = self.wanted + self.found
        return 2 * self.agreed / both if both else None


def storyboard_cuts(board: Storyboard) -> list[Fraction]:
    """Seconds from the beginning at which every shot but the first begins."""
    return list(accumulate(seconds(shot.duration) for shot in board.shots[:-1]))


def film_cuts(movie: Path) -> tuple[list[Fraction], Fraction]:
    """Seconds from the first frame at which cuts are found in a film, and how long a frame of it is."""
    shots = find_shots(movie)
    first = shots[0][0].time
    return [moment.time - first for moment, _ in shots[1:]], 1 / probe(movie).rate


def agreement(wanted: Sequence[Fraction], found: Sequence[Fraction], within: Fraction) -> CutAgreement:
    """Pairs wanted and found cuts in order, each at most once, no further apart than ``within`` seconds."""
    left = deque(sorted(found))
    agreed = 0
    missed: list[Fraction] = []
    extra: list[Fraction] = []
    for cut in sorted(wanted):
        while left and left[0] < cut - within:
            extra.append(left.popleft())
        if left and left[0] <= cut + within:
            left.popleft()
            agreed += 1
        else:
            missed.append(cut)
    return CutAgreement(agreed, tuple(missed), (*extra, *left))


def cut_agreement(board: Storyboard, movie: Path) -> CutAgreement:
    """Of a film file with its storyboard."""
    found, frame = film_cuts(movie)
    return agreement(storyboard_cuts(board), found, TOLERANCE * frame)
