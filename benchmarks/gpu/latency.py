"""Latency of one sentence: the median and the slowest in a hundred."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from benchmarks.gpu.attempts import Failed, attempt
from benchmarks.gpu.bench import Bench, distance
from benchmarks.gpu.ort_ways import FP32_PORTABLE, PACKED
from benchmarks.gpu.torch_ways import FP16, FP16_GRAPHS, FP32
from benchmarks.gpu.workloads import one_row
from benchmarks.timing import time_in_turns
from infer.encode import Encoded

WAYS = (FP32.name, FP16.name, FP16_GRAPHS.name, FP32_PORTABLE.name, *(spec.name for spec in PACKED))
_BURST = 25


def measure_latency(bench: Bench) -> dict[str, Any]:
    """Milliseconds from token ids on the host to logits on the host, for the real row of median length and one of the
    first length of random tokens; ways take turns.
    """
    bench.ways[FP16_GRAPHS.name] = attempt(partial(bench.torch_way, FP16_GRAPHS))
    lengths = bench.real.encoded.lengths
    middle = int(np.argsort(lengths, kind="stable")[len(lengths) // 2])
    rows = [one_row(bench.real.encoded, middle)]
    random = attempt(lambda: bench.random(bench.plan.lengths[0]))
    if not isinstance(random, Failed):
        rows.append(one_row(random.encoded, 0))
    return {"rows": [_measure(bench, row) for row in rows]}


def _measure(bench: Bench, row: Encoded) -> dict[str, Any]:
    tokens = int(row.lengths[0])
    bench.say(f"one row of {tokens} tokens")
    found: dict[str, dict[str, Any]] = {}
    calls: dict[str, Callable[[], object]] = {}
    expected = bench.one(FP32.name, row)
    for name in WAYS:
        call = partial(bench.one, name, row)
        logits = attempt(call)
        if isinstance(logits, Failed):
            found[name] = {"error": logits.message}
            continue
        found[name] = distance(bench.bundle.manifest.problem, logits, expected)
        calls[name] = call
    timings = time_in_turns(
        calls, warmups=3, min_runs=bench.plan.latency_runs, settle_seconds=0, burst=min(_BURST, bench.plan.latency_runs)
    )
    for name, timing in timings.items():
        found[name] |= asdict(timing)
    return {"tokens": tokens, "ways": found}
