"""`infer --engine ray`: a run on a cluster, from the first look at its inputs to the manifest of its parts."""

import pickle
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bertline.bundle import Bundle
from bertline.errors import BertlineError
from bertline.evaluation import AnyEvaluation
from bertline.problems import problem_of
from infer.cluster.actor import Fault, Opening, PartScorer, facts_there, look
from infer.cluster.cutting import cut
from infer.cluster.folder import OutputFolder
from infer.cluster.ledger import open_ledger
from infer.cluster.names import WORKING, part_name
from infer.cluster.nodes import check_nodes, nodes_of
from infer.cluster.part import PartDone, Task
from infer.cluster.places import Place
from infer.cluster.session import one_line, ray_session
from infer.cluster.slices import Archive, Part, is_table_of_groups
from infer.cluster.survey import CHUNK_BYTES, Chunk, ChunkSeen, TableSeen, chunks_of, look_at, tables_of
from infer.cluster.whole import Whole, span_of
from infer.cluster.workers import Workers, plan_workers
from infer.facts import Facts
from infer.identity import identity_of
from infer.job import Job
from infer.output import format_for
from infer.pages import scoring_page
from infer.report import report_of
from infer.rows import InputRead, Rows

PART_WINDOWS = 8  # windows of a part, where nobody says how many rows
CHUNKS_HERE = 4  # as few are looked at by the driver, which is faster than to start others

Tell = Callable[[str], None]
Progress = Callable[[int, int, int | None], None]  # rows done, parts done, parts in all


@dataclass(frozen=True)
class ClusterJob:
    """What to score, where to, and by how many."""

    inputs: Sequence[Place]
    output: Place
    job: Job  # how to score; its inputs and output are none
    ending: str  # of the parts' files
    part_rows: int | None
    workers: int | None
    address: str | None  # of a cluster; None: one on this machine, for this run
    device: str
    variant: str
    provider: str
    threads: int | None
    max_length: int | None
    batch_tokens: int | None


def score_on_cluster(
    run: ClusterJob, bundle: Bundle, tell: Tell = print, progress: Progress = lambda rows, done, parts: None
) -> tuple[dict[str, Any], AnyEvaluation | None]:
    """Score all inputs into a folder of parts; the report and the evaluation, None where there are no labels.

    Raises BertlineError for anything wrong with input, bundle, cluster or output; parts that are done are then kept.
    """
    started = time.perf_counter()
    folder = OutputFolder(run.output, resume=run.job.resume, force=run.job.force)
    folder.check()
    chunks = list(chunks_of(run.inputs))
    with ray_session(run.address) as ray:
        try:
            return _Session(ray, run, bundle, folder, tell, progress, started).score(chunks)
        finally:
            folder.release()


