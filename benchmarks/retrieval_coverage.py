"""What a memory finds of what the next shot needs: the paper's Fig. 5 on the theatre, docs/retrieval.png.

    python benchmarks/retrieval_coverage.py
    python benchmarks/retrieval_coverage.py --movies 200 --clip runs/toy/clip

Held-out movies of 32 to 48 shots, which go back to places and puppets seen long before.  From the ninth on
every shot asks for memories, in the words that the planner asks with (the looks of everybody told).  It
*needs* each of its puppets and its place, as far as an earlier shot has shown them.  *Coverage* is the share
of these that at least one remembered shot shows; a *revisit* is found where one shot shows all of them.

CLIP compares the caption with the pictures, T5 with the earlier captions (looks told there too).  First the
best scores alone are taken, which is what the picture shows; then the rules of ``context/retrieval.py`` hold,
near-duplicates by CLIP's pictures for every kind.  Intervals of 95 % count movies, not shots.
"""

import argparse
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from cinema_cli.context.retrieval import Candidates, RetrievalConfig, recency_scores, retrieve
from cinema_cli.models.captions import with_looks
from cinema_cli.models.clip import ClipEncoder
from cinema_cli.models.encoders import TextEncoder
from cinema_cli.models.sentences import sentence_vectors
from cinema_cli.models.weights import TOY, model_folder
from cinema_cli.storyboard import CastMember
from cinema_cli.theatre.captions import describe_look
from cinema_cli.theatre.draw import draw_frame
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import StagedShot
from cinema_cli.training.sequences import HELD_OUT

FIRST_SEED = HELD_OUT + 60_000
COUNTS = (1, 2, 3, 4, 6, 8, 12)
FIRST_TARGET = 8
TOY_DUPLICATE = 0.8
"""Suits the vectors of the embedded CLIP: most pairs of frames of the same people and place are above it, one
in a hundred of the others (docs/log.md)."""
LONG_AGO = 8
"""A flashback goes to a place that none of so many last shots showed."""
COLOURS = {
    "CLIP text to image": "#b3261e",
    "T5 text to text": "#1f5fa8",
    "recency": "#5f6b3c",
    "random": "#8a8a8a",
}
TITLES = {
    "coverage": "coverage: share of what a shot needs that its memory shows",
    "revisits": "revisits: one remembered shot shows everybody and the place",
    "flashbacks": f"coverage where the place was not among the last {LONG_AGO} shots",
}


@dataclass
class Shares:
    """For each question, kind and count: the mean of every movie."""

    movies: dict[tuple[str, str, int], list[float]] = field(default_factory=dict)

    def add(self, found: Mapping[tuple[str, str, int], list[float]]) -> None:
        """The answers of one movie."""
        for key, values in found.items():
            self.movies.setdefault(key, []).append(float(np.mean(values)))

    def mean(self, question: str, kind: str, count: int) -> tuple[float, float]:
        """The mean over movies, and half of its interval."""
        values = np.array(self.movies[question, kind, count])
        return float(values.mean()), float(1.96 * values.std(ddof=1) / len(values) ** 0.5)


class Scores:
    """All scores of one movie."""

    def __init__(self, seed: int, clip: ClipEncoder, t5: TextEncoder) -> None:
        rng = random.Random(f"length {seed}")
        movie = write_movie(seed, rng.randint(32, 48))
        cast = [CastMember(name=puppet.name, look=describe_look(puppet)) for puppet in movie.cast]
        captions = [with_looks(shot.caption, cast) for shot in movie.shots]
        self.shots = [shot.staged for shot in movie.shots]
        self.pictures = clip.image(
            torch.from_numpy(np.stack([draw_frame(shot) for shot in self.shots]))
        ).numpy()
        words = sentence_vectors(t5, captions)
        count = len(captions)
        self.kinds = {
            "CLIP text to image": clip.text(captions).numpy() @ self.pictures.T,
            "T5 text to text": (words @ words.T).numpy(),
            "recency": np.array(
                [recency_scores([*range(t), *[t + 1] * (count - t)], t) for t in range(count)]
            ),
            "random": np.random.default_rng(seed % 2**32).random((count, count)),
        }  # (target, candidate)


def things(shot: StagedShot) -> set[object]:
    """What a shot shows: its puppets and its place."""
    return {shot.place, *(figure.puppet.name for figure in shot.figures)}


def measure(scores: Scores, config: RetrievalConfig) -> dict[tuple[str, str, int], list[float]]:
    """The answers of every shot of a movie that needs something."""
    answers: dict[tuple[str, str, int], list[float]] = {}
    shown = [things(shot) for shot in scores.shots]
    for target in range(FIRST_TARGET, len(shown)):
        needed = shown[target] & set().union(*shown[:target])
        if not needed:
            continue
        back = any(needed <= other for other in shown[:target])
        place = scores.shots[target].place
        flashback = place in needed and all(place not in other for other in shown[target - LONG_AGO : target])
        for kind, rows in scores.kinds.items():
            candidates = Candidates(
                [str(place) for place in range(target)],
                range(target),
                rows[target, :target].tolist(),
                scores.pictures[:target],
            )
            for count in COUNTS:
                rules = config.model_copy(update={"tie": 0.0}) if kind == "random" else config
                memory = [
                    shown[int(chosen.shot)] for chosen in retrieve(candidates, target, count, rules).chosen
                ]
                share = len(needed & set().union(*memory)) / len(needed)
                answers.setdefault(("coverage", kind, count), []).append(share)
                if flashback:
                    answers.setdefault(("flashbacks", kind, count), []).append(share)
                if back:
                    whole = float(any(needed <= other for other in memory))
                    answers.setdefault(("revisits", kind, count), []).append(whole)
    return answers


