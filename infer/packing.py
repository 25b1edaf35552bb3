"""Rows of tokens laid end to end, with offsets in place of padding: what a packed graph takes."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bertline.errors import BertlineError
from infer.encode import Encoded

PACKED = "packed"  # the manifest's word for the layout
Feeds: TypeAlias = dict[str, NDArray[np.int32]]


def pack(encoded: Encoded, rows: NDArray[np.int64], first_position: int) -> Feeds:
    """Those rows, in that order, as one batch without padding; all arrays are int32.

    input_ids, token_type_ids and position_ids are (1, tokens), cu_seqlens (batch + 1,) says where each row begins and
    the last ends. token_offset (batch, longest) holds the places of all tokens in a padded batch, one after the other,
    then those of the padding, as ONNX Runtime's RemovePadding defines it. `first_position` is the manifest's: the
    position of a row's first token. Where it is not 0, positions count from the padding id on, which is the one
    before, and a token of that id stands at it and is not counted (transformers,
    modeling_roberta.create_position_ids_from_input_ids). Raises BertlineError for a row without tokens.
    """
    lengths = encoded.lengths[rows]
    if not lengths.all():
        raise BertlineError(
            "a text has no token, not even a marker, and a packed graph cannot score it; export the model again with "
            "a tokenizer that adds markers, or use --variant fp32"
        )
    ends = np.cumsum(lengths)
    place = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)  # (tokens,) within its row
    flat = np.repeat(encoded.starts[rows], lengths) + place
    ids = encoded.ids[flat]
    positions = place if first_position == 0 else _counted(ids, ends - lengths, lengths, first_position - 1)
    real = np.arange(int(lengths.max(initial=0))) < lengths[:, None]  # (batch, longest)
    offsets = np.arange(real.size).reshape(real.shape)
    return {
        "input_ids": ids[None].astype(np.int32),
        "token_type_ids": encoded.types[flat][None].astype(np.int32),
        "position_ids": positions[None].astype(np.int32),
        "token_offset": np.concatenate([offsets[real], offsets[~real]]).reshape(real.shape).astype(np.int32),
        "cu_seqlens": np.append(0, ends).astype(np.int32),
    }


def _counted(
    ids: NDArray[np.int32], starts: NDArray[np.int64], lengths: NDArray[np.int64], pad_id: int
) -> NDArray[np.int64]:
    """(tokens,) the padding id, plus how many tokens of other ids a row has up to each."""
    counts = ids != pad_id
    running = np.cumsum(counts)
    before = running[starts] - counts[starts]  # of all rows further up
    return np.where(counts, running - np.repeat(before, lengths), 0) + pad_id
