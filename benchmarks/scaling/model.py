"""Rows a second of a cluster, from what one core, one part and one device do: the slowest stage decides.

The stages of a worker overlap, so that none waits for another but for the slowest; cores are shared by all of them.
Nothing is measured or read here.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Costs:
    """What a row takes: seconds of one core for each stage, and bytes."""

    read: float
    tokenize: float
    python: float  # part of `tokenize`: in Python, one thread at a time, the tokenizer's own threads apart
    session: float  # on a core; where workers have devices, these run it
    write: float
    bytes_in: float
    bytes_out: float
    look: float  # seconds of one core, all bytes of a row looked at before scoring


@dataclass(frozen=True)
class Overheads:
    """What there is to a run beside its rows, in seconds."""

    startup: float  # once
    part: float  # that each part keeps its worker from scoring
    driver: float  # of the one driver, for each part


@dataclass(frozen=True)
class Cluster:
    """Machines that are all alike."""

    nodes: int
    cores: int  # of a node
    workers: int  # of a node
    threads: int  # of a worker
    network: float  # bytes a second of a node, in and out together
    storage: float  # bytes a second that the storage gives and takes, all nodes together
    device_rows: float | None = None  # a second, of each worker's device; None: the session runs on cores


@dataclass(frozen=True)
class Prediction:
    """What a run gives."""

    rows_per_second: float  # while rows are scored
    seconds: float  # all in all
    limit: str  # the stage that is slowest


def worker_limits(costs: Costs, cluster: Cluster) -> dict[str, float]:
    """Rows a second of one worker that each stage on its machine would allow if it were alone."""
    host = costs.read + costs.tokenize + costs.write
    cores = cluster.cores / cluster.workers
    own = min(cluster.threads, cores)  # that one stage keeps busy
    limits = {"Python": 1 / (costs.read + costs.python + costs.write)}  # one thread at a time
    if cluster.device_rows is not None:  # all cores are the tokenizers' but for what reading and writing take
        return limits | {"tokenizers": min(own / costs.tokenize, cores / host), "devices": cluster.device_rows}
    return limits | {
        "tokenizers": own / costs.tokenize,
        "sessions": own / costs.session,
        "cores": cores / (host + costs.session),
    }


def shared_limits(costs: Costs, overheads: Overheads, cluster: Cluster, part_rows: int) -> dict[str, float]:
    """Rows a second of the whole cluster that what its workers share would allow."""
    moved = costs.bytes_in + costs.bytes_out
    limits = {"network": cluster.nodes * cluster.network / moved, "storage": cluster.storage / moved}
    return limits | ({"driver": part_rows / overheads.driver} if overheads.driver else {})


def predict(costs: Costs, overheads: Overheads, cluster: Cluster, rows: int, part_rows: int) -> Prediction:
    """A run over so many rows.

    Parts are scored in rounds, one for each worker; in the last one some workers have none left. Looking at the inputs
    comes first and reads them once: by all cores, as fast as network and storage give them.
    """
    workers = cluster.nodes * cluster.workers
    own = worker_limits(costs, cluster)
    limit = min(own, key=own.__getitem__)
    rounds = math.ceil(rows / part_rows / workers)
    in_rounds = rounds * (min(rows, part_rows) / own[limit] + overheads.part)
    shared = shared_limits(costs, overheads, cluster, part_rows)
    slowest = min(shared, key=shared.__getitem__)
    scoring = max(in_rounds, rows / shared[slowest])
    look = rows * max(
        costs.look / (cluster.nodes * cluster.cores),
        costs.bytes_in / min(cluster.nodes * cluster.network, cluster.storage),
    )
    return Prediction(
        rows / scoring, overheads.startup + look + scoring, limit if in_rounds >= rows / shared[slowest] else slowest
    )
