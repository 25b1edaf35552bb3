"""How many workers there are, and what share of its machine each has."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertline.errors import BertlineError

THREADS = 4  # of a worker on CPUs: more workers of fewer threads wait less for each other, and take more memory


@dataclass(frozen=True)
class Node:
    """A machine of the cluster, as Ray counts it."""

    cpus: int
    gpus: int


@dataclass(frozen=True)
class Workers:
    """Workers that are all alike."""

    count: int
    threads: int  # and CPUs of each
    gpus: int  # of each, 0 or 1


def plan_workers(nodes: Sequence[Node], *, wanted: int | None, threads: int | None, gpus: bool) -> Workers:
    """As many workers as fit, or as are `wanted`; BertlineError where so many do not fit.

    With `gpus`, each has one, and its share of its machine's CPUs. Else each has `threads` CPUs; where those are not
    given, 4, or all of the smallest machine's if it has fewer, and fewer if only so the workers that are wanted fit.
    """
    if gpus:
        nodes = [node for node in nodes if node.gpus]
        most = threads or max(1, min((node.cpus // node.gpus for node in nodes), default=1))
    else:
        most = threads or max(1, min(THREADS, min((node.cpus for node in nodes), default=1)))
    each = most
    while threads is None and wanted is not None and each > 1 and _room(nodes, each, gpus) < wanted:
        each -= 1
    room = _room(nodes, each, gpus)
    if room < (wanted or 1):
        per = f"a GPU and {each} CPUs" if gpus else f"{each} CPUs" if each > 1 else "a CPU"
        has = f"{sum(node.cpus for node in nodes)} CPUs" + (f" and {sum(n.gpus for n in nodes)} GPUs" if gpus else "")
        advice = f"--workers {room}" if room else "fewer --threads"
        raise BertlineError(
            f"--workers {wanted or 1}: the cluster has room for {room} with {per} each (it has {has}); give {advice}, "
            "or add machines"
        )
    return Workers(wanted or room, each, int(gpus))


def _room(nodes: Sequence[Node], threads: int, gpus: bool) -> int:
    return sum(min(node.cpus // threads, node.gpus) if gpus else node.cpus // threads for node in nodes)
