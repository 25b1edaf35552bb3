"""`infer --engine ray`: a run on a cluster, from the first look at its inputs to the manifest of its parts."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from bertline.bundle import Bundle
from bertline.errors import BertlineError
from bertline.evaluation import AnyEvaluation
from infer.cluster.actor import PartScorer
from infer.cluster.folder import OutputFolder
from infer.cluster.machines import Machines
from infer.cluster.names import WORKING
from infer.cluster.part import PartDone, Task
from infer.cluster.planning import ClusterJob, Plan, plan
from infer.cluster.session import ray_session
from infer.cluster.slices import Slice
from infer.cluster.survey import CHUNK_BYTES, Chunk, chunks_of
from infer.cluster.whole import Whole
from infer.pages import scoring_page
from infer.pipeline import problem_for
from infer.report import InputChangedError, report_of
from infer.rows import InputRead, printable

_LOOK_SECONDS = 5.0  # between two looks at how many machines are left

Tell = Callable[[str], None]
Progress = Callable[[int, int, int | None], None]  # rows done, parts done, parts in all
Result = tuple[dict[str, Any], AnyEvaluation | None]


def score_on_cluster(
    run: ClusterJob, bundle: Bundle, tell: Tell = print, progress: Progress = lambda rows, done, parts: None
) -> Result:
    """Score all inputs into a folder of parts; the report and the evaluation, None where there are no labels.

    Raises BertlineError for anything wrong with input, bundle, cluster or output; parts that are done are then kept.
    """
    started = time.perf_counter()
    folder = OutputFolder(run.output, resume=run.job.resume, force=run.job.force)
    folder.check()
    chunks = list(chunks_of(run.inputs))
    with ray_session(run.address) as machines:
        return score_on(machines, run, bundle, folder, chunks, started, tell, progress)


def score_on(
    machines: Machines,
    run: ClusterJob,
    bundle: Bundle,
    folder: OutputFolder,
    chunks: Sequence[Chunk],
    started: float,
    tell: Tell,
    progress: Progress,
) -> Result:
    """The same on those machines, for a folder that is checked; it began at `started`, by time.perf_counter."""
    planned = plan(run, bundle, machines, chunks)
    facts, parts = planned.found.facts, planned.parts
    try:
        done = folder.begin(planned.identity, run.ending, len(parts))
        if done is None:
            return folder.report(), None
        if planned.found.remark:
            tell(planned.found.remark)
        tell(
            f"{bundle.path}: variant {facts.variant} on {facts.device} ({facts.provider}), {planned.workers.count} "
            f"workers of {planned.workers.threads} threads, {len(parts):,} parts; {planned.found.reason}"
        )
        whole = Whole(problem_for(planned.job, bundle.manifest), facts)
        for part in done.values():
            whole.add(part)
        whole.totals.resumed_rows = whole.rows
        task = Task(folder.run, run.output, run.output / WORKING, run.ending, planned.job, planned.schema)
        startup_seconds = _score(machines, planned, task, whole, tell, progress) - started
        for table in planned.tables:
            Slice(table.place, table.was).check()
        return _publish(machines, run, planned, folder, whole, startup_seconds)
    except InputChangedError:
        folder.abandon(len(parts))
        raise  # without a word of what is kept: it is of files that are no more
    except (BertlineError, KeyboardInterrupt) as error:
        kept = folder.abandon(len(parts))
        if not kept:
            raise
        raise type(error)(f"{error}; {kept}" if str(error) else kept) from error
    finally:
        folder.release()


def _score(machines: Machines, planned: Plan, task: Task, whole: Whole, tell: Tell, progress: Progress) -> float:
    """Score the parts that are not done; when the first row was read, by time.perf_counter."""
    parts, done = planned.parts, whole.numbers
    left = [part for part in parts if part.number not in done]
    progress(whole.rows, whole.parts, len(parts))
    if not left:
        return time.perf_counter()
    began: list[float] = []
    watch = _Watch(machines, tell)
    arguments = (planned.opening, planned.found.facts, task)
    with closing(machines.score(PartScorer, arguments, left, planned.workers)) as scored:
        for part in scored:
            assert isinstance(part, PartDone)
            began.append(part.began)
            whole.add(part)
            progress(whole.rows, whole.parts, len(parts))
            watch.look()
    # By the machines' clocks, which are taken to agree: Ray hands over what is done late, and in no even time.
    whole.totals.seconds = max(1e-9, time.time() - min(began))
    return time.perf_counter() - whole.totals.seconds


class _Watch:
    """Says when machines leave: nothing is lost with them but time."""

    def __init__(self, machines: Machines, tell: Tell) -> None:
        self._machines, self._tell = machines, tell
        self._count, self._last = len(machines.nodes()), time.monotonic()

    def look(self) -> None:
        if time.monotonic() - self._last < _LOOK_SECONDS:
            return
        count, self._last = len(self._machines.nodes()), time.monotonic()
        if count < self._count:
            self._tell(f"{self._count - count} of {self._count} machines have left; others do again what they were at")
        self._count = count


def _publish(
    machines: Machines, run: ClusterJob, planned: Plan, folder: OutputFolder, whole: Whole, startup_seconds: float
) -> Result:
    assert len(whole.done) == len(planned.parts)
    if whole.evaluation:
        whole.evaluation.finish()
    totals, facts = whole.totals, whole.facts
    read = [InputRead(printable(table.place.name), table.was.size, table.sha256) for table in planned.tables]
    report = report_of(
        planned.job, planned.manifest, read, facts, totals, whole.evaluation, startup_seconds, planned.identity
    )
    scored = totals.work.rows - totals.resumed_rows
    report |= {
        "rows_per_second": scored / totals.seconds if totals.seconds else 0.0,  # of this run, without those before it
        "peak_memory_mib": whole.peak_memory_mib,  # of the worker that had most
        "engine": {
            "name": "ray",
            "version": machines.version,
            "nodes": len(machines.nodes()),
            "workers": planned.workers.count,
            "parts": len(planned.parts),
            "part_rows": planned.part_rows,
            "hashed_by_bytes": CHUNK_BYTES,
        },
    }
    page = scoring_page(report, whole.evaluation) if run.job.html else None
    manifest = {
        "bertline": report["versions"]["bertline"],
        "bundle_sha256": facts.bundle_sha256,
        "rows": totals.work.rows,
        "ending": run.ending,
        "parts": whole.manifest(),
        "input": report["input"],
        "identity": planned.identity,
    }
    folder.publish(report, page, manifest)
    return report, whole.evaluation
