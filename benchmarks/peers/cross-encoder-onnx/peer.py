"""Sentence-Transformers' CrossEncoder with its ONNX backend, which is optimum-onnx: its own export, fp32."""

import torch
from onnxruntime import SessionOptions
from sentence_transformers import CrossEncoder

PACKAGES = ("sentence-transformers", "optimum-onnx", "onnxruntime", "transformers", "torch")


class SingleTexts(CrossEncoder):
    """Its `predict` takes pairs only, and would take a list of texts for one pair; the rest of it does single texts."""

    def is_singular_input(self, inputs):
        return False


def open_model(request, folder, **how):
    options = SessionOptions()
    options.intra_op_num_threads = request["threads"]
    how |= {"provider": "CPUExecutionProvider", "session_options": options}
    return SingleTexts(folder, device="cpu", max_length=request["max_length"], backend="onnx", model_kwargs=how)


def prepare(request):
    """Export the model."""
    open_model(request, request["model"], export=True).save_pretrained(request["folder"])


def load(request):
    torch.set_num_threads(request["threads"])
    model = open_model(request, request["folder"], file_name="onnx/model.onnx")

    def score(texts):
        identity = torch.nn.Identity()
        return model.predict(
            texts, batch_size=request["batch_rows"], activation_fn=identity, show_progress_bar=False
        ).tolist()

    return score
