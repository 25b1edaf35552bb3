"""The execution providers of ONNX Runtime that bundles run on, and the words `--provider` has for those of the CPU."""

CPU_PROVIDER = "CPUExecutionProvider"
OPENVINO_PROVIDER = "OpenVINOExecutionProvider"
CUDA_PROVIDER = "CUDAExecutionProvider"

ON_CPU = {"cpu": CPU_PROVIDER, "openvino": OPENVINO_PROVIDER}
