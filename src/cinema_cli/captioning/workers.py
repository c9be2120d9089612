"""Several calls at once, never more than so many, with results in the order in which they come."""

import threading
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    items: Iterable[Item],
    work: Callable[[Item], Result],
    workers: int,
    stopped: Callable[[], bool],
) -> Iterator[tuple[Item, Result | Exception]]:
    """Give each item to one of the workers and yield it with its result, or with what it raised.

    Once ``stopped`` says so, or the caller has had enough, no further item is given out; those under
    way are finished, and yielded where the caller still listens.  The threads are daemons: a second
    Ctrl-C does not wait for a server.
    """
    feed = iter(items)
    lock, enough = threading.Lock(), threading.Event()
    done: SimpleQueue[tuple[Item, Result | Exception] | None] = SimpleQueue()

    def serve() -> None:
        while not (enough.is_set() or stopped()):
            with lock:
                item = next(feed, None)
            if item is None:
                break
            try:
                done.put((item, work(item)))
            except Exception as error:
                done.put((item, error))
        done.put(None)

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    left = workers
    try:
        while left:
            result = done.get()
            if result is None:
                left -= 1
            else:
                yield result
    finally:
        enough.set()
