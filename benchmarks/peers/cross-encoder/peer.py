"""Sentence-Transformers' CrossEncoder in PyTorch.

Its `predict` takes pairs only; single texts go to what it calls next, which sorts them by length and makes the batches.
"""

import torch
from sentence_transformers import CrossEncoder

PACKAGES = ("sentence-transformers", "transformers", "torch")


def load(request):
    torch.set_num_threads(request["threads"])
    model = CrossEncoder(request["model"], device="cpu", max_length=request["max_length"])

    @torch.inference_mode()
    def score(texts):
        return model._inference(
            texts,
            prompt=None,
            batch_size=request["batch_rows"],
            show_progress_bar=False,
            activation_fn=torch.nn.Identity(),
            apply_softmax=False,
        ).tolist()

    return score