class _Session:
    """One run, connected to Ray."""

    def __init__(
        self,
        ray: Any,
        run: ClusterJob,
        bundle: Bundle,
        folder: OutputFolder,
        tell: Tell,
        progress: Progress,
        started: float,
    ) -> None:
        self._ray, self._run, self._bundle, self._folder = ray, run, bundle, folder
        self._tell, self._progress, self._started = tell, progress, started

    def score(self, chunks: Sequence[Chunk]) -> tuple[dict[str, Any], AnyEvaluation | None]:
        run, folder = self._run, self._folder
        workers = self._workers()
        opening = self._opening(workers)
        facts, window_rows, told, remark = self._facts(opening, workers)
        if remark:
            self._tell(remark)
        job = replace(run.job, window_rows=run.job.window_rows or window_rows)
        tables = tables_of(chunks, self._seen(chunks))
        part_rows = run.part_rows or PART_WINDOWS * (job.window_rows or window_rows)
        parts = cut(tables, job.spec, part_rows)
        schema = self._schema(parts[0], tables)
        identity = self._identity(job, facts, tables, part_rows)
        done = folder.begin(identity, run.ending, len(parts))
        if done is None:
            return folder.report(), None
        self._tell(
            f"{self._bundle.path}: variant {facts.variant} on {facts.device} ({facts.provider}), "
            f"{workers.count} workers of {workers.threads} threads, {len(parts):,} parts; {told}"
        )
        manifest = self._bundle.manifest
        task = Task(folder.run, run.output, run.output / WORKING, run.ending, job, schema)
        whole = Whole(problem_of(manifest.problem_type, manifest.labels), facts)
        for part in done.values():
            whole.add(part)
        resumed = whole.rows
        left = [part for part in parts if part.number not in done]
        try:
            arrivals = self._score(left, len(parts), whole, workers, (opening, facts, task))
            self._check_unchanged(tables)
            whole.totals.resumed_rows = resumed
            begin, whole.totals.seconds = span_of(arrivals) if arrivals else (time.perf_counter(), 0.0)
            self._startup_seconds = begin - self._started
            return self._publish(whole, tables, workers, identity, len(parts), part_rows)
        except (BertlineError, KeyboardInterrupt) as error:
            kept = folder.abandon(len(parts))
            if not kept:
                raise
            raise type(error)(f"{error}; {kept}" if str(error) else kept) from None
        except BaseException:
            folder.abandon(len(parts))
            raise

    def _workers(self) -> Workers:
        run, nodes = self._run, nodes_of(self._ray)
        check_nodes(self._ray, self._bundle)
        gpus = run.device != "cpu" and any(node.gpus for node in nodes)
        return plan_workers(nodes, wanted=run.workers, threads=run.threads, gpus=gpus)

    def _opening(self, workers: Workers) -> Opening:
        run = self._run
        return Opening(
            bundle=Path(self._bundle.path).absolute(),
            sha256=self._bundle.sha256,
            device=run.device if workers.gpus else "cpu",
            variant=run.variant,
            provider=run.provider,
            threads=workers.threads,
            max_length=run.max_length,
            batch_tokens=run.batch_tokens,
        )

    def _facts(self, opening: Opening, workers: Workers) -> tuple[Facts, int, str, str | None]:
        there = self._ray.remote(facts_there).options(num_cpus=workers.threads, num_gpus=workers.gpus)
        with one_line(self._ray):
            found = self._ray.get(there.remote(opening))
        if isinstance(found, Fault):
            raise found.error()
        facts: tuple[Facts, int, str, str | None] = found
        return facts

    def _seen(self, chunks: Sequence[Chunk]) -> Iterator[ChunkSeen]:
        spec = self._run.job.spec
        if len(chunks) <= CHUNKS_HERE:
            return (look_at(chunk, spec) for chunk in chunks)
        items = [(chunk, spec) for chunk in chunks]
        return self._answers(items, look, num_cpus=1)

    def _schema(self, part: Part, tables: Sequence[TableSeen]) -> Any:
        """Check the first part's columns as every worker will; its schema where all inputs are Parquet."""
        job, manifest = self._run.job, self._bundle.manifest
        rows = Rows(part.slices, job.spec, manifest, use_labels=job.use_labels, on_error="quarantine")
        job.form.refuse_twice(rows.columns, manifest.labels, rows.name)
        format_for(Path(part_name(0, self._run.ending)), rows.columns, manifest.labels, job.form, rows.schema)
        return rows.schema if all(is_table_of_groups(table.place) for table in tables) else None

    def _identity(self, job: Job, facts: Facts, tables: Sequence[TableSeen], part_rows: int) -> dict[str, Any]:
        inputs = [f"{table.place.name} ({table.was.size:,} bytes, sha256 {table.sha256})" for table in tables]
        return {
            "--engine": "ray",
            "--part-rows": part_rows,
            "--part-format": self._run.ending,
            **identity_of(job, facts, inputs),
        }

    def _score(
        self, left: Sequence[Part], parts: int, whole: Whole, workers: Workers, arguments: tuple[Opening, Facts, Task]
    ) -> list[tuple[float, float]]:
        arrivals: list[tuple[float, float]] = []
        self._progress(whole.rows, whole.parts, parts)
        if not left:
            return arrivals
        compute = self._ray.data.ActorPoolStrategy(size=min(workers.count, len(left)), max_tasks_in_flight_per_actor=1)
        answers = self._answers(
            left,
            PartScorer,
            fn_constructor_args=(*arguments, open_ledger(self._ray)),
            compute=compute,
            num_cpus=workers.threads,
            num_gpus=workers.gpus,
        )
        with closing(answers):
            for part in answers:
                assert isinstance(part, PartDone)
                arrivals.append((time.perf_counter(), part.seconds))
                whole.add(part)
                self._progress(whole.rows, whole.parts, parts)
        return arrivals

    def _answers(self, items: Sequence[Any], work: Any, **how: Any) -> Generator[Any]:
        """What workers make of each item, as they come."""
        blocks = [{"item": pickle.dumps(item)} for item in items]
        data = self._ray.data.from_items(blocks, override_num_blocks=len(blocks))
        data = data.map_batches(work, batch_size=1, batch_format="numpy", **how)
        with one_line(self._ray):
            for row in data.iter_rows():
                answer = pickle.loads(row["answer"])
                if isinstance(answer, Fault):
                    raise answer.error()
                yield answer

    def _check_unchanged(self, tables: Sequence[TableSeen]) -> None:
        for table in tables:
            Archive(table.place, table.was).check()

    def _publish(
        self,
        whole: Whole,
        tables: Sequence[TableSeen],
        workers: Workers,
        identity: dict[str, Any],
        parts: int,
        part_rows: int,
    ) -> tuple[dict[str, Any], AnyEvaluation | None]:
        assert len(whole.done) == parts
        if whole.evaluation:
            whole.evaluation.finish()
        read = [InputRead(table.place.name, table.was.size, table.sha256) for table in tables]
        report = report_of(read, whole.facts, whole.totals, whole.evaluation, self._startup_seconds, identity)
        scored = whole.totals.work.rows - whole.totals.resumed_rows
        report |= {
            "rows_per_second": scored / whole.totals.seconds if scored else 0.0,
            "peak_memory_mib": whole.peak_memory_mib,
            "engine": {
                "name": "ray",
                "version": self._ray.__version__,
                "nodes": len(nodes_of(self._ray)),
                "workers": workers.count,
                "parts": parts,
                "part_rows": part_rows,
                "hashed_by_bytes": CHUNK_BYTES,
            },
        }
        page = scoring_page(report, whole.evaluation) if self._run.job.html else None
        manifest = {
            "bertline": report["versions"]["bertline"],
            "bundle_sha256": whole.facts.bundle_sha256,
            "rows": whole.totals.work.rows,
            "ending": self._run.ending,
            "parts": whole.manifest(),
            "input": [asdict(source) for source in read],
            "identity": identity,
        }
        self._folder.publish(report, page, manifest)
        return report, whole.evaluation
