"""Text to token ids, with the bundle's own `tokenizer.json`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from bertline.errors import BertlineError

Ids = list[list[int]]
Text = str | tuple[str, str]  # what is scored: one text, or a pair


@dataclass(frozen=True)
class Encoded:
    """Token ids of a list of texts, special tokens included, unpadded, cut to the maximum."""

    input_ids: Ids
    token_type_ids: Ids
    lengths: NDArray[np.int64]  # (rows,) tokens
    truncated: NDArray[np.bool_]  # (rows,) whether the text was longer and is cut


class Encoder:
    """A tokenizer that truncates to `max_length` tokens, keeps the final separator, and never pads."""

    def __init__(self, tokenizer_json: Path, max_length: int) -> None:
        try:
            self._tokenizer = Tokenizer.from_file(str(tokenizer_json))
        except Exception as error:  # the library raises plain Exception for every fault of the file
            raise BertlineError(f"{tokenizer_json}: not a tokenizer ({error}); export the model again") from None
        self.max_length = max_length
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length)  # longest first where there are two texts, as in transformers

    def markers(self, texts: int) -> int:
        """Special tokens around one text, or around a pair."""
        return self._tokenizer.num_special_tokens_to_add(texts == 2)

    def encode(self, rows: Sequence[Text]) -> Encoded:
        """Token ids of each text, or pair of texts."""
        encodings = self._tokenizer.encode_batch_fast(list(rows))
        input_ids = [encoding.ids for encoding in encodings]
        return Encoded(
            input_ids,
            [encoding.type_ids for encoding in encodings],
            np.fromiter(map(len, input_ids), np.int64, len(input_ids)),
            np.fromiter(
                (len(e.ids) >= self.max_length and bool(e.overflowing) for e in encodings), bool, len(encodings)
            ),
        )
