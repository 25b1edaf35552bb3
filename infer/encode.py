"""Text to token ids, with the bundle's own `tokenizer.json`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, zip_longest
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from bertline.errors import BertlineError
from infer.stages import ahead

Ids = list[list[int]]
Text = str | tuple[str, str]  # what is scored: one text, or a pair
# Tokenized by one call: enough for all cores, and fewer than the 700 objects after which Python looks for cycles, also
# with two calls at once.
CALL_ROWS = 256
CALLERS = 2  # threads that call: while one takes the ids out, which holds up all Python, the cores work for the other
_IDS, _TYPE_IDS = attrgetter("ids"), attrgetter("type_ids")


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
        last = self._tokenizer.post_processor
        self._all_first = _is_all_first(json.loads(last.__getstate__()) if last else None)

    def markers(self, texts: int) -> int:
        """Special tokens around one text, or around a pair."""
        return self._tokenizer.num_special_tokens_to_add(texts == 2)

    def token(self, token_id: int) -> str | None:
        """The token of an id; None where the tokenizer has no such id."""
        token: str | None = self._tokenizer.id_to_token(token_id) if 0 <= token_id < 2**32 else None
        return token

    def encode(self, rows: Sequence[Text]) -> Encoded:
        """Token ids of each text, or pair of texts."""
        calls = [rows[start : start + CALL_ROWS] for start in range(0, len(rows) or 1, CALL_ROWS)]
        if len(calls) == 1:
            return self._encode(rows)
        threads = [ahead(map(self._encode, calls[first::CALLERS])) for first in range(CALLERS)]
        parts = [part for turn in zip_longest(*threads) for part in turn if part is not None]
        return Encoded(
            np.concatenate([part.ids for part in parts]),
            np.concatenate([part.types for part in parts]),
            np.concatenate([part.lengths for part in parts]),
            np.concatenate([part.truncated for part in parts]),
        )

    def _encode(self, rows: Sequence[Text]) -> Encoded:
        encodings = self._tokenizer.encode_batch_fast(list(rows))
        lengths = np.fromiter(map(len, encodings), np.int64, len(rows))
        tokens = int(lengths.sum())
        ids = np.fromiter(chain.from_iterable(map(_IDS, encodings)), np.int32, tokens)
        if self._all_first and set(map(type, rows)) == {str}:
            types = np.zeros(tokens, np.int32)
        else:
            types = np.fromiter(chain.from_iterable(map(_TYPE_IDS, encodings)), np.int32, tokens)
        truncated = lengths >= self.max_length
        for row in np.flatnonzero(truncated).tolist():
            truncated[row] = bool(encodings[row].overflowing)
        return Encoded(ids, types, lengths, truncated)


def _is_all_first(step: Any) -> bool:
    """Whether all tokens of a single text are of type 0, markers included, by the tokenizer's last step, or None.

    A step that is not known might give it other types.
    """
    match step:
        case None | {"type": "BertProcessing" | "RobertaProcessing" | "ByteLevel"}:
            return True
        case {"type": "TemplateProcessing", "single": pieces}:
            return all(of["type_id"] == 0 for piece in pieces for of in piece.values())
        case {"type": "Sequence", "processors": steps}:
            return all(map(_is_all_first, steps))
    return False
