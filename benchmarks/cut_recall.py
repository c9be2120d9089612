"""What `cinema ingest` finds and what it misses: recall and false cuts, by kind of transition and by setting.

    python benchmarks/cut_recall.py                       six theatre movies of a minute, and made transitions
    python benchmarks/cut_recall.py --movies folder/      movies of `cinema theatre` that lie there already

Theatre movies have hard cuts (some within one framing) and dissolves of half a second.  The made ones
have dissolves and fades through black of 6 to 48 frames between drawn scenes that move, at 24 frames a
second.  A hard cut counts as found within a frame, a slow transition when any cut lies inside it.  Of
the mid-clip frames that lie in a missed dissolve, it is told how many are flagged.
"""

import argparse
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from cinema_cli.ffmpeg import Frame, encode
from cinema_cli.fields import seconds
from cinema_cli.files import sha256_file
from cinema_cli.footage.movie import MovieFile, ReadConfig, read_movie
from cinema_cli.footage.shots import ShotConfig
from cinema_cli.progress import Progress
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.movies import RATE, Truth, write_movies
from cinema_cli.theatre.screenplay import write_movie

SETTINGS = {
    "adaptive": ShotConfig(also=()),
    "adaptive + jump (default)": ShotConfig(),
    "adaptive + jump + histogram": ShotConfig(also=("jump", "histogram")),
    "adaptive + jump + threshold": ShotConfig(also=("jump", "threshold")),
    "content": ShotConfig(detector="content", also=()),
    "histogram": ShotConfig(detector="histogram", also=()),
}
SIZE = (128, 256)


@dataclass(frozen=True)
class Change:
    """A transition: its kind, its first frame and the frame after its last."""

    kind: str
    first: int
    end: int

    def has(self, cut: int) -> bool:
        """Whether a cut at that frame tells it."""
        return self.first - 1 <= cut <= self.end


@dataclass
class Score:
    """Of one kind of transition."""

    found: int = 0
    all: int = 0


def made_movie(path: Path, seed: int) -> list[Change]:
    """Write a movie of drawn shots with a slow transition between each two."""
    rng = random.Random(seed)
    shots = [shot.staged for shot in write_movie(seed, 60).shots]
    shots = [shot for shot, before in zip(shots[1:], shots, strict=False) if shot.place != before.place][:13]
    changes: list[Change] = []

    def frames() -> Iterator[Frame]:
        number = 0
        old: list[Frame] = []
        for index, staged in enumerate(shots):
            length, slow = rng.randint(48, 96), (6, 12, 24, 48)[index % 4]
            new = [draw_frame(staged, n / RATE, SIZE) for n in range(length + 48)]
            if index:
                kind = ("dissolve", "fade")[index % 2]
                changes.append(Change(f"{kind} of {slow}", number, number + slow))
                for n in range(slow):
                    share = (n + 1) / (slow + 1)
                    if kind == "dissolve":
                        mixed = (1 - share) * old[n] + share * new[n]
                    else:
                        mixed = old[n] * max(0, 1 - 2 * share) + new[n] * max(0, 2 * share - 1)
                    yield np.rint(mixed).astype(np.uint8)
                number += slow
            begun = slow if index else 0
            yield from new[begun : begun + length]
            number += length
            old = [draw_frame(staged, (begun + length + n) / RATE, SIZE) for n in range(48)]

    encode(frames(), path, Fraction(RATE), crf=18)
    return changes


def theatre_changes(truth: Truth) -> list[Change]:
    """The transitions of a theatre movie; a cut within one framing has a kind of its own."""
    changes = []
    for before, shot in zip(truth.shots, truth.shots[1:], strict=False):
        same = (before.staged.place, before.staged.size) == (shot.staged.place, shot.staged.size)
        kind = "dissolve of 12" if shot.transition == "dissolve" else "hard cut"
        kind += ", one framing" if same and kind == "hard cut" else ""
        changes.append(Change(kind, shot.start_frame, shot.start_frame + max(1, shot.transition_frames)))
    return changes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--movies", type=Path, help="a folder of `cinema theatre`")
    parser.add_argument("--count", type=int, default=6)
    parser.add_argument("--fast", action="store_true", help="with --fast")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        aside = Path(folder)
        if options.movies is None:
            write_movies(aside / "theatre", options.count, 1.0, 100, Progress(quiet=True))
        where = options.movies or aside / "theatre"
        sets: dict[str, list[tuple[Path, list[Change]]]] = {"theatre": [], "made": []}
        for sidecar in sorted(where.glob("*.truth.json")):
            movie = sidecar.with_name(sidecar.name.replace(".truth.json", ".mp4"))
            sets["theatre"].append((movie, theatre_changes(Truth.load(sidecar))))
        for seed in range(options.count):
            movie = aside / f"made{seed}.mp4"
            sets["made"].append((movie, made_movie(movie, seed)))
        for name, config in SETTINGS.items():
            for kind, movies in sets.items():
                report(f"{kind}: {name}", movies, ReadConfig(shots=config, fast=options.fast), aside)


def report(name: str, movies: list[tuple[Path, list[Change]]], config: ReadConfig, aside: Path) -> None:
    """Print what is found with one setting."""
    scores: dict[str, Score] = {}
    false = within = flagged = 0
    for number, (movie, changes) in enumerate(movies):
        out = aside / name / str(number)
        out.mkdir(parents=True)
        file = MovieFile(movie, sha256_file(movie), movie.stat().st_size)
        shots = read_movie(file, out, config, 1, lambda share: None).shots
        found = [round(seconds(shot.source.start) * RATE) for shot in shots[1:] if shot.source]
        false += sum(not any(change.has(cut) for change in changes) for cut in found)
        for change in changes:
            score = scores.setdefault(change.kind, Score())
            score.all += 1
            score.found += any(change.has(cut) for cut in found)
        slow = [change for change in changes if change.kind.startswith("dissolve")]
        for shot in shots:
            middle = seconds(shot.source.mid) * RATE if shot.source else 0
            if any(change.first <= middle < change.end for change in slow):
                within += 1
                flagged += any(flag.reason == "double-exposure" for flag in shot.flags)
    told = ", ".join(f"{kind} {score.found}/{score.all}" for kind, score in sorted(scores.items()))
    print(f"{name}: {told}; false {false}; middles in a dissolve {within}, flagged {flagged}", flush=True)


if __name__ == "__main__":
    main()
