"""Machines without Ray: this process does all the work, part by part, so that tests of what is around it are fast."""

import pickle
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from bertline.bundle import Bundle
from infer.cluster.machines import checked
from infer.cluster.workers import Node, Workers

Order = Callable[[Sequence[Any]], Sequence[Any]]


class Here:
    """Two CPUs. Parts are done in an `order`; before each, `meanwhile` is called with how many are done."""

    version = "none"

    def __init__(
        self, order: Order = lambda items: items, meanwhile: Callable[[int], None] = lambda done: None
    ) -> None:
        self._order, self._meanwhile = order, meanwhile
        self.begun: Counter[int] = Counter()

    def nodes(self) -> list[Node]:
        return [Node(2, 0)]

    def check(self, bundle: Bundle) -> None:
        """It is the driver's machine."""

    def call(self, work: Any, argument: Any, workers: Workers) -> Any:
        return checked(pickle.loads(pickle.dumps(work(argument))))

    def each(self, work: Any, items: Sequence[Any]) -> Generator[Any]:
        for item in reversed(items):
            yield self._answer(work, item)

    def score(self, scorer: Any, arguments: tuple[Any, ...], items: Sequence[Any], workers: Workers) -> Generator[Any]:
        worker = scorer(*pickle.loads(pickle.dumps(arguments)), self._begin)
        for done, item in enumerate(self._order(items)):
            self._meanwhile(done)
            yield self._answer(worker, item)

    def _begin(self, number: int) -> int:
        self.begun[number] += 1
        return self.begun[number]

    @staticmethod
    def _answer(work: Any, item: Any) -> Any:
        (content,) = work({"item": [pickle.dumps(item)]})["answer"]
        return checked(pickle.loads(content))


@contextmanager
def instead_of_ray(machines: Here) -> Iterator[Here]:
    """--engine ray runs on those."""

    @contextmanager
    def session(address: str | None) -> Iterator[Here]:
        yield machines

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infer.cluster.engine.ray_session", session)
        yield machines
