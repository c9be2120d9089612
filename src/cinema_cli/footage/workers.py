"""One movie after the other, or several at once in processes of their own.

The processes are spawned, not forked: nothing of the parent leaks into them.  They do not listen to
Ctrl-C, which reaches all processes of a terminal: the parent decides.  A process whose parent is gone
ends at once.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import connection
from threading import Thread
from typing import Any, TypeVar

from cinema_cli.errors import MissingError
from cinema_cli.progress import Stop

Job = TypeVar("Job")
Result = TypeVar("Result")
Work = Callable[[Job, Callable[[float], None]], Result]
"""Takes a job and a function to tell its share of 0 to 1; both must be picklable."""

Told = Callable[[int, float], None]
"""Is called with the number of a job and its share that is done."""

LOOK_EVERY = 0.3
"""Seconds between two looks at what the workers tell."""


def run_jobs(
    work: "Work[Job, Result]", jobs: Sequence[Job], workers: int, stop: Stop, told: Told
) -> Iterator[tuple[int, Result]]:
    """Do jobs; the number and result of each, as they end.

    Asked to stop, those in hand are finished and no other is begun.
    """
    if min(workers, len(jobs)) > 1:
        yield from _at_once(work, jobs, min(workers, len(jobs)), stop, told)
        return
    for number, job in enumerate(jobs):
        if stop.requested:
            return
        yield number, work(job, partial(told, number))


def _at_once(
    work: "Work[Job, Result]", jobs: Sequence[Job], workers: int, stop: Stop, told: Told
) -> Iterator[tuple[int, Result]]:
    context = multiprocessing.get_context("spawn")
    news, abandon = context.SimpleQueue(), context.Event()
    pool = ProcessPoolExecutor(workers, context, _begin, (news, abandon))
    waiting = list(enumerate(jobs))[::-1]
    running: dict[Future[Result], int] = {}
    try:
        while running or (waiting and not stop.requested):
            while waiting and len(running) < workers and not stop.requested:
                number, job = waiting.pop()
                running[pool.submit(_work, work, job, number)] = number
            done, _ = wait(running, LOOK_EVERY, FIRST_COMPLETED)
            while not news.empty():
                told(*news.get())
            for future in done:
                yield running.pop(future), future.result()
    except BrokenProcessPool as error:
        raise MissingError(
            "A worker was ended by the system, perhaps for want of memory. "
            "Run the same command again, with fewer --workers."
        ) from error
    finally:
        abandon.set()
        pool.shutdown(cancel_futures=True)


_child: dict[str, Any] = {}
"""What a worker process was given when it began."""


def _begin(news: Any, abandon: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _child.update(news=news, abandon=abandon)
    Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    """End when the parent ends: what is half made then is swept by the next command."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)


def _work(work: "Work[Job, Result]", job: Job, number: int) -> Result:
    def tell(share: float) -> None:
        if _child["abandon"].is_set():
            raise _Abandoned
        _child["news"].put((number, share))

    return work(job, tell)


class _Abandoned(BaseException):
    """The parent wants no result any more."""
