"""The long-context stress test: how much of a film's looks is left as it grows (4.1, Table 2, E, Fig. 11).

Stories of the theatre of each length are drawn by the planner itself in four settings, and read from pixels:

* **joint**: all frames at once, each at full size;
* **joint, GoldenMem**: a window of frames at once, beside earlier ones shrunk by GoldenMem;
* **extend**: frame by frame, beside all earlier ones at full size;
* **extend, GoldenMem**: frame by frame, beside earlier ones shrunk by GoldenMem.

A look is told once, where its puppet first appears; later captions only name it, whatever the preset does.
The same stories and the same noise are drawn in every setting.  Every story is a film's folder, so the same
command goes on in the middle of one, and every film can be looked at.

GoldenMem keeps three groups of a quarter of the pairs each (Table 3).
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from cinema_cli.config import Config, build, load_preset
from cinema_cli.errors import InputError
from cinema_cli.evaluation.exact import look_at_film
from cinema_cli.evaluation.figures import KEYFRAME_FIGURES, Observations, Row, row
from cinema_cli.evaluation.films import Film
from cinema_cli.evaluation.stories import storyboard_of
from cinema_cli.evaluation.truth import true_shots
from cinema_cli.evaluation.weights_card import FIRST
from cinema_cli.files import Journal, locked, sha256_json, write_atomic
from cinema_cli.models.weights import model_folder, weights_sha256
from cinema_cli.planning.plan import PlanConfig, plan_film
from cinema_cli.progress import Progress
from cinema_cli.storyboard import FILE_NAME
from cinema_cli.theatre.screenplay import write_movie

DATA_NAME = "stress.json"
GROUPS = 3
"""Shrunken groups of GoldenMem (Table 3)."""
AT_ONCE = 8
"""Frames drawn together where a joint drawing has a memory."""

SHOWN = (
    *("coat named", "hat named", "coat described", "hat described"),
    *("set", "time", "size", "two", "place 8+"),
)
FIGURES = tuple(figure for key in SHOWN for figure in KEYFRAME_FIGURES if figure.key == key)
"""Identity first: it is what is tested."""

Pairs = Annotated[int, Field(ge=1, le=1024)]


class StressConfig(Config):
    """What is drawn.  The defaults are meant for half an hour on two cores with the embedded weights."""

    pairs: Annotated[tuple[Pairs, ...], Field(min_length=1)] = (8, 16, 24, 32, 48)
    """Lengths of the stories."""
    weights: str = "toy"
    """The models: "toy" for the embedded ones, or a folder."""
    preset: str = "toy"
    """Whose planner draws."""
    stories: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Of each length; absent: as many as make ``frames`` frames, two at least."""
    frames: Annotated[int, Field(ge=1)] = 48
    """Frames of each length in each setting, where ``stories`` is absent."""
    steps: Annotated[int, Field(ge=1, le=1000)] = 12
    """Sampling steps."""
    guidance: Annotated[float, Field(ge=0)] | None = None
    """True guidance; 1 for none, which costs half as much; absent: as the preset draws."""
    settings: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "joint",
        "joint-goldenmem",
        "extend",
        "extend-goldenmem",
    )
    """Which of the four."""


