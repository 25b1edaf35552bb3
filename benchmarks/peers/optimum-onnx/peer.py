"""optimum-onnx: its own export, transformers' pipeline on an ORTModel; fp32, optimized (O3), dynamic int8, a bundle."""

import platform
from pathlib import Path

from onnxruntime import SessionOptions
from optimum.onnxruntime import ORTModelForSequenceClassification, ORTOptimizer, ORTQuantizer, pipeline
from optimum.onnxruntime.configuration import AutoOptimizationConfig, AutoQuantizationConfig
from pipeline_logits import scoring

PACKAGES = ("optimum-onnx", "optimum", "onnxruntime", "transformers", "torch")
FILES = {"fp32": "model.onnx", "O3": "model_optimized.onnx", "int8": "model_quantized.onnx", "bundle": "model.onnx"}


def prepare(request):
    """Export the model, and optimize or quantize it where asked to."""
    way, folder = request["way"], request["folder"]
    model = ORTModelForSequenceClassification.from_pretrained(request["model"], export=True)
    model.save_pretrained(folder)
    if way == "O3":
        optimizer = ORTOptimizer.from_pretrained(folder)
        optimizer.optimize(save_dir=folder, optimization_config=AutoOptimizationConfig.O3())
    if way == "int8":
        quantizer = ORTQuantizer.from_pretrained(folder, file_name=FILES["fp32"])
        quantizer.quantize(save_dir=folder, quantization_config=int8_for_this_cpu())


def int8_for_this_cpu():
    """What its users choose by hand."""
    kind = "avx2"
    if platform.machine() in ("arm64", "aarch64"):
        kind = "arm64"
    elif "avx512_vnni" in (Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""):
        kind = "avx512_vnni"
    return getattr(AutoQuantizationConfig, kind)(is_static=False, per_channel=False)


def load(request):
    way = request["way"]
    options = SessionOptions()
    options.intra_op_num_threads = request["threads"]
    model = ORTModelForSequenceClassification.from_pretrained(
        request["bundle"] if way == "bundle" else request["folder"],
        file_name=FILES[way],
        subfolder="onnx" if way == "bundle" else "",
        session_options=options,
        provider="CPUExecutionProvider",
    )
    return scoring(pipeline, model, request)
