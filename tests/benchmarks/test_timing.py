"""What is compared takes turns, warm-up is not counted, percentiles are those of the calls."""

import time
from itertools import pairwise

import pytest

from benchmarks.timing import BURST, time_in_turns


def test_warm_up_is_run_and_not_counted() -> None:
    calls: list[str] = []
    timings = time_in_turns(
        {name: lambda name=name: calls.append(name) for name in "ab"},  # type: ignore[misc]
        warmups=3,
        min_runs=2 * BURST,
        seconds=0,
    )
    assert {name: timing.runs for name, timing in timings.items()} == {"a": 2 * BURST, "b": 2 * BURST}
    assert "".join(calls) == "ababab" + "aaaabbbb" + "bbbbaaaa"  # each turn starts uncounted; the order alternates


def test_it_goes_on_for_the_time_asked_for() -> None:
    begin = time.perf_counter()
    timings = time_in_turns({"nap": lambda: time.sleep(0.001)}, warmups=0, min_runs=1, seconds=0.1)
    assert 0.1 <= time.perf_counter() - begin < 5
    assert timings["nap"].runs > 1


def test_times_are_milliseconds_and_percentiles_rise() -> None:
    naps = iter([0.002] * 14 + [0.02] * 2)
    timing = time_in_turns({"nap": lambda: time.sleep(next(naps))}, warmups=0, min_runs=10, seconds=0)["nap"]
    assert timing.p50_ms >= 2 and timing.p99_ms >= 15
    percentiles = [timing.p25_ms, timing.p50_ms, timing.p75_ms, timing.p90_ms, timing.p99_ms]
    assert all(low <= high for low, high in pairwise(percentiles))
    assert timing.p50_ms <= timing.mean_ms


def test_the_burst_can_be_longer() -> None:
    calls: list[str] = []
    timings = time_in_turns(
        {name: lambda name=name: calls.append(name) for name in "ab"},  # type: ignore[misc]
        warmups=0,
        min_runs=6,
        settle_seconds=0,
        burst=5,
    )
    assert timings["a"].runs == 10 and "".join(calls) == "a" * 6 + "b" * 12 + "a" * 6


def test_an_error_of_a_call_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        time_in_turns({"fails": lambda: 1 / 0}, warmups=1, min_runs=1, seconds=0)
