"""What `cinema ingest` costs: processor seconds against plain decoding, memory over two hours, two workers.

    python benchmarks/ingest_speed.py                    a made 1080p movie of 60 s, and all comparisons
    python benchmarks/ingest_speed.py movie.mkv          the same for a movie of yours
    python benchmarks/ingest_speed.py --two-hours        peak memory over a made movie of two hours
    python benchmarks/ingest_speed.py --two-workers      wall time of two movies, by one worker and by two

Speed is processor time (user and system, with all children), the least of --rounds, one thread each, so
that other work on the machine matters little.  "decode" is what `ffmpeg -i movie -f null -` takes.
PySceneDetect's own command runs where it is installed (`scenedetect -i movie detect-adaptive save-images`,
one picture for each scene).
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from cinema_cli.ffmpeg import find_ffmpeg, probe

SOURCES = (
    "gradients=s=1920x804:r=24000/1001:seed=1:speed=0.05",
    "testsrc2=s=1920x804:r=24000/1001",
    "mandelbrot=s=1920x804:r=24000/1001",
    "life=s=480x201:r=24000/1001:mold=10:ratio=0.1:seed=3,scale=1920:804",
    "perlin=s=1920x804:r=24000/1001",
)
SHOT = 6
"""Seconds: the mean of the paper's 300,000 shots out of 500 hours."""


class Cost(NamedTuple):
    """What a command and all its children took."""

    processor: float
    """Seconds."""
    wall: float
    peak: float
    """MiB of the largest of the processes."""


def run(*command: str) -> Cost:
    """Run a command and wait for it; the benchmark ends where it fails."""
    one = {**os.environ, "OMP_NUM_THREADS": "1"}
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=one)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(command)}")
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - started, used.ru_maxrss / 1024)


def make_movie(path: Path, seconds: int, bitrate: str) -> Path:
    """Letterboxed 1080p with grain, a hard cut every six seconds."""
    parts = path.with_suffix(".txt")
    names = []
    for number in range(len(SOURCES)):
        part = path.with_name(f"part{number}.mkv")
        picture = f"{SOURCES[number]},noise=alls=6:allf=t,pad=1920:1080:0:138,format=yuv420p"
        how = ("-c:v", "libx264", "-preset", "faster", "-b:v", bitrate, "-g", "250", "-bf", "3")
        run(find_ffmpeg(), "-y", "-f", "lavfi", "-i", picture, "-t", str(SHOT), *how, str(part))
        names.append(f"file {part.name}\n")
    parts.write_text("".join(names[number % len(names)] for number in range(seconds // SHOT)))
    run(find_ffmpeg(), "-y", "-f", "concat", "-i", str(parts), "-c", "copy", str(path))
    return path


def make_small_movie(path: Path, minutes: int) -> Path:
    """640 x 360 at 8 frames a second, cheap to decode, a cut every six seconds."""
    part = path.with_name("part.mp4")
    picture = f"testsrc2=s=640x360:r=8,hue=h='70*floor(t/{SHOT})',noise=alls=4:allf=t"
    how = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
    run(find_ffmpeg(), "-y", "-f", "lavfi", "-i", picture, "-t", "120", *how, str(part))
    path.with_suffix(".txt").write_text(f"file {part.name}\n" * (minutes // 2))
    run(find_ffmpeg(), "-y", "-f", "concat", "-i", str(path.with_suffix(".txt")), "-c", "copy", str(path))
    return path


def ingest(movies: list[Path], out: Path, *options: str) -> Cost:
    words = [str(movie) for movie in movies]
    return run(sys.executable, "-m", "cinema_cli", "ingest", *words, "--out", str(out), "--quiet", *options)


def compare(movie: Path, rounds: int, aside: Path) -> None:
    """Print what ingest takes, and what others take for the same movie."""
    seconds = float(probe(movie).duration)
    null = ("-nostdin", "-threads", "1", "-i", str(movie), "-map", "0:v:0", "-f", "null", "-")
    python = [sys.executable, "-c", "import cv2, scenedetect, cinema_cli.footage.ingest"]
    commands = {"decode alone": [find_ffmpeg(), *null], "starting Python": python}
    scenedetect = Path(sys.executable).with_name("scenedetect")
    if scenedetect.exists():
        save = ["detect-adaptive", "save-images", "-n", "1", "-o", str(aside / "images")]
        commands["scenedetect detect-adaptive save-images"] = [str(scenedetect), "-i", str(movie), *save]
    ways = {"ingest": [], "ingest, adaptive alone": ["--set", "shots.also=[]"], "ingest --fast": ["--fast"]}
    costs: dict[str, list[Cost]] = {}
    for number in range(rounds):
        for name, command in commands.items():
            costs.setdefault(name, []).append(run(*command))
        for name, options in ways.items():
            costs.setdefault(name, []).append(ingest([movie], aside / f"{name} {number}", *options))
    least = {name: min(cost.processor for cost in each) for name, each in costs.items()}
    floor, empty = least["decode alone"], least["starting Python"]
    print(
        f"{movie.name}: {seconds:.1f} s, {movie.stat().st_size * 8e-6 / seconds:.1f} Mbit/s, {rounds} rounds"
    )
    print(f"{'':<42} {'seconds':>8}  {'/ decode':>8}  {'without starting':>16}  {'peak':>8}")
    for name, taken in least.items():
        most = max(cost.peak for cost in costs[name])
        bare = f"{(taken - empty) / floor:.2f}" if name not in ("decode alone", "starting Python") else ""
        print(f"{name:<42} {taken:8.2f}  {taken / floor:8.2f}  {bare:>16}  {most:4.0f} MiB")
    hours = (least["ingest"] - empty) / seconds
    print(f"an hour of such film: {hours:.3f} hours of one core; 500 hours: {500 * hours:.0f}")


def two_hours(aside: Path) -> None:
    """Print the peak memory for a short and for a long movie."""
    for minutes in (2, 120):
        movie = make_small_movie(aside / f"{minutes}-minutes.mp4", minutes)
        cost = ingest([movie], aside / f"{minutes}")
        print(
            f"{minutes:4d} minutes: largest process {cost.peak:.0f} MiB, {cost.processor:.0f} s of processor"
        )


def two_workers(aside: Path) -> None:
    """Print the wall time of two movies, one after the other and both at once."""
    movies = [make_movie(aside / f"{name}.mkv", 30, rate) for name, rate in (("a", "5M"), ("b", "4M"))]
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    one, two = (ingest(movies, aside / f"{n} workers", "--workers", str(n)) for n in (1, 2))
    for name, cost in (("one worker", one), ("two workers", two)):
        print(f"{name}: {cost.wall:.1f} s, {cost.processor:.1f} processor seconds")
    print(f"{one.wall / two.wall:.2f} times as fast")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("movie", type=Path, nargs="?", help="else a made one")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bitrate", default="5M", help="of the made movie")
    parser.add_argument("--seconds", type=int, default=60, help="of the made movie")
    parser.add_argument("--two-hours", action="store_true", help="peak memory instead of speed")
    parser.add_argument("--two-workers", action="store_true", help="two movies at once instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        aside = Path(folder)
        if options.two_hours:
            two_hours(aside)
        elif options.two_workers:
            two_workers(aside)
        else:
            movie = options.movie or make_movie(aside / "made.mkv", options.seconds, options.bitrate)
            compare(movie, options.rounds, aside)


if __name__ == "__main__":
    main()
