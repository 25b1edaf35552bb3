"""PyTorch and the Hugging Face tokenizer: what every exported graph is measured against."""

import inspect
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bertline.errors import BertlineError, VerificationError
from bertline.model_folder import ModelFolder
from infer.batching import pad, plan_batches
from infer.encode import Encoded, Text

_BATCH_TOKENS = 2048
# What the code of transformers' families raises where settings, weights or a batch do not suit them.
_OF_MODELS = (ValueError, LookupError, RuntimeError, TypeError, AttributeError, AssertionError)


class Reference:
    """The trained classifier in PyTorch fp32 on the CPU, with the tokenizer it was trained with."""

    def __init__(self, folder: ModelFolder) -> None:
        """Load from safetensors, without remote code; BertlineError where weights of the classifier are missing.

        `sees_mask` says whether the model takes an attention mask.
        """
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        self.model, self.tokenizer = _load(folder.path, AutoModelForSequenceClassification, AutoTokenizer)
        self.model.eval()
        accepted = inspect.signature(self.model.forward).parameters
        self.sees_mask = "attention_mask" in accepted
        self.input_names = ["input_ids", "attention_mask"]
        if "token_type_ids" in accepted and "token_type_ids" in self.tokenizer.model_input_names:
            self.input_names.append("token_type_ids")

    def encode(self, rows: Sequence[Text], max_length: int) -> Encoded:
        """Token ids by the Hugging Face tokenizer, cut to `max_length` tokens."""
        pairs = None if not rows or isinstance(rows[0], str) else [row[1] for row in rows]
        texts = [row if isinstance(row, str) else row[0] for row in rows]
        encoding = self.tokenizer(
            texts,
            pairs,
            truncation=True,
            max_length=max_length,
            return_token_type_ids=True,
            return_attention_mask=False,
        )
        ids = encoding["input_ids"]
        return Encoded.from_rows(
            ids, encoding["token_type_ids"], np.array([len(row) >= max_length for row in ids], bool)
        )

    def logits(self, encoded: Encoded) -> NDArray[np.float32]:
        """Logits (rows, labels) float32, run in batches of nearly equal length."""
        ids, types = encoded.input_ids, encoded.token_type_ids
        result = np.empty((len(ids), self.model.config.num_labels), np.float32)
        for batch in plan_batches(encoded.lengths, _BATCH_TOKENS):
            result[batch] = self.run([ids[row] for row in batch], [types[row] for row in batch])
        return result

    def run(self, input_ids: Sequence[Sequence[int]], token_type_ids: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Logits (batch, labels) float32 of one padded batch; VerificationError where the model cannot run it."""
        arrays = {
            "input_ids": pad(input_ids, int(self.model.config.pad_token_id or 0)),
            "attention_mask": pad([[1] * len(row) for row in input_ids], 0),
            "token_type_ids": pad(token_type_ids, 0),
        }
        with torch.inference_mode():
            try:
                output = self.model(**{name: torch.from_numpy(arrays[name]) for name in self.input_names})
            except _OF_MODELS as error:
                shape, family = "×".join(map(str, arrays["input_ids"].shape)), self.model.config.model_type
                raise VerificationError(
                    f"PyTorch itself does not run the family {family!r} on a batch of {shape} tokens "
                    f"({_first_line(error)}); no bundle was written"
                ) from None
        logits: NDArray[np.float32] = output.logits.numpy()
        return logits


def _load(path: Path, models: Any, tokenizers: Any) -> tuple[Any, Any]:
    from safetensors import SafetensorError
    from transformers.utils import logging

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        model, loading = models.from_pretrained(
            path,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
        )
        tokenizer = tokenizers.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    except (OSError, *_OF_MODELS, ImportError, SafetensorError) as error:
        raise BertlineError(f"{path}: transformers cannot load it: {_first_line(error)}") from None
    if loading["missing_keys"]:
        missing = ", ".join(sorted(loading["missing_keys"])[:3])
        raise BertlineError(f"{path}: its weights lack {missing}; fine-tune it with bertline finetune")
    return model, tokenizer


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
