"""Whether a machine has what the driver has. It is sent by value, so it rests on nothing of bertline's."""

import importlib.metadata
from pathlib import Path
from typing import Any

from bertline.bundle import MANIFEST
from bertline.errors import BertlineError

PACKAGES = ("bertline", "onnxruntime", "onnxruntime-gpu", "tokenizers", "numpy")


def what_is_there(bundle: str) -> dict[str, Any]:
    """Of this machine: its name, the bundle's hash, versions of packages; None for what it has not."""
    import hashlib
    import socket

    manifest = Path(bundle) / MANIFEST
    versions: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    sha256 = hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else None
    return {"host": socket.gethostname(), "bundle": sha256, "versions": versions}


def check_node(there: dict[str, Any], here: dict[str, Any], bundle: str) -> None:
    """BertlineError where a machine differs from the driver's: which, in what, and the remedy."""
    host = there["host"]
    if there["bundle"] is None:
        raise BertlineError(f"node {host}: {bundle} is not there; put the bundle on every machine, at the same path")
    if there["bundle"] != here["bundle"]:
        raise BertlineError(f"node {host}: {bundle} is another bundle than the driver's; copy the driver's there")
    for package, version in here["versions"].items():
        if (other := there["versions"].get(package)) == version:
            continue
        has = f"has {package} {other}" if other else f"has no {package}"
        remedy = f"there, pip install '{package}=={version}'"
        if package.startswith("onnxruntime") and not (version and other):  # of the two, one would hide the other
            remedy = "install the same of bertline[cpu] and bertline[gpu] on every machine, the driver's included"
        raise BertlineError(f"node {host}: {has} where the driver has {version or 'none'}; {remedy}")