@dataclass(frozen=True)
class Setting:
    """One way of drawing a long story."""

    title: str
    joint: bool
    golden: bool

    def planned(self, pairs: int) -> dict[str, Any]:
        """What the planner is told about it."""
        if self.joint and not self.golden:
            return {"mode": "joint"}
        memory = (
            {"schedule": "golden", "groups": GROUPS, "frames": max(1, pairs // 4)}
            if self.golden
            else {"schedule": "full", "groups": 1, "frames": pairs}
        )
        return {"mode": "extend", "at_once": AT_ONCE if self.joint else 1, "memory": memory}


SETTINGS: Mapping[str, Setting] = {
    "joint": Setting("joint", joint=True, golden=False),
    "joint-goldenmem": Setting("joint, GoldenMem", joint=True, golden=True),
    "extend": Setting("extend", joint=False, golden=False),
    "extend-goldenmem": Setting("extend, GoldenMem", joint=False, golden=True),
}


@dataclass(frozen=True)
class StressCell:
    """One setting at one length."""

    setting: str
    pairs: int
    stories: int
    rows: tuple[Row, ...]
    """One for each of ``FIGURES``."""
    seconds: float
    """Of drawing."""
    films: tuple[Path, ...]

    def value(self, key: str) -> float | None:
        """A figure's value."""
        return self.rows[[figure.key for figure in FIGURES].index(key)].measured


def run_stress(config: StressConfig, out: Path, progress: Progress) -> list[StressCell]:
    """Draw what is missing, read all of it back, and note the figures in ``out/stress.json``.

    Raises:
        InputError: a setting is unknown, or the folder holds stories of another test.
        MissingError: there are no weights.
        Interrupted: stopped; the same command goes on, in the middle of a film too.
    """
    chosen = {name: _setting(name) for name in config.settings}
    sha256 = weights_sha256(model_folder(config.weights, "keyframes"))
    tasks = [
        (name, pairs, FIRST + number)
        for pairs in config.pairs
        for name in chosen
        for number in range(stories_of(config, pairs))
    ]
    with locked(out):
        journal = Journal(out / "stress.jsonl")
        key = {task: _key(config, sha256, *task) for task in tasks}
        done = [task for task in tasks if journal.get(key[task])]
        bar = progress.task("stress test", sum(t[1] for t in tasks), "frames", done=sum(t[1] for t in done))
        for task in tasks:
            if journal.get(key[task]) is None:
                looks, seconds = _draw(config, chosen[task[0]], out, *task)
                journal.record(key[task], looks=looks, seconds=round(seconds, 2))
                bar.advance(task[1])
        cells = [
            _cell(config, out, journal, sha256, name, pairs) for pairs in config.pairs for name in chosen
        ]
        data = json.dumps(_data(config, sha256, cells), indent=2, allow_nan=False)
        write_atomic(out / DATA_NAME, data + "\n")
    return cells


def stories_of(config: StressConfig, pairs: int) -> int:
    """How many stories of a length are drawn in each setting."""
    return config.stories or max(2, -(-config.frames // pairs))


def film_folder(out: Path, name: str, pairs: int, seed: int) -> Path:
    """Where a story lies."""
    return out / "films" / f"{name}-{pairs}" / f"{seed - FIRST:03d}"


def _setting(name: str) -> Setting:
    if name not in SETTINGS:
        raise InputError(f"settings: some of {', '.join(SETTINGS)} were wanted, found {name}.")
    return SETTINGS[name]


def _key(config: StressConfig, sha256: str, name: str, pairs: int, seed: int) -> str:
    """An item of the journal: figures of other weights or of other drawing are not mixed in."""
    plan = planned_as(config, _setting(name), pairs).model_dump(mode="json", exclude={"model"})
    return f"{sha256[:16]}/{sha256_json(plan)[:16]}/{name}/{pairs}/{seed}"


def planned_as(config: StressConfig, setting: Setting, pairs: int) -> PlanConfig:
    """How the planner draws a story."""
    preset = load_preset(config.preset)["plan"]
    told = {
        "model": config.weights,
        "preset": config.preset,
        "steps": config.steps,
        **({} if config.guidance is None else {"guidance": config.guidance}),
        "repeat_looks": False,
        "retrieval": {**preset["retrieval"], **({} if setting.golden else {"duplicate": 1.0})},
    }
    return build(PlanConfig, {**preset, **told, **setting.planned(pairs)}, "the stress test")


def _draw(
    config: StressConfig, setting: Setting, out: Path, name: str, pairs: int, seed: int
) -> tuple[Observations, float]:
    """Draw one story, and look at it."""
    folder = film_folder(out, name, pairs, seed)
    if not (folder / FILE_NAME).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        storyboard_of(write_movie(seed, pairs)).save(folder)
    started = time.monotonic()
    with Progress(quiet=True) as quiet:
        plan_film(folder / FILE_NAME, None, planned_as(config, setting, pairs), quiet)
    seconds = time.monotonic() - started
    film = Film.open(folder)
    return look_at_film(film, true_shots(film.board))[0], seconds


def _cell(
    config: StressConfig, out: Path, journal: Journal, sha256: str, name: str, pairs: int
) -> StressCell:
    seeds = [FIRST + number for number in range(stories_of(config, pairs))]
    entries = [journal.get(_key(config, sha256, name, pairs, seed)) for seed in seeds]
    movies = [entry["looks"] for entry in entries if entry]
    seconds = sum(entry["seconds"] for entry in entries if entry)
    films = tuple(film_folder(out, name, pairs, seed) for seed in seeds)
    rows = tuple(row(figure, movies) for figure in FIGURES)
    return StressCell(name, pairs, len(seeds), rows, seconds, films)


def _data(config: StressConfig, sha256: str, cells: Sequence[StressCell]) -> dict[str, Any]:
    return {
        "config": config.model_dump(mode="json"),
        "weights_sha256": sha256,
        "cells": [
            {
                "setting": cell.setting,
                "pairs": cell.pairs,
                "stories": cell.stories,
                "seconds": round(cell.seconds, 1),
                "figures": [one.data() for one in cell.rows],
            }
            for cell in cells
        ],
    }
