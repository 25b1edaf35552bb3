"""How many workers fit, and what each has."""

import pytest

from bertline.errors import BertlineError
from infer.cluster.workers import Node, Workers, plan_workers


@pytest.mark.parametrize(
    ("nodes", "wanted", "threads", "gpus", "planned"),
    [
        ([Node(2, 0)], None, None, False, Workers(1, 2, 0)),
        ([Node(2, 0)], 2, None, False, Workers(2, 1, 0)),
        ([Node(2, 0)], 1, 1, False, Workers(1, 1, 0)),
        ([Node(16, 0), Node(6, 0)], None, None, False, Workers(5, 4, 0)),
        ([Node(16, 0), Node(6, 0)], 6, None, False, Workers(6, 3, 0)),
        ([Node(16, 0), Node(2, 0)], None, None, False, Workers(9, 2, 0)),
        ([Node(16, 0)], None, 8, False, Workers(2, 8, 0)),
        ([Node(32, 8), Node(4, 0)], None, None, True, Workers(8, 4, 1)),
        ([Node(32, 8)], 3, None, True, Workers(3, 4, 1)),
        ([Node(4, 8)], None, None, True, Workers(4, 1, 1)),
    ],
)
def test_as_many_as_fit(
    nodes: list[Node], wanted: int | None, threads: int | None, gpus: bool, planned: Workers
) -> None:
    assert plan_workers(nodes, wanted=wanted, threads=threads, gpus=gpus) == planned


@pytest.mark.parametrize(
    ("wanted", "threads", "gpus", "told"),
    [
        (
            5,
            None,
            False,
            r"--workers 5: the cluster has room for 3 with a CPU each \(it has 3 CPUs\); give --workers 3",
        ),
        (2, 2, False, r"room for 1 with 2 CPUs each"),
        (None, 4, False, r"room for 0 with 4 CPUs each .* give fewer --threads"),
        (2, None, True, r"room for 1 with a GPU and 1 CPUs each \(it has 1 CPUs and 1 GPUs\)"),
    ],
)
def test_more_than_fit(wanted: int | None, threads: int | None, gpus: bool, told: str) -> None:
    with pytest.raises(BertlineError, match=told):
        plan_workers([Node(2, 0), Node(1, 1)], wanted=wanted, threads=threads, gpus=gpus)


def test_a_cluster_of_none() -> None:
    with pytest.raises(BertlineError, match="room for 0"):
        plan_workers([], wanted=None, threads=None, gpus=False)
