"""Sentence-Transformers' CrossEncoder with its OpenVINO backend, which is optimum-intel: its own export."""

import torch
from sentence_transformers import CrossEncoder

PACKAGES = ("sentence-transformers", "optimum-intel", "openvino", "transformers", "torch")


class SingleTexts(CrossEncoder):
    """Its `predict` takes pairs only, and would take a list of texts for one pair; the rest of it does single texts."""

    def is_singular_input(self, inputs):
        return False


def open_model(request, folder, **how):
    how |= {"ov_config": {"INFERENCE_NUM_THREADS": request["threads"]}}
    return SingleTexts(folder, device="cpu", max_length=request["max_length"], backend="openvino", model_kwargs=how)


def prepare(request):
    """Export the model."""
    open_model(request, request["model"], export=True).save_pretrained(request["folder"])


def load(request):
    torch.set_num_threads(request["threads"])
    model = open_model(request, request["folder"], file_name="openvino/openvino_model.xml")

    def score(texts):
        identity = torch.nn.Identity()
        return model.predict(
            texts, batch_size=request["batch_rows"], activation_fn=identity, show_progress_bar=False
        ).tolist()

    return score
