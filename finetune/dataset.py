"""Examples as token ids, and the random split into training and validation."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from bertline.errors import BertlineError
from bertline.problems import Problem
from finetune.corpus import Example


class TokenizedExamples(torch.utils.data.Dataset[dict[str, Any]]):
    """Token ids and label of each example, unpadded, as the Trainer's collator takes them."""

    def __init__(self, features: list[dict[str, Any]]) -> None:
        self.features = features

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return self.features[row]


def tokenize(examples: Sequence[Example], tokenizer: Any, max_length: int, problem: Problem) -> TokenizedExamples:
    """Cut to `max_length` tokens, special ones included; of a pair, the longer text is cut first.

    `labels` are what the problem's loss takes: an id, a float for each label, or a float.
    """
    texts = [example.text for example in examples]
    pairs = [example.pair or "" for example in examples] if examples and examples[0].pair is not None else None
    encoding = tokenizer(texts, pairs, truncation=True, max_length=max_length)
    columns = {name: encoding[name] for name in encoding}
    true = problem.true([example.label for example in examples])
    columns["labels"] = (true if np.issubdtype(true.dtype, np.integer) else true.astype(np.float32)).tolist()
    return TokenizedExamples([{name: values[row] for name, values in columns.items()} for row in range(len(examples))])


def split(examples: Sequence[Example], validation_share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Training and validation rows, drawn at random; each keeps the file's order.

    A share that is no whole number of rows goes up to the next one, as in the notebook. Raises BertlineError where a
    share above 0 leaves either side empty.
    """
    if not validation_share:
        return list(examples), []
    rows = len(examples)
    validation_rows = math.ceil(round(rows * validation_share, 6))  # 0.7 × 10 is a little over 7
    if not 0 < validation_rows < rows:
        raise BertlineError(
            f"--validation-share {validation_share} of {rows} rows leaves {rows - validation_rows} to train on and "
            f"{validation_rows} to validate; give more rows or another share"
        )
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed)).tolist()
    validation = set(order[:validation_rows])
    return (
        [example for row, example in enumerate(examples) if row not in validation],
        [example for row, example in enumerate(examples) if row in validation],
    )
