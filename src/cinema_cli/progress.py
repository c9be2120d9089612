"""Progress on stderr, and SIGINT and SIGTERM read as "finish the item in hand".

On a terminal there are bars; elsewhere a plain line every few seconds, so that a log stays short.
Results belong to stdout and are never printed here.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType, TracebackType

from rich import progress as rich_progress
from rich.console import Console

PLAIN_SECONDS = 5.0
"""Plain lines come at most this often."""


class Progress:
    """All bars of one command: ``with Progress() as progress: task = progress.task("drawing", 24)``."""

    def __init__(self, quiet: bool = False) -> None:
        """Nothing is shown before the first task."""
        self.quiet = quiet
        self._console = Console(stderr=True, quiet=quiet, highlight=False)
        self._bars = (
            rich_progress.Progress(
                rich_progress.TextColumn("{task.description}", markup=False),
                rich_progress.BarColumn(bar_width=30),
                rich_progress.MofNCompleteColumn(),
                rich_progress.TextColumn("{task.fields[unit]}", markup=False),
                rich_progress.TimeElapsedColumn(),
                rich_progress.TextColumn("left"),
                rich_progress.TimeRemainingColumn(),
                rich_progress.TextColumn("{task.fields[note]}", markup=False),
                console=self._console,
            )
            if self._console.is_terminal and not quiet
            else None
        )

    def __enter__(self) -> "Progress":
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def task(self, what: str, total: int | None = None, unit: str = "", done: int = 0) -> "Task":
        """Start a bar; ``done`` items of an earlier run count, but not for the time that is left."""
        return Task(self, what, total, unit, done)

    def say(self, text: str) -> None:
        """One line above the bars."""
        self._console.print(text, markup=False, soft_wrap=True)


class Task:
    """One row of work: how much, how far, how long."""

    def __init__(self, progress: Progress, what: str, total: int | None, unit: str, done: int) -> None:
        """Made by ``Progress.task``."""
        self.what, self.total, self.unit, self.count = what, total, unit, done
        self._progress, self._earlier = progress, done
        self._started = self._told = time.monotonic()
        self._bar = (
            progress._bars.add_task(what, total=total, completed=done, unit=unit, note="")
            if progress._bars is not None
            else None
        )

    def advance(self, count: int = 1, note: str = "") -> None:
        """So many more items are done; ``note`` is shown behind (a loss, a name)."""
        self.count += count
        if self._bar is not None and self._progress._bars is not None:
            self._progress._bars.update(self._bar, advance=count, note=note)
            return
        now = time.monotonic()
        if self.count == self.total or now - self._told >= PLAIN_SECONDS:
            self._told = now
            self._progress.say(self._line(now - self._started, note))

    def _line(self, elapsed: float, note: str) -> str:
        of = f"/{self.total}" if self.total is not None else ""
        parts = [f"{self.what}: {self.count}{of} {self.unit}".rstrip(), f"{clock(elapsed)} elapsed"]
        made = self.count - self._earlier
        if self.total is not None and made > 0 and self.count < self.total:
            parts.append(f"{clock(elapsed / made * (self.total - self.count))} left")
        return ", ".join([*parts, note] if note else parts)


def clock(seconds: float) -> str:
    """Seconds as 0:07, 12:30 or 1:05:00."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class Stop:
    """Whether a signal has asked to stop; look at it between two items."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self.requested = False

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        # os.write, not print: a handler may run in the middle of another write to the same stream.
        text = "\nFinishing the item in hand, then stopping (Ctrl-C again stops at once).\n"
        with contextlib.suppress(OSError):
            os.write(sys.__stderr__.fileno() if sys.__stderr__ is not None else 2, text.encode())


@contextlib.contextmanager
def finishing_on_signal() -> Iterator[Stop]:
    """In this block the first SIGINT or SIGTERM only sets ``stop.requested``; a second stops at once."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield stop
        return
    before = {number: signal.signal(number, stop._ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
