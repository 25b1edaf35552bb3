"""Throughput of every way on one workload: all budgets of tokens a batch, then each way at its best, in turns."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from benchmarks.gpu.attempts import Failed, attempt
from benchmarks.gpu.bench import Bench, Way, distance
from benchmarks.gpu.ort_ways import PACKED_NAME
from benchmarks.gpu.parity import MAX_FLIPS
from benchmarks.gpu.torch_ways import TorchWay
from benchmarks.gpu.workloads import Workload, padding_share
from benchmarks.timing import Timing, time_in_turns
from bertline.errors import BertlineError
from infer.packing import plan_packed
from infer.runners import Logits

Row = dict[str, Any]


def measure_throughput(bench: Bench, workload: Workload) -> dict[str, Any]:
    """Rows/s from batches laid out on the host to logits there: a row for each way and budget, and one for each way
    with the budget that was its best. A way that fails has a row with its error. BertlineError where there was no time.
    """
    sweep: list[Row] = []
    for budget in bench.plan.budgets:
        if bench.clock.used_up:
            break
        bench.say(f"{workload.name}: {budget:,} tokens a batch")
        sweep += _time(bench, workload, dict.fromkeys(bench.ways, budget), bench.plan.sweep_runs)
        bench.release()
    if not sweep:
        raise BertlineError(bench.clock.excuse)
    bench.say(f"{workload.name}: each way at its best")
    head_to_head = _time(bench, workload, best_budgets(sweep), bench.plan.runs)
    return {
        "workload": workload.name,
        "rows": workload.rows,
        "tokens": workload.tokens,
        "flop_per_row": bench.flop_per_row(workload),
        "budgets": sorted({row["batch_tokens"] for row in sweep}),
        "head_to_head": head_to_head,
        "sweep": sweep,
        "faults": _faults(sweep + head_to_head, workload) if workload is bench.real else [],
    }


def best_budgets(sweep: Sequence[Row]) -> dict[str, int]:
    """Way to the budget with which it was fastest; of a way that never ran the first one, which fails again."""
    best: dict[str, Row] = {}
    for row in sweep:
        before = best.setdefault(row["way"], row)
        if row.get("rows_per_second", 0.0) > before.get("rows_per_second", 0.0):
            best[row["way"]] = row
    return {way: row["batch_tokens"] for way, row in best.items()}


def _time(bench: Bench, workload: Workload, budgets: Mapping[str, int], runs: int) -> list[Row]:
    """All ways in turns, each with its budget; what each answers in its first pass, which warms it up, is checked."""
    expected, problem = bench.expected(workload), bench.bundle.manifest.problem
    rows: dict[str, Row] = {}
    calls: dict[str, Callable[[], object]] = {}
    for name, budget in budgets.items():
        rows[name] = {"way": name, "batch_tokens": budget}
        tried = attempt(partial(_tried, bench, name, workload, budget))
        if isinstance(tried, Failed):
            rows[name]["error"] = tried.message
            continue
        calls[name], found = tried
        rows[name] |= distance(problem, found, expected) | _padding(bench.ways[name], workload, budget)
    for name, timing in time_in_turns(calls, warmups=1, min_runs=runs, settle_seconds=0).items():
        rows[name] |= _speed(timing, workload.rows, bench.flop_per_row(workload), bench.matrix_rate)
    return list(rows.values())


def _tried(bench: Bench, name: str, workload: Workload, budget: int) -> tuple[Callable[[], Logits], Logits]:
    """The call, and what it answers."""
    call = bench.ready(name, workload.encoded, budget)
    return call, call()


def _padding(way: Way | Failed, workload: Workload, budget: int) -> Row:
    if not (isinstance(way, TorchWay) and way.padded):
        return {}  # what ONNX Runtime's padded graphs pad, the scorer plans
    lengths = workload.encoded.lengths
    return {"padding_share": padding_share(lengths, plan_packed(lengths, budget))}


def _speed(timing: Timing, rows: int, flop: float | None, matrix_rate: float | None) -> Row:
    """Rows/s by the median time, and by its quartiles; the share of the device's matrix rate, 0…1."""
    rate = rows / timing.p50_ms * 1e3
    return {
        "rows_per_second": rate,
        "quartiles": [rows / timing.p75_ms * 1e3, rows / timing.p25_ms * 1e3],
        "runs": timing.runs,
        "share_of_matrix_rate": rate * flop / matrix_rate if flop and matrix_rate else None,
    }


def _faults(rows: Sequence[Row], workload: Workload) -> list[str]:
    """Where a packed way answers otherwise than it may."""
    faults = []
    for row in rows:
        if not row["way"].startswith(PACKED_NAME) or "error" in row:
            continue
        if row["max_abs_logit"] is None or row["flips"] > MAX_FLIPS * workload.rows:
            faults.append(
                f"{row['way']}, {row['batch_tokens']:,} tokens a batch: {row['flips']} labels flip, max |Δlogit| "
                f"{row['max_abs_logit']}"
            )
    return list(dict.fromkeys(faults))
