"""All that is known of a run before its first part is scored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bertline.bundle import Bundle, Manifest
from bertline.tsv import TableSpec
from infer.cluster.actor import Found, Opening, find, look
from infer.cluster.cutting import cut
from infer.cluster.machines import Machines
from infer.cluster.names import part_name
from infer.cluster.node_check import what_is_there
from infer.cluster.places import Place
from infer.cluster.slices import Part, is_table_of_groups
from infer.cluster.survey import Chunk, ChunkSeen, TableSeen, look_at, tables_of
from infer.cluster.workers import Workers, plan_workers
from infer.identity import identity_of
from infer.job import Job
from infer.output import format_for
from infer.pipeline import problem_for
from infer.rows import Rows, printable

PART_WINDOWS = 16  # windows of a part, where nobody says how many rows
CHUNKS_HERE = 4  # as few are looked at by the driver, which is faster than to start others


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


@dataclass(frozen=True)
class Plan:
    """A run that is ready to begin."""

    manifest: Manifest  # of the bundle
    job: Job
    workers: Workers
    opening: Opening
    found: Found  # of a first worker, like which all others must be
    tables: list[TableSeen]
    parts: list[Part]
    part_rows: int
    schema: Any  # pyarrow.Schema of the inputs where all are Parquet, else None
    identity: dict[str, Any]


def plan(run: ClusterJob, bundle: Bundle, machines: Machines, chunks: Sequence[Chunk]) -> Plan:
    """Look at machines and inputs; BertlineError for what is wrong with them."""
    machines.check(bundle)
    nodes = machines.nodes()
    gpus = run.device != "cpu" and any(node.gpus for node in nodes)
    workers = plan_workers(nodes, wanted=run.workers, threads=run.threads, gpus=gpus)
    opening = Opening(
        bundle=bundle.path.absolute(),
        driver=what_is_there(str(bundle.path.absolute())),
        device=run.device if gpus or run.device != "auto" else "cpu",
        variant=run.variant,
        provider=run.provider,
        threads=workers.threads,
        max_length=run.max_length,
        batch_tokens=run.batch_tokens,
    )
    found: Found = machines.call(find, opening, workers)
    window_rows = run.job.window_rows or found.window_rows
    job = replace(run.job, window_rows=window_rows)
    tables = tables_of(chunks, _seen(machines, chunks, job.spec))
    part_rows = run.part_rows or PART_WINDOWS * window_rows
    parts = cut(tables, job.spec, part_rows)
    inputs = [f"{printable(table.place.name)} ({table.was.size:,} bytes, sha256 {table.sha256})" for table in tables]
    identity = {"--engine": "ray", "--part-rows": part_rows, "--part-format": run.ending}
    identity |= identity_of(job, bundle.manifest, found.facts, inputs)
    schema = _schema(run, bundle, parts[0], tables)
    return Plan(bundle.manifest, job, workers, opening, found, tables, parts, part_rows, schema, identity)


def _seen(machines: Machines, chunks: Sequence[Chunk], spec: TableSpec) -> list[ChunkSeen]:
    """What is found in each chunk, in order."""
    if len(chunks) <= CHUNKS_HERE:
        return [look_at(chunk, spec) for chunk in chunks]
    return sorted(machines.each(look, [(chunk, spec) for chunk in chunks]), key=lambda seen: (seen.table, seen.start))


def _schema(run: ClusterJob, bundle: Bundle, part: Part, tables: Sequence[TableSeen]) -> Any:
    """Check the columns as every worker will; the first table's schema where all inputs are Parquet."""
    job, manifest = run.job, bundle.manifest
    rows = Rows(part.slices, job.spec, manifest, use_labels=job.use_labels, on_error="quarantine")
    problem = problem_for(job, manifest)
    job.form.refuse(rows.columns, problem, rows.name)
    schema = rows.schema if all(is_table_of_groups(table.place) for table in tables) else None
    format_for(Path(part_name(0, run.ending)), rows.columns, problem, job.form, schema)
    return schema
