"""How long a story takes to become a film, and how much memory: every step a process of its own.

    python benchmarks/film_speed.py

Target on two CPU cores, installation aside: 8 shots within 120 s and 4 GB at the peak.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from cinema_cli.storyboard import Storyboard

STORY = Path(__file__).parents[1] / "examples" / "lamp-keeper" / "story.txt"
TARGET_SECONDS, TARGET_GB = 120, 4
RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes to a unit of ``ru_maxrss``."""


@dataclass(frozen=True)
class Step:
    """What a command took; ``peak`` is the resident memory of its largest process, in GB."""

    name: str
    seconds: float
    peak: float


def run_step(name: str, arguments: Sequence[str]) -> Step:
    """Run ``cinema`` and wait for it; the benchmark ends where it fails."""
    started = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-m", "cinema_cli", *arguments], stdout=subprocess.DEVNULL)
    # wait4 and not RUSAGE_CHILDREN, which only knows the largest of all steps so far.
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"cinema {name} ended with {child.returncode}; nothing was measured.")
    return Step(name, seconds, usage.ru_maxrss * RSS_UNIT / 1e9)


def make_film(story: Path, folder: Path, shots: Sequence[str], model: Sequence[str]) -> list[Step]:
    """Plan, then render."""
    return [
        run_step("plan", ["plan", str(story), "--out", str(folder), "--quiet", *shots, *model]),
        run_step("render", ["render", str(folder / "storyboard.json"), "--quiet", *model]),
    ]


def machine() -> str:
    """The facts that figures depend on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{platform.system()} {platform.machine()}, cores: {cores}, Python {platform.python_version()}, "
        f"torch {version('torch')}, OMP_NUM_THREADS {os.environ.get('OMP_NUM_THREADS', 'not set')}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--story", type=Path, default=STORY)
    parser.add_argument("--shots", type=int, help="else the story decides")
    parser.add_argument("--runs", type=int, default=1, help="films made, each in a fresh folder")
    parser.add_argument("--model", help="a folder with keyframes/ and video/; else the preset's")
    options = parser.parse_args()
    model = ["--set", f"model={options.model}"] if options.model else []
    shots = ["--shots", str(options.shots)] if options.shots else []
    print(machine())
    for number in range(1, options.runs + 1):
        with tempfile.TemporaryDirectory() as folder:
            film = Path(folder) / "film"
            steps = make_film(options.story, film, shots, model)
            count = len(Storyboard.load(film).shots)
        for step in steps:
            print(f"run {number}  {step.name:<7} {step.seconds:7.1f} s  {step.peak:5.2f} GB")
        total, peak = sum(step.seconds for step in steps), max(step.peak for step in steps)
        print(
            f"run {number}  {count} shots {total:6.1f} s  {peak:5.2f} GB  "
            f"(target for 8 shots: {TARGET_SECONDS} s, {TARGET_GB} GB)"
        )


if __name__ == "__main__":
    main()
