"""Sentence-Transformers' CrossEncoder with its ONNX backend, which is optimum-onnx: its own export, fp32."""

from onnxruntime import SessionOptions
from single_texts import SingleTexts, scoring

PACKAGES = ("sentence-transformers", "optimum-onnx", "onnxruntime", "transformers", "torch")


def open_model(request, folder, **how):
    options = SessionOptions()
    options.intra_op_num_threads = request["threads"]
    how |= {"provider": "CPUExecutionProvider", "session_options": options}
    return SingleTexts(folder, device="cpu", max_length=request["max_length"], backend="onnx", model_kwargs=how)


def prepare(request):
    """Export the model."""
    open_model(request, request["model"], export=True).save_pretrained(request["folder"])


def load(request):
    model = open_model(request, request["folder"], file_name="onnx/model.onnx")
    return scoring(model, request)
