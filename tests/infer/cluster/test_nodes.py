"""A Ray cluster of several nodes on this machine: the driver, workers and whole nodes are killed at random moments."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infer.cluster.session import import_ray
from tests.infer.cluster.undisturbed import PARTS, assert_same, finished, records, running, wait_for_parts

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

KILLS = 2  # of the driver, and of workers; each start of Ray takes seconds
SEED = 13


@pytest.fixture(scope="module")
def cluster() -> Iterator["Cluster"]:
    """The node of the driver, on which nothing is scored, and a node with a CPU; tests add others."""
    import_ray()
    from ray.cluster_utils import Cluster

    started = Cluster(True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    started.add_node(num_cpus=1)
    yield started
    started.shutdown()


def workers_of(node: Any) -> list[int]:
    """Processes on a node that score parts."""
    (raylet,) = node.all_processes["raylet"]
    found = []
    for folder in Path("/proc").iterdir():
        try:
            status, name = (folder / "stat").read_text(), (folder / "cmdline").read_bytes()
        except (OSError, NotADirectoryError):
            continue
        parent = int(status.rpartition(")")[2].split()[1])
        if parent == raylet.process.pid and name.startswith(b"ray::MapWorker"):
            found.append(int(folder.name))
    return found


def test_workers_and_a_node_are_killed(
    cluster: "Cluster", bundle: Path, big: Path, whole: Path, tmp_path: Path
) -> None:
    generator, folder = random.Random(SEED), tmp_path / "parts"
    stays = cluster.worker_nodes.copy().pop()
    goes = cluster.add_node(num_cpus=1)
    with running(bundle, big, folder, "--ray-address", cluster.address) as process:
        for _ in range(KILLS):
            wait_for_parts(folder, records(folder) + generator.randrange(2, 6), process)
            (worker,) = workers_of(stays) or [None]
            if worker:  # it may be starting again
                os.kill(worker, signal.SIGKILL)
        wait_for_parts(folder, records(folder) + generator.randrange(2, 6), process)
        assert process.poll() is None and records(folder) < PARTS
        cluster.remove_node(goes, allow_graceful=False)
        err = finished(process)
    assert "2 workers of 1 threads" in err
    assert "Traceback" not in err and "raylet" not in err
    assert_same(folder, whole)


def test_the_driver_is_killed_and_resumed(
    cluster: "Cluster", bundle: Path, big: Path, whole: Path, tmp_path: Path
) -> None:
    generator, folder, address = random.Random(SEED), tmp_path / "parts", ("--ray-address", cluster.address)
    for _ in range(KILLS):
        done = records(folder)
        with running(bundle, big, folder, "--resume", *address) as process:
            wait_for_parts(folder, done + generator.randrange(1, 6), process)
            time.sleep(generator.uniform(0, 0.2))
            assert process.poll() is None
            process.kill()
        assert not (folder / "manifest.json").exists()
    with running(bundle, big, folder, "--resume", *address) as process:
        assert "of these rows were done by the run before" in finished(process)
    assert_same(folder, whole)


def test_a_node_with_another_version(cluster: "Cluster", bundle: Path, big: Path, tmp_path: Path) -> None:
    facts = tmp_path / "bertline-0.0.1.dist-info" / "METADATA"
    facts.parent.mkdir()
    facts.write_text("Metadata-Version: 2.1\nName: bertline\nVersion: 0.0.1\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    other = cluster.add_node(num_cpus=1, env_vars={"PYTHONPATH": path})
    try:
        with running(bundle, big, tmp_path / "parts", "--ray-address", cluster.address) as process:
            _, err = process.communicate()
    finally:
        cluster.remove_node(other)
    assert process.returncode == 1
    assert "has bertline 0.0.1 where the driver has" in err and err.count("\n") == 1
    assert not (tmp_path / "parts").exists()
