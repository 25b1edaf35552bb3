"""Sentence-Transformers' CrossEncoder with its OpenVINO backend, which is optimum-intel: its own export."""

from single_texts import SingleTexts, scoring

PACKAGES = ("sentence-transformers", "optimum-intel", "openvino", "transformers", "torch")


def open_model(request, folder, **how):
    how |= {"ov_config": {"INFERENCE_NUM_THREADS": request["threads"]}}
    return SingleTexts(folder, device="cpu", max_length=request["max_length"], backend="openvino", model_kwargs=how)


def prepare(request):
    """Export the model."""
    open_model(request, request["model"], export=True).save_pretrained(request["folder"])


def load(request):
    model = open_model(request, request["folder"], file_name="openvino/openvino_model.xml")
    return scoring(model, request)
