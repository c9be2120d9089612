"""Whether drawing a frame stays as dear when the film grows long: memory, keys and values, seconds.

    python benchmarks/long_film.py
    python benchmarks/long_film.py --model toy --shots 200

A film of a thousand shots, extended frame by frame by ``plan_film``, each beside what it remembers.  Tiny
random models draw it in one step a frame, so what is timed is nearly all that is *not* the transformer:
reading and shrinking remembered pictures, retrieval, saving the storyboard.  Times are CPU times of the
process: others on the machine disturb them less, and waiting for the disk is not in them.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cinema_cli.models.keyframes import GlobalBlock
from cinema_cli.models.quiet import quiet_libraries
from cinema_cli.models.weights import TOY
from cinema_cli.planning.plan import PlanConfig, PlanResult, plan_film
from cinema_cli.progress import Progress, Task
from cinema_cli.storyboard import CastMember, Shot, Storyboard
from cinema_cli.theatre.captions import describe_look
from cinema_cli.theatre.screenplay import write_movie
from cinema_cli.theatre.world import FRAME_SIZE

TESTS = Path(__file__).parents[1] / "tests"
MARKS = (50, 100, 200, 300, 500, 1000, 2000, 5000, 10_000)
"""Shots after which a line is printed."""
RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes to a unit of ``ru_maxrss``."""
SAMPLE = 5
"""The document is saved and checked so many times to be timed."""


@dataclass
class Record:
    """What was seen when each frame was drawn."""

    seconds: list[float] = field(default_factory=list)
    """CPU time of the process until then."""
    peak: list[int] = field(default_factory=list)
    """Bytes that the process had resident at most until then."""
    known: list[int] = field(default_factory=list)
    """Bytes of the keys and values that the frame's only step read."""
    reading: int = 0
    """Of the step that goes on."""

    def see(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        """A hook before every call of a module: memory is the sixth thing that a global block is given."""
        if isinstance(module, GlobalBlock) and len(args) > 5 and args[5] is not None:
            self.reading += sum(part.numel() * part.element_size() for part in args[5])

    def frame(self) -> None:
        """A frame was drawn."""
        self.seconds.append(time.process_time())
        self.peak.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT)
        self.known.append(self.reading)
        self.reading = 0


class Watched(Progress):
    """Bars nobody sees, which tell the record of every step; a frame has one."""

    def __init__(self, record: Record) -> None:
        super().__init__(quiet=True)
        self.record = record

    def task(self, what: str, total: int | None = None, unit: str = "", done: int = 0) -> Task:
        """A row of work."""
        return WatchedTask(self, what, total, unit, done)


class WatchedTask(Task):
    """A row of work, told on."""

    def advance(self, count: int = 1, note: str = "") -> None:
        """A step is done."""
        super().advance(count, note)
        assert isinstance(self._progress, Watched)
        self._progress.record.frame()


@contextmanager
def hooked(record: Record) -> Iterator[None]:
    """In this block the record sees every module that is called."""
    handle = nn.modules.module.register_module_forward_pre_hook(record.see)
    try:
        yield
    finally:
        handle.remove()


def write_storyboard(folder: Path, shots: int, frame_size: tuple[int, int]) -> Path:
    """A film of the theatre that is not drawn yet."""
    movie = write_movie(0, shots)
    Storyboard(
        title=movie.title,
        caption=movie.caption,
        frame_size=frame_size,
        cast=tuple(CastMember(name=puppet.name, look=describe_look(puppet)) for puppet in movie.cast),
        shots=tuple(
            Shot(id=f"{number:05d}", caption=shot.caption, duration="2", seed=number)
            for number, shot in enumerate(movie.shots, start=1)
        ),
    ).save(folder)
    return folder


def tiny_models(folder: Path) -> tuple[str, tuple[int, int]]:
    """The models of the tests, and the frame size that they draw."""
    sys.path.insert(0, str(TESTS))
    from tiny_models import FRAME_SIZE as TINY_SIZE
    from tiny_models import build_tiny_models

    return str(build_tiny_models(folder)), TINY_SIZE


def draw_film(folder: Path, model: str, shots: int) -> tuple[Record, PlanResult]:
    """Draw the film in ``folder``, one step and one frame at a time."""
    if model == "tiny":
        path, size = tiny_models(folder / "models")
    else:
        path, size = model, FRAME_SIZE
    memory = {"groups": 2 if model == "tiny" else 3}
    config = PlanConfig(
        model=path, frame_size=size, steps=1, mode="extend", memory=memory, retrieval={"duplicate": 1.0}
    )
    film = write_storyboard(folder / "film", shots, size)
    record = Record()
    with hooked(record):
        result = plan_film(film, None, config, Watched(record))
    return record, result


def document_seconds(film: Path, shots: int, scratch: Path) -> tuple[int, float, float]:
    """Bytes of the document as it was after so many shots; CPU seconds to save it, to change a shot in it."""
    whole = Storyboard.load(film)
    drawn = whole.shots[:shots]
    rest = [shot.model_copy(update={"keyframe": None, "context": ()}) for shot in whole.shots[shots:]]
    board = whole.model_copy(update={"shots": (*drawn, *rest)})
    began = time.process_time()
    for _ in range(SAMPLE):
        board.save(scratch)
    saved = time.process_time()
    for _ in range(SAMPLE):
        board.with_shot(drawn[-1].id, keyframe=drawn[-1].keyframe)
    changed = time.process_time()
    size = (scratch / "storyboard.json").stat().st_size
    return size, (saved - began) / SAMPLE, (changed - saved) / SAMPLE


def lines(record: Record, film: Path, scratch: Path) -> list[str]:
    """A row for each mark: the frames since the mark before it."""
    rows, before = [], 0
    for mark in sorted({mark for mark in MARKS if mark < len(record.peak)} | {len(record.peak)}):
        # Of the first frame only its end is known.
        spent = record.seconds[mark - 1] - record.seconds[max(before - 1, 0)]
        each = spent / max(mark - max(before, 1), 1)
        size, save, change = document_seconds(film, mark, scratch)
        rows.append(
            f"| {mark} | {record.peak[mark - 1] / 1e6:,.0f} | {record.known[mark - 1]:,} | {each * 1e3:.0f} "
            f"| {size / 1e6:.2f} | {save * 1e3:.1f} | {change * 1e3:.1f} |"
        )
        before = mark
    return rows


def show(rows: Sequence[str], result: PlanResult, film: Path) -> None:
    head = "shots | peak RSS, MB | K, V, bytes | a frame, ms | document, MB | saving it, ms | changing it, ms"
    print(f"\n| {head} |\n" + "|---" * 7 + "|")
    print("\n".join(rows))
    stages = ", ".join(f"{name} {spent:.1f} s" for name, spent in result.seconds.items())
    page = result.contact_sheet.stat().st_size / 1e6
    print(f"\n{result.drawn} frames drawn; {stages}; contact sheet {page:.1f} MB")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT / 1e6
    print(f"peak RSS with the contact sheet: {peak:,.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shots", type=int, default=1000)
    parser.add_argument("--model", default="tiny", help=f"tiny (random, the tests'), {TOY}, or a folder")
    options = parser.parse_args()
    quiet_libraries()
    print(f"{options.model} models, {torch.get_num_threads()} threads, one step a frame")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        record, result = draw_film(folder, options.model, options.shots)
        (folder / "scratch").mkdir()
        show(lines(record, folder / "film", folder / "scratch"), result, folder / "film")


if __name__ == "__main__":
    main()
