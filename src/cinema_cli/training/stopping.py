"""Stopping: what asks a training to save and to end early, so that the same command goes on later.

SIGINT and SIGTERM are asked for by people and by launchers; SLURM sends SIGUSR1 so long before the time limit
as ``sbatch --signal=USR1@120`` says.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from cinema_cli.progress import Stop, finishing_on_signal


@contextlib.contextmanager
def stopping_on_signal() -> Iterator[Stop]:
    """In this block SIGINT, SIGTERM and SIGUSR1 set ``stop.requested``; SIGUSR1 may come again."""
    with finishing_on_signal() as stop:
        if threading.current_thread() is not threading.main_thread():  # only that one may set handlers
            yield stop
            return

        def ask(number: int, frame: FrameType | None) -> None:
            stop.requested = True

        before = signal.signal(signal.SIGUSR1, ask)
        try:
            yield stop
        finally:
            signal.signal(signal.SIGUSR1, before)
