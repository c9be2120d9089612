"""Time and memory of ``cinema sample`` on 500 hours: 250 films of 1,200 keyframes.

    python benchmarks/sampling_scale.py
    python benchmarks/sampling_scale.py --pairs 8,16,32

The films are documents with captions and empty picture files, for ``cinema sample`` opens no picture.  The
command runs as a process of its own, pinned by whoever calls this.  Target: 300,000 keyframes in less than
300 s on one core within 2 GB.  A second run measures what it takes to check what is there.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cinema_cli.storyboard import Shot, Storyboard

RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes to a unit of ``ru_maxrss``."""


def write_film(folder: Path, shots: int) -> None:
    """A film of so many captioned shots."""
    (folder / "keyframes").mkdir(parents=True)
    written = []
    for number in range(1, shots + 1):
        keyframe = f"keyframes/{number:04d}.png"
        (folder / keyframe).touch()
        caption = f"Wide shot. By the sea at night, <Mira> walks, and it is shot {number} of {folder.name}."
        written.append(Shot(id=f"{number:04d}", duration="6", keyframe=keyframe, caption=caption))
    Storyboard(frame_size=(400, 800), shots=tuple(written)).save(folder)


def run(words: list[str]) -> None:
    """Run ``cinema`` and print what it said, its time and its memory."""
    began = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-m", "cinema_cli", *words])
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"cinema ended with {child.returncode}; nothing was measured.")
    cpu = usage.ru_utime + usage.ru_stime
    print(
        f"{time.perf_counter() - began:.1f} s on the clock, {cpu:.1f} s of CPU, "
        f"{usage.ru_maxrss * RSS_UNIT / 1e9:.2f} GB at the peak",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--films", type=int, default=250)
    parser.add_argument("--shots", type=int, default=1200, help="of each film")
    parser.add_argument("--pairs", default="16")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        dataset = Path(folder) / "dataset"
        for number in range(options.films):
            write_film(dataset / f"film-{number:04d}", options.shots)
        print(f"{options.films} films of {options.shots} keyframes", flush=True)
        command = ["sample", str(dataset), "--pairs", options.pairs, "--quiet"]
        run(command)
        run(command)
        size = sum(path.stat().st_size for path in (dataset / "sequences").rglob("*.safetensors"))
        print(f"manifests: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
