"""Versions of all that scoring rests on, for reports, manifests and journals."""

import platform
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import onnxruntime
import tokenizers

import bertline

_OPTIONAL = ("onnxruntime-gpu", "onnxruntime-ep-openvino", "pyarrow", "backports.zstd")


def runtime_versions() -> dict[str, str]:
    """Name to version, of optional packages only where they are installed."""
    return {
        "bertline": bertline.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "onnxruntime": onnxruntime.__version__,
        "tokenizers": tokenizers.__version__,
    } | {name: found for name in _OPTIONAL if (found := installed(name))}


def installed(name: str) -> str | None:
    """The package's version, or None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
