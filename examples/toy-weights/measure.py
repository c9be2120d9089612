"""Last step of the recipe: what the weights show on held-out movies, as the table of the model card.

    python examples/toy-weights/measure.py --model toy --sequences 200 --out card.json

Prints Markdown and writes the same as JSON.  Movies that are done are noted in a journal beside it, so
the same command goes on where it stopped, and more --sequences only add.  Training never draws these movies.
Eight frames in 16 steps take about 9 seconds of one CPU core; a movie has four such trials.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import keyframe_figures
import video_figures
from card import Figure, Observations, Row, markdown, row
from cinema_cli import runtime
from cinema_cli.config import build, load_preset
from cinema_cli.errors import CinemaError, InputError, Interrupted
from cinema_cli.files import Journal, sha256_json, write_atomic
from cinema_cli.models.flow_matching import schedule
from cinema_cli.models.weights import load_keyframe_models, load_video_models, model_folder, weights_sha256
from cinema_cli.planning.plan import PlanConfig
from cinema_cli.progress import Progress, finishing_on_signal
from cinema_cli.rendering.render import RenderConfig
from cinema_cli.theatre.read_frame import accuracy
from cinema_cli.training.sequences import HELD_OUT

PRESET = "toy"
FIRST = HELD_OUT + 1000
"""First movie that is measured; those before it serve previews."""
READER_FRAMES = 300
"""Drawn frames on which the reader of frames is measured itself."""


@dataclass(frozen=True)
class Part:
    """One model: its trials, each from a movie's seed to what was seen, and their figures."""

    name: str
    fingerprint: str
    """Of the weights and of how they are sampled: looks at others are not mixed in."""
    trials: Mapping[str, Callable[[int], Observations]]
    figures: Sequence[Figure]

    def key(self, trial: str, seed: int) -> str:
        """Its item in the journal."""
        return f"{self.name}/{self.fingerprint}/{trial}/{seed}"


def keyframes_part(options: argparse.Namespace) -> Part:
    """The keyframe model, sampled as the preset's planner does."""
    config = build(PlanConfig, load_preset(PRESET)["plan"], f"preset {PRESET}")
    folder, where = model_folder(options.model, "keyframes"), runtime.device()
    models = load_keyframe_models(folder, config.text_length, where, runtime.number_type(where))
    drawing = config.model_copy(update={"steps": options.steps, "guidance": options.guidance})
    artist = keyframe_figures.Artist(models, drawing, config.memory)
    how = {"steps": options.steps, "guidance": options.guidance, "context": config.context_level}
    trials = {name: partial(trial, artist) for name, trial in keyframe_figures.TRIALS.items()}
    return Part("keyframes", fingerprint(folder, how), trials, keyframe_figures.FIGURES)


def video_part(options: argparse.Namespace) -> Part:
    """The video model, sampled as the preset's renderer does."""
    config = build(RenderConfig, load_preset(PRESET)["render"], f"preset {PRESET}")
    folder, where = model_folder(options.model, "video"), runtime.device()
    models = load_video_models(folder, config.text_length, where, runtime.number_type(where))
    levels, describe = schedule(options.steps, config.shift), float(config.repeat_looks)
    animator = video_figures.Animator(models, levels, config.cut_phase, describe)
    trials = {name: partial(trial, animator) for name, trial in video_figures.TRIALS.items()}
    how = {"steps": options.steps, "describe": describe, "cut_phase": config.cut_phase}
    return Part("video", fingerprint(folder, how), trials, video_figures.FIGURES)


def fingerprint(folder: Path, how: Mapping[str, float]) -> str:
    """Of weights and of how they are sampled."""
    return sha256_json({"weights": weights_sha256(folder), **how})[:16]


PARTS = {"keyframes": keyframes_part, "video": video_part}


def chosen(parts: Iterable[Part], names: Sequence[str] | None) -> list[Part]:
    """The parts with the trials that are wanted; all of them when none are named."""
    made = list(parts)
    known = [trial for part in made for trial in part.trials]
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise InputError(f"--trials: some of {', '.join(known)} were wanted, found {', '.join(unknown)}.")
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


def measure(options: argparse.Namespace) -> None:
    """Run the parts that are wanted, print the table and write it."""
    reader = accuracy(READER_FRAMES, FIRST)
    journal = Journal(options.out.with_suffix(".jsonl"))
    names = list(PARTS) if options.part == "all" else [options.part]
    rows: list[Row] = []
    seconds: dict[str, float] = {}
    complete = True
    with Progress() as progress:
        for part in chosen((PARTS[name](options) for name in names), options.trials):
            complete = complete and run_trials(part, options.sequences, journal, progress)
            movies, seconds[part.name] = gather(part, options.sequences, journal)
            rows += [row(figure, movies) for figure in part.figures]
    told = ", ".join(f"{fact} {100 * share:.1f} %" for fact, share in reader.items())
    print(f"The reader itself, on {READER_FRAMES} drawn frames: {told}.\n")
    print("\n".join(markdown(rows)))
    took = ", ".join(f"{name} {spent:.0f} s" for name, spent in seconds.items())
    print(f"\n{options.steps} steps, guidance {options.guidance:g}; {took}.")
    card = {
        "model": options.model,
        "steps": options.steps,
        "guidance": options.guidance,
        "sequences": options.sequences,
        "complete": complete,
        "seconds": seconds,
        "reader": reader,
        "rows": [line.data() for line in rows],
    }
    write_atomic(options.out, json.dumps(card, indent=2, allow_nan=False) + "\n")
    if not complete:
        raise Interrupted("Stopped half way; the same command goes on.")


def main() -> None:
    """Read the options, measure, tell errors in a sentence."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="toy", help='"toy" or a folder with keyframes/ and video/')
    parser.add_argument("--sequences", type=int, default=200, help="held-out movies")
    parser.add_argument("--out", type=Path, default=Path("card.json"))
    parser.add_argument("--steps", type=int, default=16, help="sampling steps")
    parser.add_argument("--guidance", type=float, default=1.0, help="true guidance; 1 for none")
    parser.add_argument("--trials", nargs="*", help="only some, such as told-once shuffled; else all")
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all")
    try:
        measure(parser.parse_args())
    except CinemaError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
