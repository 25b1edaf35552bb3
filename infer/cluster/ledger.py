"""How often each part was begun: one that ends its worker again and again must not do so for ever."""

from collections import Counter
from collections.abc import Callable
from typing import Any

TRIES = 5  # more mishaps than a part meets by chance

Begin = Callable[[int], int]


class Ledger:
    """An actor beside the driver."""

    def __init__(self) -> None:
        self._begun: Counter[int] = Counter()

    def begin(self, number: int) -> int:
        """Note that a worker begins with a part; how many have done so."""
        self._begun[number] += 1
        return self._begun[number]


class LedgerClient:
    """`begin` of a ledger, from another machine."""

    def __init__(self, ledger: Any) -> None:
        self._ledger = ledger

    def __call__(self, number: int) -> int:
        import ray

        begun: int = ray.get(self._ledger.begin.remote(number))
        return begun


def open_ledger(ray: Any) -> LedgerClient:
    """A ledger that lives where the driver does, and as long as it is asked."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return LedgerClient(ray.remote(Ledger).options(num_cpus=0, scheduling_strategy=here).remote())
