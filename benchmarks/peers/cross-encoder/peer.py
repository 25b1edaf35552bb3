"""Sentence-Transformers' CrossEncoder in PyTorch, which sorts texts by length."""

from single_texts import SingleTexts, scoring

PACKAGES = ("sentence-transformers", "transformers", "torch")


def load(request):
    model = SingleTexts(request["model"], device="cpu", max_length=request["max_length"])
    return scoring(model, request)
