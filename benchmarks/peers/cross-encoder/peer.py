"""Sentence-Transformers' CrossEncoder in PyTorch, which sorts texts by length."""

import torch
from sentence_transformers import CrossEncoder

PACKAGES = ("sentence-transformers", "transformers", "torch")


class SingleTexts(CrossEncoder):
    """Its `predict` takes pairs only, and would take a list of texts for one pair; the rest of it does single texts."""

    def is_singular_input(self, inputs):
        return False


def load(request):
    torch.set_num_threads(request["threads"])
    model = SingleTexts(request["model"], device="cpu", max_length=request["max_length"])

    def score(texts):
        identity = torch.nn.Identity()
        return model.predict(
            texts, batch_size=request["batch_rows"], activation_fn=identity, show_progress_bar=False
        ).tolist()

    return score
