"""The machines that score, as the driver sees them: all that it wants of Ray."""

import importlib
import pickle
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from bertline.bundle import Bundle
from bertline.errors import BertlineError
from infer.cluster.answers import Fault
from infer.cluster.ledger import open_ledger
from infer.cluster.node_check import check_node, what_is_there
from infer.cluster.workers import Node, Workers

_PATIENCE_SECONDS = 120.0  # for machines that have to start a first worker
_FREE_SECONDS = 300.0  # for a machine that has other work to do


class Machines(Protocol):
    """Where work is done. What is at fault with one item of it is raised here, as the BertlineError it was there."""

    version: str  # of what joins them

    def nodes(self) -> list[Node]:
        """Those that are alive."""

    def check(self, bundle: Bundle) -> None:
        """BertlineError where a machine lacks the bundle, or has another, or other versions of what scores."""

    def call(self, work: Any, argument: Any, workers: Workers) -> Any:
        """What a function makes of one argument where a worker would run."""

    def each(self, work: Any, items: Sequence[Any]) -> Generator[Any]:
        """What a function makes of each item, in any order."""

    def score(self, scorer: Any, arguments: tuple[Any, ...], items: Sequence[Any], workers: Workers) -> Generator[Any]:
        """What objects of a class, one to a worker, make of each item, in any order.

        Each is made of the arguments and, behind them, a function that counts how often an item was begun.
        """


class RayMachines:
    """A Ray cluster; `ray` is the module, connected."""

    def __init__(self, ray: Any) -> None:
        self._ray, self.version = ray, str(ray.__version__)

    def nodes(self) -> list[Node]:
        alive = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        return [Node(int(has.get("CPU", 0)), int(has.get("GPU", 0))) for has in alive]

    def check(self, bundle: Bundle) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        ray, here = self._ray, self._ray.get_runtime_context().get_node_id()
        others = [node["NodeID"] for node in ray.nodes() if node["Alive"] and node["NodeID"] != here]
        # By value: a machine may have another bertline than this one, or none.
        ray.cloudpickle.register_pickle_by_value(importlib.import_module(what_is_there.__module__))
        there, path = ray.remote(what_is_there), str(bundle.path.absolute())
        with _one_line(ray):
            asked = [
                there.options(num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False))
                for node in others
            ]
            found = ray.get([task.remote(path) for task in asked], timeout=_PATIENCE_SECONDS)
        driver = what_is_there(path)
        for seen in found:
            check_node(seen, driver, path)

    def call(self, work: Any, argument: Any, workers: Workers) -> Any:
        task = self._ray.remote(work).options(num_cpus=workers.threads, num_gpus=workers.gpus)
        with _one_line(self._ray):
            try:
                return checked(self._ray.get(task.remote(argument), timeout=_FREE_SECONDS))
            except self._ray.exceptions.GetTimeoutError:
                what = f"{workers.threads} CPUs" + (" and a GPU" if workers.gpus else "")
                raise BertlineError(
                    f"--engine ray: no machine had {what} free for {_FREE_SECONDS:.0f} s; wait for the other work that "
                    "ray status shows, or give fewer --threads"
                ) from None

    def each(self, work: Any, items: Sequence[Any]) -> Generator[Any]:
        return self._mapped(items, work, num_cpus=1)

    def score(self, scorer: Any, arguments: tuple[Any, ...], items: Sequence[Any], workers: Workers) -> Generator[Any]:
        # One part at a time to each: what waits in front of one worker, another that is idle does not get.
        pool = self._ray.data.ActorPoolStrategy(size=min(workers.count, len(items)), max_tasks_in_flight_per_actor=1)
        return self._mapped(
            items,
            scorer,
            fn_constructor_args=(*arguments, open_ledger(self._ray)),
            compute=pool,
            num_cpus=workers.threads,
            num_gpus=workers.gpus,
        )

    def _mapped(self, items: Sequence[Any], work: Any, **how: Any) -> Generator[Any]:
        """Ray Data restarts workers, and gives what they had to others, as often as need be."""
        blocks = [{"item": pickle.dumps(item)} for item in items]
        data = self._ray.data.from_items(blocks, override_num_blocks=len(blocks))
        data = data.map_batches(work, batch_size=1, batch_format="numpy", **how)
        with _one_line(self._ray):
            for row in data.iter_rows():
                yield checked(pickle.loads(row["answer"]))


def checked(answer: Any) -> Any:
    """The answer, unless it is what is at fault, which is raised."""
    if isinstance(answer, Fault):
        raise answer.error()
    return answer


@contextmanager
def _one_line(ray: Any) -> Generator[None]:
    """Ray's own errors, which are pages of traceback, as one line."""
    try:
        yield
    except ray.exceptions.RayError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        said = " ".join((lines or ["it says no more"])[-1].split())[:300]
        raise BertlineError(
            f"--engine ray: {type(error).__name__} ({said}); --debug shows all of it, and ray status the cluster"
        ) from error
