"""Stages that overlap: one thread each, items in order, and only a few waiting between two stages."""

import threading
from collections.abc import Callable, Generator, Iterable
from queue import Full, Queue
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")
_LOOK_SECONDS = 0.05  # how soon a thread that waits for room sees that nobody takes its items any more
_FINISH_SECONDS = 5.0  # how long Ctrl-C waits for what is under way: longer than writing a window to a slow disk
_LEAVE_SECONDS = 1.0  # a thread that waits for a pipe may never come back; the process ends without it

STAGES = ("read", "tokenize", "wait", "run", "write")  # in the order in which a window passes them


def ahead(items: Iterable[T], depth: int = 1) -> Generator[T, None, None]:
    """The same items, made by a thread of its own, which keeps at most `depth` of them waiting.

    What making an item raises is raised here in its turn, after the items before it. When this generator is closed,
    no further item is made.
    """
    made: Queue[tuple[str, T | None, BaseException | None]] = Queue(depth)
    stop = threading.Event()

    def hand_over(kind: str, item: T | None = None, error: BaseException | None = None) -> bool:
        while not stop.is_set():
            try:
                made.put((kind, item, error), timeout=_LOOK_SECONDS)
                return True
            except Full:
                continue
        return False

    def make() -> None:
        try:
            for item in items:
                if not hand_over("item", item):
                    return
            hand_over("end")
        except BaseException as error:  # it is the taker's to handle
            hand_over("error", error=error)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while True:
            kind, item, error = made.get()
            if kind == "end":
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        stop.set()
        thread.join(_LEAVE_SECONDS)


class Behind(Generic[T]):
    """Hands items to `work` in a thread of its own, in order, while the caller goes on; at most `depth` wait.

    A context manager: at its end all items given are done, also after an error, but for what Ctrl-C does not wait for:
    a pipe that nobody reads. What `work` raises is raised by the
    next `put`, or at the end; the items after it are dropped.
    """

    def __init__(self, work: Callable[[T], None], depth: int = 1) -> None:
        self._work = work
        self._items: Queue[T | None] = Queue(depth)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def put(self, item: T) -> None:
        """Give one item; waits while `depth` items wait already."""
        self._raise()
        self._items.put(item)

    def __enter__(self) -> "Behind[T]":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        patience = _FINISH_SECONDS if isinstance(error, KeyboardInterrupt) else None
        try:
            self._items.put(None, timeout=patience)
        except Full:
            return
        self._thread.join(patience)
        if error is None:
            self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while (item := self._items.get()) is not None:
            if self._error is None:  # after an error items are only taken, so that nobody waits for room
                try:
                    self._work(item)
                except BaseException as error:  # it is the giver's to handle
                    self._error = error
