"""Fair timing: warm-up that is not counted, then everything compared takes turns, so that noise falls on all alike."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

T = TypeVar("T")
SETTLE_SECONDS = 0.03  # thread pools spin for some milliseconds after a call, and would take the next one's cores
BURST = 3  # counted calls of one runtime before the next has its turn


@dataclass(frozen=True)
class Timing:
    """Percentiles of one call's time, in milliseconds, over `runs` calls."""

    p50_ms: float
    p90_ms: float
    p99_ms: float
    mean_ms: float
    runs: int
    p25_ms: float
    p75_ms: float


def back_and_forth(items: Sequence[T], turn: int) -> Sequence[T]:
    """In the order of that turn, from 0: every other one goes backwards, so that none always follows the same one."""
    return items[:: 1 if turn % 2 == 0 else -1]


def time_in_turns(
    calls: Mapping[str, Callable[[], object]],
    *,
    warmups: int,
    min_runs: int,
    seconds: float = 0.0,
    settle_seconds: float = SETTLE_SECONDS,
    burst: int = BURST,
) -> dict[str, Timing]:
    """Time each call, one after the other in turns, for about `seconds` in all and at least `min_runs` counted calls.

    A turn starts with a pause, so that the other's idle threads have gone to sleep, and one call that is not counted,
    so that its own are awake; `burst` counted calls follow. The order alternates, so that none always runs on the
    other's warm or cold caches.
    """
    for _ in range(warmups):
        for call in calls.values():
            call()
    measured: dict[str, list[float]] = {name: [] for name in calls}
    begin, turn = time.perf_counter(), 0
    while turn * burst < min_runs or time.perf_counter() - begin < seconds:
        for name in back_and_forth(list(calls), turn):
            time.sleep(settle_seconds)
            calls[name]()
            for _ in range(burst):
                start = time.perf_counter()
                calls[name]()
                measured[name].append((time.perf_counter() - start) * 1e3)
        turn += 1
    return {name: _timing(times) for name, times in measured.items()}


def _timing(times: list[float]) -> Timing:
    p25, p50, p75, p90, p99 = map(float, np.percentile(times, [25, 50, 75, 90, 99]))
    return Timing(p50, p90, p99, float(np.mean(times)), len(times), p25, p75)
