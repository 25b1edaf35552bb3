"""Sentence-Transformers' CrossEncoder on single texts, whatever its backend."""

import torch
from sentence_transformers import CrossEncoder


class SingleTexts(CrossEncoder):
    """Its `predict` takes pairs only, and would take a list of texts for one pair; the rest of it does single texts."""

    def is_singular_input(self, inputs):
        return False


def scoring(model, request):
    """Texts in, logits out, by a model that is loaded."""
    torch.set_num_threads(request["threads"])

    def score(texts):
        identity = torch.nn.Identity()
        return model.predict(
            texts, batch_size=request["batch_rows"], activation_fn=identity, show_progress_bar=False
        ).tolist()

    return score
