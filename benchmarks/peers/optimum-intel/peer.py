"""optimum-intel: its own export to OpenVINO, and transformers' pipeline on an OVModel, in OpenVINO's own precision."""

from optimum.intel import OVModelForSequenceClassification
from transformers import AutoTokenizer, pipeline

PACKAGES = ("optimum-intel", "optimum", "openvino", "transformers", "torch")


def prepare(request):
    """Export the model."""
    model = OVModelForSequenceClassification.from_pretrained(request["model"], export=True, compile=False)
    model.save_pretrained(request["folder"])


def load(request):
    model = OVModelForSequenceClassification.from_pretrained(
        request["folder"], device="cpu", ov_config={"INFERENCE_NUM_THREADS": request["threads"]}
    )
    tokenizer = AutoTokenizer.from_pretrained(request["model"])
    run = pipeline("text-classification", model=model, tokenizer=tokenizer, batch_size=request["batch_rows"])
    names = [model.config.id2label[number] for number in range(len(model.config.id2label))]

    def score(texts):
        found = run(texts, top_k=None, function_to_apply="none", truncation=True, max_length=request["max_length"])
        by_name = [{entry["label"]: entry["score"] for entry in entries} for entries in found]
        return [[row[name] for name in names] for row in by_name]

    return score
