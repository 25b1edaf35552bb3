"""Stages overlap, keep order, hold few items, and pass on what goes wrong."""

import threading
import time
from collections.abc import Iterator

import pytest

from infer.stages import Behind, ahead


def test_items_come_in_order_and_from_another_thread() -> None:
    def made() -> Iterator[tuple[int, int]]:
        for number in range(100):
            yield number, threading.get_ident()

    items = list(ahead(made(), 3))
    assert [number for number, _ in items] == list(range(100))
    assert {thread for _, thread in items}.isdisjoint({threading.get_ident()})


def test_only_a_few_items_are_made_before_they_are_taken() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    items = ahead(numbers(), 2)
    assert next(items) == 0
    time.sleep(0.3)
    assert len(made) == 4  # one taken, two waiting, one in the maker's hand
    items.close()  # type: ignore[attr-defined]
    time.sleep(0.2)
    assert len(made) == 4


def test_an_error_comes_in_its_turn() -> None:
    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("third")

    taken = []
    with pytest.raises(ValueError, match="third"):
        taken.extend(ahead(broken()))
    items = ahead(broken())
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="third"):
        next(items)


def test_behind_does_all_before_it_ends_also_after_an_error_of_the_giver() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        time.sleep(0.02)
        done.append(number)

    with Behind(work) as behind:
        for number in range(5):
            behind.put(number)
    assert done == list(range(5))
    with pytest.raises(RuntimeError, match="mine"), Behind(work) as behind:
        behind.put(5)
        raise RuntimeError("mine")
    assert done == list(range(6))


@pytest.mark.parametrize("items", [1, 2])  # one is under way, and another waits
def test_ctrl_c_leaves_a_worker_that_is_stuck(monkeypatch: pytest.MonkeyPatch, items: int) -> None:
    monkeypatch.setattr("infer.stages._FINISH_SECONDS", 0.1)
    stuck = threading.Event()

    def work(_: int) -> None:
        stuck.wait(30)

    with pytest.raises(KeyboardInterrupt), Behind(work) as behind:
        for number in range(items):
            behind.put(number)
        raise KeyboardInterrupt
    assert not stuck.is_set()
    stuck.set()


def test_the_workers_error_is_raised_and_nobody_waits_for_ever() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        if number == 2:
            raise OSError("full")
        done.append(number)

    with pytest.raises(OSError, match="full"), Behind(work) as behind:
        for number in range(100):
            behind.put(number)
            time.sleep(0.001)
    assert done == [0, 1]
    with pytest.raises(OSError, match="full"), Behind(work) as behind:
        behind.put(2)  # the last item: the error is raised at the end
