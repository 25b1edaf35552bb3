"""optimum-intel: its own export to OpenVINO, and transformers' pipeline on an OVModel, in OpenVINO's own precision."""

from optimum.intel import OVModelForSequenceClassification
from pipeline_logits import scoring
from transformers import pipeline

PACKAGES = ("optimum-intel", "optimum", "openvino", "transformers", "torch")


def prepare(request):
    """Export the model."""
    model = OVModelForSequenceClassification.from_pretrained(request["model"], export=True, compile=False)
    model.save_pretrained(request["folder"])


def load(request):
    model = OVModelForSequenceClassification.from_pretrained(
        request["folder"], device="cpu", ov_config={"INFERENCE_NUM_THREADS": request["threads"]}
    )
    return scoring(pipeline, model, request)
