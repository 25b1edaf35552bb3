"""The passes over one series, in turns; a file that fails does not take others along."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.peers.process import thread_limits
from benchmarks.scale.files import SCORED_BYTES, write_lines
from benchmarks.scale.process import score_alone
from benchmarks.scale.result import Point, Series
from benchmarks.timing import back_and_forth
from bertline.errors import BertlineError

UNFINISHED = "interrupted before its first pass"


@dataclass(frozen=True)
class Plan:
    """A point to measure."""

    name: str
    x: int  # what the series varies
    file: str  # name of its file; plans of one name share it
    rows: int
    row_bytes: float  # mean, with the line's end
    texts: Callable[[], Iterable[str]]
    threads: int
    options: tuple[str, ...]  # of infer
    tokens: int | None = None  # that infer must count; None: not known before
    encoder_flop: float | None = None
    missing: str | None = None  # why it cannot be measured


def needed_bytes(plans: Sequence[Plan]) -> int:
    """Disk that a series takes at most: all its files, and the largest one's output."""
    files = {plan.file: plan.rows * plan.row_bytes for plan in plans if not plan.missing}
    scored = [plan.rows * (plan.row_bytes + SCORED_BYTES) for plan in plans if not plan.missing]
    return int(sum(files.values()) + max(scored, default=0))


def take_turns(
    kind: str, plans: Sequence[Plan], bundle: Path, passes: int, progress: Callable[[str], None]
) -> tuple[Series, bool]:
    """Each file is scored once a pass, back and forth; whether Ctrl-C ended it.

    What has a pass by then is kept. A file that cannot be written or scored is a failure with its reason.
    """
    failures = {plan.name: plan.missing for plan in plans if plan.missing}
    reports: dict[str, list[dict[str, Any]]] = {plan.name: [] for plan in plans}
    interrupted = False
    with TemporaryDirectory() as folder:
        try:
            for number in range(passes):
                for plan in back_and_forth(plans, number):
                    if plan.name in failures:
                        continue
                    try:
                        report = _score(plan, bundle, Path(folder) / plan.file)
                    except (BertlineError, OSError) as error:
                        failures[plan.name] = str(error)
                        progress(f"{kind}: {plan.name}: {error}")
                        continue
                    reports[plan.name].append(report)
                    progress(f"{kind}, pass {number + 1} of {passes}: {plan.name}: {report['seconds']:.2f} s")
        except KeyboardInterrupt:
            interrupted = True
    points = tuple(
        _point(plan, reports[plan.name]) for plan in plans if reports[plan.name] and plan.name not in failures
    )
    for plan in plans:
        if not reports[plan.name]:
            failures.setdefault(plan.name, UNFINISHED)
    return Series(kind, points, failures), interrupted


def _score(plan: Plan, bundle: Path, file: Path) -> dict[str, Any]:
    """One pass; OSError where there is no room for the file, BertlineError where infer fails or counts other tokens."""
    if not file.exists():
        try:
            write_lines(file, plan.texts())
        except BaseException:
            file.unlink(missing_ok=True)
            raise
    options = [*plan.options, "--threads", str(plan.threads)]
    report = score_alone(bundle, file, options, variables=thread_limits(plan.threads))
    if plan.tokens not in (None, report["tokens"]):
        raise BertlineError(
            f"its {plan.rows:,} rows came to {report['tokens']:,} tokens, not {plan.tokens:,}: "
            "to this tokenizer a single letter is not one token"
        )
    return report


def _point(plan: Plan, reports: Sequence[dict[str, Any]]) -> Point:
    stages = {name: [report["stage_seconds"].get(name, 0.0) for report in reports] for name in _stages(reports)}
    return Point(
        plan.name,
        plan.x,
        reports[0]["rows"],
        reports[0]["unique_rows"],
        reports[0]["tokens"],
        tuple(report["seconds"] for report in reports),
        tuple(report["startup_seconds"] for report in reports),
        tuple(report["peak_memory_mib"] for report in reports),
        {name: float(np.median(seconds)) for name, seconds in stages.items()},
        plan.encoder_flop,
    )


def _stages(reports: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for report in reports for name in report["stage_seconds"]))
