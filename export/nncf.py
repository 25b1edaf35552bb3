"""NNCF's post-training quantization, quiet: no log, no progress bars, no telemetry, no files."""

import io
import logging
import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from bertline.errors import VerificationError

_TELEMETRY = "openvino_telemetry"
Feeds = Mapping[str, NDArray[np.int64]]


def require_nncf() -> None:
    """ModuleNotFoundError, which the command line explains, where nncf is not installed."""
    _quiet_import()


def smooth_quantized(
    model: onnx.ModelProto, rows: Sequence[Feeds], nodes: frozenset[str], alpha: float
) -> onnx.ModelProto:
    """A copy in which the matrix products `nodes` read int8: QuantizeLinear, DequantizeLinear, MatMul.

    rows: one text each, by input name, int64 (1, tokens). alpha: of SmoothQuant (Xiao et al. 2023), 0…1, how much of
    the activations' spread moves into the weights. Weights are int8, symmetric, one scale for each output channel;
    activations one scale a tensor, with a zero point, from the mean of the rows' smallest and largest values. Raises
    VerificationError for a graph that NNCF cannot take.
    """
    nncf = _quiet_import()
    advanced = import_module("nncf.quantization.advanced_parameters")
    others = [node.name for node in model.graph.node if node.name not in nodes]
    parameters = advanced.AdvancedQuantizationParameters(
        disable_bias_correction=True,  # a layer that is taken back to fp32 must find its bias as it was
        smooth_quant_alphas=advanced.AdvancedSmoothQuantParameters(matmul=alpha),
    )
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            quantized: onnx.ModelProto = nncf.quantize(
                model,
                nncf.Dataset(rows),
                subset_size=len(rows),
                model_type=nncf.ModelType.TRANSFORMER,
                ignored_scope=nncf.IgnoredScope(names=others),
                advanced_parameters=parameters,
            )
        except Exception as error:  # nncf's exceptions share no base class
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise VerificationError(f"nncf cannot quantize its graph ({reason}); use --variants quantized") from None
    return quantized


def _quiet_import() -> Any:
    with _without_telemetry():
        nncf = import_module("nncf")
    nncf.set_log_level(logging.CRITICAL)
    return nncf


@contextmanager
def _without_telemetry() -> Any:
    """NNCF, imported within the block, finds no telemetry: that would write to the home folder and call home."""
    if "nncf" in sys.modules:
        yield
        return
    before = sys.modules.get(_TELEMETRY)
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # Python's own way to say that it is not there
    try:
        yield
    finally:
        del sys.modules[_TELEMETRY]
        if before is not None:
            sys.modules[_TELEMETRY] = before
