"""What a model shows on the theatre, against its targets: the table of the model card (``--card``).

Movies that are done are noted in a journal beside the result, so the same command goes on where it stopped,
and more sequences only add.  Training never draws these movies.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from cinema_cli import runtime
from cinema_cli.config import Config, build, load_preset
from cinema_cli.errors import InputError, Interrupted
from cinema_cli.evaluation import clip_trials, keyframe_trials
from cinema_cli.evaluation.artist import Artist
from cinema_cli.evaluation.figures import Figure, Observations, Row, markdown, row
from cinema_cli.files import Journal, locked, sha256_json, write_atomic
from cinema_cli.models.flow_matching import schedule
from cinema_cli.models.quiet import quiet_libraries
from cinema_cli.models.weights import load_keyframe_models, load_video_models, model_folder, weights_sha256
from cinema_cli.planning.plan import PlanConfig
from cinema_cli.progress import Progress, finishing_on_signal
from cinema_cli.rendering.render import RenderConfig
from cinema_cli.theatre.read_frame import accuracy
from cinema_cli.training.sequences import HELD_OUT

FIRST = HELD_OUT + 1000
"""First movie that is measured; those before it serve previews."""
READER_FRAMES = 300
"""Drawn frames on which the reader of frames is measured itself."""
CARD_NAME = "card.json"
TABLE_NAME = "card.md"


class CardConfig(Config):
    """What is measured, and how it is drawn."""

    weights: str = "toy"
    """The models: "toy" for the embedded ones, or a folder with keyframes/ and video/."""
    preset: str = "toy"
    """Whose planner and renderer draw."""
    sequences: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Movies of each trial."""
    steps: Annotated[int, Field(ge=1, le=1000)] = 12
    """Sampling steps."""
    guidance: Annotated[float, Field(ge=0)] | None = None
    """True guidance of keyframes; 1 for none, which costs half as much; absent: as the preset draws."""
    part: Literal["keyframes", "video", "all"] = "all"
    """Which models."""
    trials: tuple[str, ...] | None = None
    """Only these; absent: all of them."""


@dataclass(frozen=True)
class Part:
    """One model: its trials, each from a movie's seed to what was seen, and their figures."""

    name: str
    fingerprint: str
    """Of the weights and of how they are sampled: looks at others are not mixed in."""
    trials: Mapping[str, Callable[[int], Observations]]
    figures: Sequence[Figure]
    how: Mapping[str, float | str]
    """How they are sampled, to be told."""

    def key(self, trial: str, seed: int) -> str:
        """Its item in the journal."""
        return f"{self.name}/{self.fingerprint}/{trial}/{seed}"


def as_drawn(config: CardConfig) -> CardConfig:
    """With the guidance of the preset's planner, where none is told."""
    if config.guidance is not None:
        return config
    planner = build(PlanConfig, load_preset(config.preset)["plan"], f"preset {config.preset}")
    return config.model_copy(update={"guidance": planner.guidance})


def load_artist(options: CardConfig) -> Artist:
    """The keyframe model, sampled as the preset's planner does.

    Raises:
        MissingError: there are no weights.
    """
    config = build(PlanConfig, load_preset(options.preset)["plan"], f"preset {options.preset}")
    folder, where = model_folder(options.weights, "keyframes"), runtime.device()
    models = load_keyframe_models(folder, config.text_length, where, runtime.number_type(where))
    drawing = config.model_copy(update={"steps": options.steps, "guidance": as_drawn(options).guidance})
    return Artist(models, drawing, config.memory)


def keyframes_part(options: CardConfig) -> Part:
    """The keyframe model and its trials."""
    artist, folder = load_artist(options), model_folder(options.weights, "keyframes")
    drawing = artist.config
    how = {"steps": drawing.steps, "guidance": drawing.guidance, "context": drawing.context_level}
    if drawing.guidance != 1 and drawing.guidance_above:
        how["guidance_above"] = drawing.guidance_above
    trials = {name: partial(trial, artist) for name, trial in keyframe_trials.TRIALS.items()}
    return Part("keyframes", fingerprint(folder, how), trials, keyframe_trials.FIGURES, how)


def video_part(options: CardConfig) -> Part:
    """The video model, sampled as the preset's renderer does."""
    config = build(RenderConfig, load_preset(options.preset)["render"], f"preset {options.preset}")
    folder, where = model_folder(options.weights, "video"), runtime.device()
    models = load_video_models(folder, config.text_length, where, runtime.number_type(where))
    levels, describe = schedule(options.steps, config.shift), float(config.repeat_looks)
    animator = clip_trials.Animator(
        models, levels, config.cut_phase, describe, config.guidance, config.negative
    )
    trials = {name: partial(trial, animator) for name, trial in clip_trials.TRIALS.items()}
    how: dict[str, float | str] = {
        "steps": options.steps,
        "describe": describe,
        "cut_phase": config.cut_phase,
    }
    if config.guidance != 1:
        how |= {"guidance": config.guidance, "negative": config.negative}
    return Part("video", fingerprint(folder, how), trials, clip_trials.FIGURES, how)


