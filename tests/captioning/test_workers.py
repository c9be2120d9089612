import threading

import pytest

from cinema_cli.captioning.workers import in_parallel


def never() -> bool:
    return False


def test_every_item_comes_back_once_with_its_result() -> None:
    found = dict(in_parallel(range(100), lambda item: item * item, 7, never))
    assert found == {item: item * item for item in range(100)}


def test_what_is_raised_comes_back_too() -> None:
    found = dict(in_parallel([1, 0], lambda item: 1 / item, 2, never))
    assert found[1] == 1
    assert isinstance(found[0], ZeroDivisionError)


@pytest.mark.parametrize("workers", [1, 3])
def test_so_many_work_at_once_and_no_more(workers: int) -> None:
    barrier, lock, busy, most = threading.Barrier(workers), threading.Lock(), [0], [0]

    def work(item: int) -> None:
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        barrier.wait()
        with lock:
            busy[0] -= 1

    assert len(list(in_parallel(range(4 * workers), work, workers, never))) == 4 * workers
    assert most[0] <= workers


def test_after_a_stop_only_what_is_under_way_is_finished() -> None:
    begun = []

    def work(item: int) -> int:
        begun.append(item)
        return item

    found = list(in_parallel(range(100), work, 1, lambda: len(begun) == 3))
    assert [item for item, _ in found] == begun == [0, 1, 2]


def test_a_caller_who_has_had_enough_ends_the_work() -> None:
    begun, go_on = [], threading.Event()

    def work(item: int) -> None:
        begun.append(item)
        if item:
            go_on.wait()

    results = in_parallel(range(100), work, 1, never)
    next(results)
    results.close()  # type: ignore[attr-defined]
    go_on.set()
    assert len(begun) <= 2


def test_nothing_to_do() -> None:
    assert list(in_parallel([], str, 3, never)) == []
