"""Rows of tokens laid end to end, with offsets in place of padding: what a packed graph takes."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bertline.errors import BertlineError
from infer.batching import Lengths
from infer.encode import Encoded

PACKED = "packed"  # the manifest's word for the layout
Feeds: TypeAlias = dict[str, NDArray[np.int32]]
_STEPS = 8  # sizes in an octave: at most an eighth of a batch is spare, and of a full one next to nothing
_LONGEST_STEP = 16  # tokens; attention works in tiles that are no smaller


@dataclass(frozen=True)
class Shape:
    """The sizes of a packed batch. They repeat from batch to batch only where some room is left over."""

    tokens: int
    rows: int
    longest: int  # tokens of a row

    @classmethod
    def of(cls, lengths: Lengths) -> "Shape":
        """The sizes without any room."""
        return cls(int(lengths.sum()), len(lengths), int(lengths.max(initial=0)))

    def rounded(self, budget_tokens: int) -> "Shape":
        """The next sizes of a coarse scale, with a token to spare and, where they fit, at most the budget's tokens."""
        longest = -(-self.longest // _LONGEST_STEP) * _LONGEST_STEP
        tokens = max(self.tokens + 1, min(_round_up(self.tokens + 1), budget_tokens))
        return Shape(tokens, max(_round_up(self.rows), -(-tokens // longest)), longest)


def plan_packed(lengths: Lengths, budget_tokens: int) -> list[NDArray[np.int64]]:
    """Which rows run together: longest first, fewer tokens a batch than `budget_tokens`, so that one is to spare.

    `lengths` is (rows,) tokens. Lengths are mixed, since nothing is padded; in order of length, because attention takes
    a batch's longest row for all. A row that is longer makes a batch of its own. Returns arrays of row indices that
    cover every row exactly once.
    """
    order = np.argsort(-lengths, kind="stable")
    ends = np.cumsum(lengths[order])
    batches, start, done = [], 0, 0
    while start < len(order):
        stop = max(start + 1, int(np.searchsorted(ends, done + budget_tokens, "left")))
        batches.append(order[start:stop])
        start, done = stop, int(ends[stop - 1])
    return batches


def pack(encoded: Encoded, rows: NDArray[np.int64], first_position: int, shape: Shape | None = None) -> Feeds:
    """Those rows, in that order, as one batch without padding; all arrays are int32.

    input_ids, token_type_ids and position_ids are (1, tokens), cu_seqlens (batch + 1,) says where each row begins and
    the last ends. token_offset (batch, longest) holds the places of all tokens in a padded batch, one after the other,
    then those of the padding, as ONNX Runtime's RemovePadding defines it. `first_position` is the manifest's: the
    position of a row's first token. Where it is not 0, positions count from the padding id on, which is the one
    before, and a token of that id stands at it and is not counted (transformers,
    modeling_roberta.create_position_ids_from_input_ids). A larger `shape` leaves room: rows of no tokens at the end,
    and tokens that no row has; there must be such a token where there are such rows, for they begin there. Raises
    BertlineError for a row without tokens.
    """
    lengths = encoded.lengths[rows]
    if not lengths.all():
        raise BertlineError(
            "a text has no token, not even a marker, and a packed graph cannot score it; export the model again with "
            "a tokenizer that adds markers, or use --variant fp32"
        )
    shape = shape or Shape.of(lengths)
    ends = np.cumsum(lengths)
    tokens = int(ends[-1]) if len(ends) else 0
    place = np.arange(tokens) - np.repeat(ends - lengths, lengths)  # (tokens,) within its row
    flat = np.repeat(encoded.starts[rows], lengths) + place
    ids = encoded.ids[flat]
    positions = place if first_position == 0 else _counted(ids, ends - lengths, lengths, first_position - 1)
    real = np.zeros((shape.rows, shape.longest), bool)
    real[: len(lengths)] = np.arange(shape.longest) < lengths[:, None]
    offsets = np.arange(real.size).reshape(real.shape)
    bounds = np.full(shape.rows + 1, tokens)
    bounds[0], bounds[1 : len(ends) + 1] = 0, ends
    spare = np.zeros(shape.tokens - tokens, np.int32)
    return {
        "input_ids": np.append(ids, spare)[None].astype(np.int32),
        "token_type_ids": np.append(encoded.types[flat], spare)[None].astype(np.int32),
        "position_ids": np.append(positions, spare)[None].astype(np.int32),
        "token_offset": np.concatenate([offsets[real], offsets[~real]]).reshape(real.shape).astype(np.int32),
        "cu_seqlens": bounds.astype(np.int32),
    }


def _round_up(size: int) -> int:
    step = max(1, (1 << size.bit_length() - 1) // _STEPS)
    return -(-size // step) * step


def _counted(
    ids: NDArray[np.int32], starts: NDArray[np.int64], lengths: NDArray[np.int64], pad_id: int
) -> NDArray[np.int64]:
    """(tokens,) the padding id, plus how many tokens of other ids a row has up to each."""
    counts = ids != pad_id
    running = np.cumsum(counts)
    before = running[starts] - counts[starts]  # of all rows further up
    return np.where(counts, running - np.repeat(before, lengths), 0) + pad_id
