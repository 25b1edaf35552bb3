"""Rows laid end to end: every token once, every row where the offsets say."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertline.errors import BertlineError
from infer.encode import Encoded
from infer.packing import pack

ROWS = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=7), min_size=1, max_size=6)


def encoded(rows: list[list[int]]) -> Encoded:
    return Encoded.from_rows(rows, [[token % 2 for token in row] for row in rows], np.zeros(len(rows), bool))


@given(ROWS, st.randoms(use_true_random=False))
def test_every_token_is_there_once_and_offsets_say_where(rows: list[list[int]], random: object) -> None:
    order = np.random.default_rng(random.randrange(2**32)).permutation(len(rows))  # type: ignore[attr-defined]
    order = order[: max(1, len(order) - 1)]  # a part of the rows, in any order
    feeds = pack(encoded(rows), order, 0)
    assert {array.dtype for array in feeds.values()} == {np.dtype(np.int32)}
    bounds = feeds["cu_seqlens"].tolist()
    parts = [feeds["input_ids"][0, begin:end].tolist() for begin, end in pairwise(bounds)]
    assert parts == [rows[row] for row in order] and bounds[0] == 0
    assert feeds["token_type_ids"][0].tolist() == [token % 2 for part in parts for token in part]
    assert feeds["position_ids"][0].tolist() == [place for part in parts for place in range(len(part))]
    longest = max(map(len, parts))
    offset = feeds["token_offset"]
    assert offset.shape == (len(parts), longest) and sorted(offset.ravel()) == list(range(offset.size))
    padded = np.full(offset.size, -1)
    padded[offset.ravel()[: bounds[-1]]] = feeds["input_ids"][0]
    assert padded.reshape(offset.shape).tolist() == [part + [-1] * (longest - len(part)) for part in parts]


@given(ROWS, st.integers(0, 3))
def test_positions_after_the_padding_id_are_those_of_transformers(rows: list[list[int]], pad_id: int) -> None:
    import torch
    from transformers.models.roberta.modeling_roberta import RobertaEmbeddings

    positions = pack(encoded(rows), np.arange(len(rows)), pad_id + 1)["position_ids"][0]
    expected = [RobertaEmbeddings.create_position_ids_from_input_ids(torch.tensor([row]), pad_id)[0] for row in rows]
    assert positions.tolist() == torch.cat(expected).tolist()


def test_no_rows() -> None:
    feeds = pack(encoded([[1, 2]]), np.array([], np.int64), 0)
    assert {name: array.shape for name, array in feeds.items()} == {
        "input_ids": (1, 0),
        "token_type_ids": (1, 0),
        "position_ids": (1, 0),
        "token_offset": (0, 0),
        "cu_seqlens": (1,),
    }


def test_a_row_without_tokens_is_refused() -> None:
    with pytest.raises(BertlineError, match=r"has no token.*--variant fp32"):
        pack(encoded([[1], []]), np.array([0, 1]), 0)
