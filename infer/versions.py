"""Versions of all that scoring rests on, for reports, manifests and journals."""

import platform

import numpy as np
import onnxruntime
import tokenizers

import bertline


def runtime_versions() -> dict[str, str]:
    """Name to version."""
    return {
        "bertline": bertline.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "onnxruntime": onnxruntime.__version__,
        "tokenizers": tokenizers.__version__,
    }
