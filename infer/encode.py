"""Text to token ids, with the bundle's own `tokenizer.json`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from bertline.errors import BertlineError

Ids = list[list[int]]
Text = str | tuple[str, str]  # what is scored: one text, or a pair


@dataclass(frozen=True)
class Encoded:
    """Token ids of a list of texts, special tokens included, unpadded, cut to the maximum, laid end to end."""

    ids: NDArray[np.int32]  # (tokens,)
    types: NDArray[np.int32]  # (tokens,) 0 in the first text, 1 in the second
    lengths: NDArray[np.int64]  # (rows,) tokens
    truncated: NDArray[np.bool_]  # (rows,) whether the text was longer and is cut

    @classmethod
    def from_rows(
        cls, input_ids: Sequence[Sequence[int]], types: Sequence[Sequence[int]], truncated: NDArray[np.bool_]
    ) -> "Encoded":
        """From one list of token ids, and one of token types, for each text."""
        lengths = np.fromiter(map(len, input_ids), np.int64, len(input_ids))
        tokens = int(lengths.sum())
        flat_ids = np.fromiter(chain.from_iterable(input_ids), np.int32, tokens)
        return cls(flat_ids, np.fromiter(chain.from_iterable(types), np.int32, tokens), lengths, truncated)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """(rows,) where each text begins in `ids`."""
        return np.cumsum(self.lengths) - self.lengths

    @property
    def input_ids(self) -> Ids:
        """Token ids, a list for each text."""
        return self._rows(self.ids)

    @property
    def token_type_ids(self) -> Ids:
        """Token types, a list for each text."""
        return self._rows(self.types)

    def padded(self, rows: NDArray[np.int64], pad_id: int, room: int = 0) -> dict[str, NDArray[np.int64]]:
        """Those texts as one batch: input_ids, attention_mask, token_type_ids, each (rows, longest + room) int64."""
        lengths = self.lengths[rows]
        place = np.arange(int(lengths.max(initial=0)) + room)
        real = place < lengths[:, None]
        flat = np.where(real, self.starts[rows][:, None] + place, 0)
        return {
            "input_ids": np.where(real, self.ids[flat], pad_id).astype(np.int64),
            "attention_mask": real.astype(np.int64),
            "token_type_ids": np.where(real, self.types[flat], 0).astype(np.int64),
        }

    def _rows(self, flat: NDArray[np.int32]) -> Ids:
        return [part.tolist() for part in np.split(flat, self.starts[1:])] if len(self.lengths) else []


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
        truncated = [
            len(ids) >= self.max_length and bool(e.overflowing) for ids, e in zip(input_ids, encodings, strict=True)
        ]
        return Encoded.from_rows(input_ids, [encoding.type_ids for encoding in encodings], np.array(truncated, bool))
