"""A run: its sections in the order of their weight, each written down as soon as it is done."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

from benchmarks.gpu.attempts import Failed, attempt
from benchmarks.gpu.bench import Bench
from benchmarks.gpu.device import clocks, environment, measure_matrix_rate
from benchmarks.gpu.end_to_end import measure_end_to_end
from benchmarks.gpu.kernels import measure_kernels
from benchmarks.gpu.latency import measure_latency
from benchmarks.gpu.parity import measure_parity
from benchmarks.gpu.throughput import measure_throughput
from benchmarks.gpu.training import measure_training
from benchmarks.gpu.verdicts import verdicts
from bertline.errors import UsageError

MEASURED, FAILED, NOT_HERE, SKIPPED = "measured", "failed", "not here", "not measured"
Document = dict[str, Any]


def sections(bench: Bench) -> dict[str, Callable[[], dict[str, Any]]]:
    """Name to measurement, the weightiest first."""
    return {
        "matrix_rate": lambda: measure_matrix_rate(bench),
        "parity": lambda: measure_parity(bench),
        "kernels": lambda: measure_kernels(bench),
        "throughput_real": lambda: measure_throughput(bench, bench.real),
        **{f"throughput_{length}": partial(_random_throughput, bench, length) for length in bench.plan.lengths},
        "end_to_end": lambda: measure_end_to_end(bench),
        "latency": lambda: measure_latency(bench),
        "training": lambda: measure_training(bench),
    }


def _random_throughput(bench: Bench, length: int) -> dict[str, Any]:
    return measure_throughput(bench, bench.random(length))


def measure(bench: Bench, save: Callable[[Document], None], only: Sequence[str] | None = None) -> Document:
    """Run all sections for which there is time, or those of `only`; the document so far is saved after each of them.

    Raises UsageError for a section that is none.
    """
    calls = sections(bench)
    for name in only or ():
        if name not in calls:
            raise UsageError(f"--only {','.join(only or ())}: {name!r} is none of {', '.join(calls)}")
    document: Document = {
        "schema": 1,
        "kind": "gpu",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "regime": "ways take turns on the same rows; rows a batch are the same for all of PyTorch's ways, longest "
        "first, as many as have so many tokens together; batches are laid out before, and time runs until the logits "
        "are on the host; latency includes laying out",
        "environment": environment(bench.device),
        "clocks_before": clocks(bench.device),
        "model": {name: bench.folder.config.get(name) for name in ("model_type", "hidden_size", "num_hidden_layers")},
        "bundle_sha256": bench.bundle.sha256,
        "table": {"name": bench.table.name, "rows": bench.real.rows, "tokens": bench.real.tokens},
        "minutes": bench.clock.minutes,
        "plan": asdict(bench.plan),
        "sections": {name: {"status": SKIPPED, "reason": "the run was stopped before"} for name in calls},
    }
    asked = {name: call for name, call in calls.items() if only is None or name in only}
    for name in calls.keys() - asked.keys():
        document["sections"][name] = {"status": SKIPPED, "reason": "it was not asked for"}
    for name, call in asked.items():
        document["sections"][name] = _entry(bench, name, call)
        bench.release()
        document["seconds"] = bench.clock.seconds
        document["clocks_after"] = clocks(bench.device)
        document["verdicts"] = [asdict(verdict) for verdict in verdicts(document)]
        save(document)
    return document


def _entry(bench: Bench, name: str, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    if bench.clock.used_up:
        return {"status": SKIPPED, "reason": bench.clock.excuse}
    bench.say(f"{name.replace('_', ' ')} ({bench.clock.seconds:.0f} s so far)")
    begin = bench.clock.seconds
    found = attempt(call)
    if isinstance(found, Failed):
        bench.say(f"{name}: {found.message}")
        return {"status": NOT_HERE if found.not_here else FAILED, "reason": found.message}
    return {"status": MEASURED, "took_seconds": bench.clock.seconds - begin} | found


def faults(document: Document) -> list[str]:
    """Evidence that is not as it must be."""
    return [fault for entry in document["sections"].values() for fault in entry.get("faults", [])]


def failures(document: Document) -> list[str]:
    """Sections that ended with an error."""
    return [f"{name} ({e['reason']})" for name, e in document["sections"].items() if e["status"] == FAILED]
