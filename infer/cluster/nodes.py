"""The machines of a cluster: what they have, and whether they have what the driver has."""

import importlib.metadata
import socket
from pathlib import Path
from typing import Any

from bertline.bundle import MANIFEST, Bundle
from bertline.errors import BertlineError
from infer.cluster.workers import Node

PACKAGES = ("bertline", "onnxruntime", "onnxruntime-gpu", "tokenizers", "numpy")
_PATIENCE_SECONDS = 120.0  # for machines that have to start a first worker


def nodes_of(ray: Any) -> list[Node]:
    """The machines that are alive."""
    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return [Node(int(has.get("CPU", 0)), int(has.get("GPU", 0))) for has in alive]


def check_nodes(ray: Any, bundle: Bundle) -> None:
    """BertlineError where a machine lacks the bundle, or has another, or other versions of what scores."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    alive = [node["NodeID"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    if len(alive) == 1 and alive[0] == ray.get_runtime_context().get_node_id():
        return  # this one
    # By value: a machine may have another bertline than this one, or none.
    ray.cloudpickle.register_pickle_by_value(importlib.import_module(__name__))
    there = ray.remote(what_is_there)
    asked = [
        there.options(num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote(
            str(bundle.path.absolute())
        )
        for node in alive
    ]
    mine = what_is_there(str(bundle.path.absolute()))
    for found in ray.get(asked, timeout=_PATIENCE_SECONDS):
        host = found["host"]
        if found["bundle"] is None:
            raise BertlineError(
                f"node {host}: {bundle.path.absolute()} is not there; put the bundle on every machine at the same path"
            )
        if found["bundle"] != mine["bundle"]:
            raise BertlineError(f"node {host}: {bundle.path.absolute()} is another bundle; copy the driver's there")
        for package, version in mine["versions"].items():
            other = found["versions"][package]
            if other != version:
                has = f"has {package} {other}" if other else f"has no {package}"
                raise BertlineError(
                    f"node {host}: {has} where the driver has {version or 'none'}; there, "
                    f"pip install '{package}=={version}'"
                )


def what_is_there(bundle: str) -> dict[str, Any]:
    """Of this machine: its name, the bundle's hash, versions of packages; None for what it has not."""
    import hashlib

    manifest = Path(bundle) / MANIFEST
    versions: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    sha256 = hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else None
    return {"host": socket.gethostname(), "bundle": sha256, "versions": versions}