def fingerprint(folder: Path, how: Mapping[str, float | str]) -> str:
    """Of weights and of how they are sampled."""
    return sha256_json({"weights": weights_sha256(folder), **how})[:16]


PARTS = {"keyframes": keyframes_part, "video": video_part}


def chosen(parts: Iterable[Part], names: Sequence[str] | None) -> list[Part]:
    """The parts with the trials that are wanted; all of them when none are named."""
    made = list(parts)
    known = [trial for part in made for trial in part.trials]
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise InputError(f"trials: some of {', '.join(known)} were wanted, found {', '.join(unknown)}.")
    return [
        replace(part, trials={name: run for name, run in part.trials.items() if not names or name in names})
        for part in made
    ]


def run_trials(part: Part, sequences: int, journal: Journal, progress: Progress) -> bool:
    """Make what the journal lacks, movie by movie; whether all of it is there now."""
    items = [(trial, FIRST + i) for i in range(sequences) for trial in part.trials]
    missing = [item for item in items if journal.get(part.key(*item)) is None]
    task = progress.task(part.name, len(items), "trials", done=len(items) - len(missing))
    with finishing_on_signal() as stop:
        for trial, seed in missing:
            if stop.requested:
                return False
            started = time.monotonic()
            looks = part.trials[trial](seed)
            journal.record(part.key(trial, seed), looks=looks, seconds=round(time.monotonic() - started, 3))
            task.advance()
    return True


def gather(part: Part, sequences: int, journal: Journal) -> tuple[list[Observations], float]:
    """All that was seen of each movie, and the seconds it took."""
    movies: list[Observations] = []
    seconds = 0.0
    for seed in range(FIRST, FIRST + sequences):
        done = [entry for trial in part.trials if (entry := journal.get(part.key(trial, seed)))]
        movies.append({key: looks for entry in done for key, looks in entry["looks"].items()})
        seconds += sum(entry["seconds"] for entry in done)
    return movies, seconds


@dataclass(frozen=True)
class Card:
    """What was measured, and where it is written."""

    table: Path
    data: Path
    rows: tuple[Row, ...]
    reader: Mapping[str, float]
    """Shares that the reader of frames itself gets right on drawn frames."""
    seconds: Mapping[str, float]
    """Of each part, all runs together."""
    how: Mapping[str, Mapping[str, float | str]]
    """How each part is sampled."""

    @property
    def paths(self) -> dict[str, Path]:
        """By name."""
        return {"table": self.table, "data": self.data}


def measure_weights(config: CardConfig, out: Path, progress: Progress) -> Card:
    """Run the trials that are wanted, and write the table as Markdown and as JSON into ``out``.

    Raises:
        InputError: a trial is unknown.
        MissingError: there are no weights.
        Interrupted: stopped between two trials; the table is of what is done, the same command goes on.
    """
    quiet_libraries()
    config = as_drawn(config)
    names = list(PARTS) if config.part == "all" else [config.part]
    parts = chosen((PARTS[name](config) for name in names), config.trials)
    reader = accuracy(READER_FRAMES, FIRST)
    rows: list[Row] = []
    seconds: dict[str, float] = {}
    complete = True
    with locked(out):
        journal = Journal(out / "card.jsonl")
        for part in parts:
            complete = complete and run_trials(part, config.sequences, journal, progress)
            movies, seconds[part.name] = gather(part, config.sequences, journal)
            rows += [row(figure, movies) for figure in part.figures]
        how = {part.name: part.how for part in parts}
        card = Card(out / TABLE_NAME, out / CARD_NAME, tuple(rows), reader, seconds, how)
        write_atomic(card.table, "\n".join(table_of(card)) + "\n")
        data = {
            "config": config.model_dump(mode="json"),
            "weights_sha256": {part.name: part.fingerprint for part in parts},
            "complete": complete,
            "seconds": seconds,
            "sampled": card.how,
            "reader": reader,
            "rows": [line.data() for line in rows],
        }
        write_atomic(card.data, json.dumps(data, indent=2, allow_nan=False) + "\n")
    if not complete:
        raise Interrupted(f"Stopped; what is done stands in {card.table}. The same command goes on.")
    return card


def table_of(card: Card) -> Iterable[str]:
    """The lines of the Markdown."""
    told = ", ".join(f"{fact} {100 * share:.1f} %" for fact, share in card.reader.items())
    yield f"The reader itself, on {READER_FRAMES} drawn frames: {told}."
    yield ""
    yield from markdown([row for row in card.rows if row.measured is not None])
    yield ""
    for name, how in card.how.items():
        told = ", ".join(f"{fact} {value}" for fact, value in how.items() if value != "")
        yield f"Sampled ({name}): {told}; {card.seconds[name]:.0f} s."