def table(shares: Shares, question: str) -> None:
    movies = len(shares.movies[question, "random", 1])
    print(f"\n{TITLES[question]} (± 95 %, {movies} movies)\n")
    print("| remembered | " + " | ".join(COLOURS) + " |\n" + "|---" * (len(COLOURS) + 1) + "|")
    for count in COUNTS:
        cells = ["{:.1%} ± {:.1%}".format(*shares.mean(question, kind, count)) for kind in COLOURS]
        print(f"| {count} | " + " | ".join(cells) + " |")


def draw(shares: Shares, questions: Sequence[str], path: Path) -> None:
    """A panel for each question, at twice the size for smooth lines."""
    width, height = 620, 520
    sheet = Image.new("RGB", (width * len(questions) * 2, height * 2), "white")
    for number, question in enumerate(questions):
        panel(ImageDraw.Draw(sheet), shares, question, number * width * 2, width * 2, height * 2)
    sheet.resize((width * len(questions), height), Image.Resampling.LANCZOS).save(path, optimize=True)


def panel(
    canvas: ImageDraw.ImageDraw, shares: Shares, question: str, left: int, width: int, height: int
) -> None:
    """Axes, lines with intervals, legend."""
    font, small = ImageFont.load_default(30), ImageFont.load_default(26)
    x0, x1, y0, y1 = left + 110, left + width - 40, height - 110, 90
    lowest = min(mean - half for mean, half in (shares.mean(question, kind, 1) for kind in COLOURS))
    floor = max(0.0, np.floor(lowest * 10) / 10)

    def at(count: int, share: float) -> tuple[float, float]:
        along = (COUNTS.index(count) + 0.3) / (len(COUNTS) - 0.4)
        return x0 + along * (x1 - x0), y0 - (share - floor) / (1 - floor) * (y0 - y1)

    canvas.text((x0, 24), TITLES[question], "black", font)
    for tenth in range(round(floor * 10), 11):
        _, y = at(1, tenth / 10)
        canvas.line([(x0, y), (x1, y)], "#dddddd", 2)
        canvas.text((x0 - 12, y), f"{tenth * 10} %", "#444444", small, anchor="rm")
    for count in COUNTS:
        canvas.text((at(count, floor)[0], y0 + 14), str(count), "#444444", small, anchor="mt")
    canvas.text(((x0 + x1) / 2, y0 + 56), "remembered shots", "#444444", small, anchor="mt")
    for row, (kind, colour) in enumerate(COLOURS.items()):
        points = [at(count, shares.mean(question, kind, count)[0]) for count in COUNTS]
        canvas.line(points, colour, 6, joint="curve")
        for count, (x, y) in zip(COUNTS, points, strict=True):
            mean, half = shares.mean(question, kind, count)
            canvas.line([at(count, mean - half), at(count, min(1.0, mean + half))], colour, 3)
            canvas.ellipse([x - 8, y - 8, x + 8, y + 8], colour)
        y = y0 - 170 + 40 * row
        canvas.line([(x1 - 340, y), (x1 - 290, y)], colour, 6)
        canvas.text((x1 - 275, y), kind, "black", small, anchor="lm")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--movies", type=int, default=100)
    parser.add_argument("--clip", default=str(model_folder(TOY, "keyframes").parent / "clip"))
    parser.add_argument("--tie", type=float, default=RetrievalConfig().tie)
    parser.add_argument("--duplicate", type=float, default=TOY_DUPLICATE)
    parser.add_argument("--out", type=Path, default=Path("docs/retrieval.png"))
    options = parser.parse_args()
    clip = ClipEncoder.load(options.clip, torch.device("cpu"))
    t5 = TextEncoder.load(model_folder(TOY, "keyframes"), 96)
    for encoder in (t5.t5, t5.clip):
        encoder.float().eval()
    movies = [Scores(FIRST_SEED + number, clip, t5) for number in range(options.movies)]
    alone = RetrievalConfig(tie=0, duplicate=1)
    for config in (alone, RetrievalConfig(tie=options.tie, duplicate=options.duplicate)):
        shares = Shares()
        for scores in movies:
            shares.add(measure(scores, config))
        print(f"\n{options.movies} movies; ties within {config.tie:g}, duplicates above {config.duplicate:g}")
        for question in TITLES:
            table(shares, question)
        if config is alone:
            draw(shares, tuple(TITLES), options.out)
    print(f"\n{options.out}")


if __name__ == "__main__":
    main()
