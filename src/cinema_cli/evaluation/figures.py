"""Shares of looks that were right, and how sure they are: over films, or within one.

Frames of one movie stand or fall together: a model that forgets a puppet forgets it in every later shot.
So the interval is Wilson's for as many independent looks as the movies are worth (their design effect),
not for as many as were taken.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

Observations = Mapping[str, Sequence[float]]
"""What one movie showed: for each figure of the table 1 or 0 per look, or decibels per picture."""

Z = 1.959964
"""95 % of a normal distribution lie within so many standard deviations."""


@dataclass(frozen=True)
class Figure:
    """A line of the table before it is measured."""

    key: str
    text: str
    target: str = ""
    unit: str = "%"
    """``%`` for the share of looks that were right, ``dB`` for a mean."""


@dataclass(frozen=True)
class Row:
    """A line of the table; ``measured`` is None for what was not measured."""

    figure: str
    target: str
    unit: str
    measured: float | None = None
    n: int = 0
    movies: int = 0
    low: float | None = None
    high: float | None = None

    def markdown(self) -> str:
        """Figure | target | measured | n | interval."""
        if self.measured is None:
            return f"| {self.figure} | {self.target} | not yet | 0 | |"
        count = f"{self.n} in {self.movies} movies"
        between = "" if self.low is None else f"{self.low:.1f} to {self.high:.1f}"
        return f"| {self.figure} | {self.target} | {self.measured:.1f} {self.unit} | {count} | {between} |"

    def data(self) -> dict[str, object]:
        """The same as plain data."""
        return asdict(self)


def wilson(share: float, n: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share of ``n`` independent looks."""
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def design_effect(movies: Sequence[Sequence[float]]) -> float:
    """How many times more looks are needed because those of one movie resemble each other; at least 1."""
    sums, counts = np.array([sum(m) for m in movies]), np.array([len(m) for m in movies])
    share = sums.sum() / counts.sum()
    independent = share * (1 - share) / counts.sum()
    if len(movies) < 2 or independent == 0:
        return 1.0
    found = ((sums - share * counts) ** 2).sum() / counts.sum() ** 2 * len(movies) / (len(movies) - 1)
    return max(1.0, float(found / independent))


def mean_interval(movies: Sequence[Sequence[float]]) -> tuple[float, float] | tuple[None, None]:
    """Normal 95 % interval of a mean, movies being the independent unit; none from a single movie."""
    if len(movies) < 2:
        return None, None
    values = np.array([np.mean(movie) for movie in movies])
    half = Z * float(values.std(ddof=1)) / math.sqrt(len(values))
    middle = float(np.mean([value for movie in movies for value in movie]))
    return middle - half, middle + half


def row(figure: Figure, movies: Sequence[Observations]) -> Row:
    """A figure, measured over movies; those that had nothing to look at do not count."""
    looks = [movie[figure.key] for movie in movies if movie.get(figure.key)]
    if not looks:
        return Row(figure.text, figure.target, figure.unit)
    n = sum(len(movie) for movie in looks)
    mean = float(sum(sum(movie) for movie in looks)) / n
    if figure.unit != "%":
        return Row(figure.text, figure.target, figure.unit, mean, n, len(looks), *mean_interval(looks))
    low, high = wilson(mean, n / design_effect(looks))
    return Row(figure.text, figure.target, "%", 100 * mean, n, len(looks), 100 * low, 100 * high)


def markdown(rows: Sequence[Row]) -> Iterator[str]:
    """The lines of the table."""
    yield "| figure | target | measured | n | 95 % interval |"
    yield "|---|---|---|---|---|"
    yield from (line.markdown() for line in rows)


KEYFRAME_FIGURES = (
    Figure("set", "set as captioned", ">= 95 %"),
    Figure("time", "time of day as captioned", ">= 95 %"),
    Figure("size", "shot size as captioned", ">= 95 %"),
    Figure("coat described", "coat of a puppet described in its own caption", ">= 95 %"),
    Figure("hat described", "hat of a puppet described in its own caption", ">= 95 %"),
    Figure("coat named", "identity in context: coat of a puppet named only", ">= 90 %"),
    Figure("hat named", "identity in context: hat of a puppet named only", ">= 90 %"),
    Figure("two", "two puppets in a frame not mixed (coats and places)", ">= 90 %"),
    Figure("place 0", "place returns as it was, next shot", ">= 90 %"),
    Figure("place 1-3", "place returns as it was, 1 to 3 other shots between", ">= 90 %"),
    Figure("place 4-7", "place returns as it was, 4 to 7 other shots between", ">= 90 %"),
    Figure("place 8+", "place returns as it was, 8 or more other shots between", ">= 90 %"),
)
"""What keyframes of the theatre are looked at for."""

CLIP_FIGURES = (
    Figure("psnr first", "clip: first frame against the keyframe, as decoded", ">= 30 dB", "dB"),
    Figure("coat clip", "clip: coat right in every frame", ">= 95 %"),
    Figure("hat clip", "clip: hat right in every frame", ">= 95 %"),
    Figure("motion", "clip: motion matches the verb", ">= 90 %"),
)
"""What its clips are looked at for."""
