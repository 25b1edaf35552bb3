"""The model of a cluster: the slowest stage decides, rounds end with their slowest worker, nothing is free."""

from dataclasses import replace

import pytest

from benchmarks.scaling.model import Cluster, Costs, Overheads, predict, shared_limits, worker_limits

FREE = Overheads(0.0, 0.0, 0.0)
COSTS = Costs(read=1e-6, tokenize=10e-6, python=2e-6, session=989e-6, write=0.0, bytes_in=40, bytes_out=60, look=1e-6)
NODE = Cluster(nodes=1, cores=4, workers=2, threads=2, network=1e9, storage=1e9)


def test_on_cores_all_stages_share_them() -> None:
    limits = worker_limits(COSTS, NODE)
    assert limits["cores"] == pytest.approx(2 / 1e-3)  # two cores a worker, a millisecond a row
    assert limits["sessions"] == pytest.approx(2 / 989e-6)
    assert limits["tokenizers"] == pytest.approx(2 / 10e-6)
    assert limits["Python"] == pytest.approx(1 / 3e-6)
    found = predict(COSTS, FREE, NODE, 10**6, 1000)
    assert (found.rows_per_second, found.limit) == (pytest.approx(4000), "cores")


def test_a_worker_of_fewer_threads_than_cores_leaves_some_idle() -> None:
    alone = replace(NODE, workers=1, threads=1)
    found = predict(COSTS, FREE, alone, 10**6, 1000)
    assert (found.rows_per_second, found.limit) == (pytest.approx(1 / 989e-6), "sessions")


def test_a_device_takes_the_session_off_the_cores() -> None:
    slow, fast = replace(NODE, device_rows=50_000.0), replace(NODE, device_rows=1e9)
    assert predict(COSTS, FREE, slow, 10**6, 1000).limit == "devices"
    assert predict(COSTS, FREE, slow, 10**6, 1000).rows_per_second == pytest.approx(100_000)
    assert predict(COSTS, FREE, fast, 10**6, 1000).limit == "tokenizers"
    assert worker_limits(COSTS, fast)["tokenizers"] == pytest.approx(2 / 11e-6)  # reading and writing take their share
    reading = replace(COSTS, read=1e-3)
    assert predict(reading, FREE, fast, 10**6, 1000).limit == "Python"


def test_what_workers_share_limits_them_all() -> None:
    many = replace(NODE, nodes=1000)
    assert shared_limits(COSTS, Overheads(0, 0, 0.01), many, 1000) == {
        "network": pytest.approx(1000 * 1e9 / 100),
        "storage": pytest.approx(1e9 / 100),
        "driver": pytest.approx(1000 / 0.01),
    }
    assert predict(COSTS, FREE, replace(many, storage=1e6), 10**9, 1000).limit == "storage"
    assert predict(COSTS, FREE, replace(many, network=100.0), 10**9, 1000).limit == "network"
    driver = predict(COSTS, Overheads(0, 0, 0.01), many, 10**9, 1000)
    assert (driver.limit, driver.rows_per_second) == ("driver", pytest.approx(1e5))


def test_the_last_round_is_as_long_as_the_others() -> None:
    three = predict(COSTS, FREE, NODE, 3000, 1000)  # two workers, three parts
    four = predict(COSTS, FREE, NODE, 4000, 1000)
    assert three.seconds - 3000 * 1e-6 / 4 == pytest.approx(four.seconds - 4000 * 1e-6 / 4) == pytest.approx(1.0)


def test_each_part_and_the_start_cost_what_they_cost() -> None:
    free, dear = (predict(COSTS, overheads, NODE, 4000, 1000) for overheads in (FREE, Overheads(10.0, 0.25, 0.0)))
    assert dear.seconds - free.seconds == pytest.approx(10 + 2 * 0.25)
    assert dear.rows_per_second == pytest.approx(4000 / (4000 / free.rows_per_second + 0.5))


def test_the_look_waits_for_cores_or_for_bytes() -> None:
    quick = predict(COSTS, FREE, replace(NODE, network=1e12, storage=1e12), 10**6, 1000)
    assert quick.seconds == pytest.approx(10**6 / 4000 + 10**6 * 1e-6 / 4)
    slow = predict(COSTS, FREE, replace(NODE, storage=4e6), 10**6, 1000)
    assert slow.seconds == pytest.approx(10**6 / 4000 + 10**6 * 40 / 4e6)


def test_no_cluster_is_faster_than_any_of_its_limits() -> None:
    for nodes in (1, 7, 500):
        for device in (None, 1e4, 1e6):
            cluster = replace(NODE, nodes=nodes, device_rows=device)
            overheads = Overheads(5.0, 0.1, 0.01)
            found = predict(COSTS, overheads, cluster, 10**8, 5000)
            workers = nodes * cluster.workers
            limits = [limit * workers for limit in worker_limits(COSTS, cluster).values()]
            assert found.rows_per_second <= min([*limits, *shared_limits(COSTS, overheads, cluster, 5000).values()])
