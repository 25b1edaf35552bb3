"""Rows laid end to end: every token once, every row where the offsets say."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.models.roberta.modeling_roberta import RobertaEmbeddings

from bertline.errors import BertlineError
from infer.encode import Encoded
from infer.packing import Shape, pack, plan_packed

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


@given(ROWS, st.integers(0, 9), st.integers(0, 40))
def test_a_larger_shape_leaves_room_that_no_row_has(rows: list[list[int]], further: int, budget: int) -> None:
    tokens, order = encoded(rows), np.arange(len(rows))
    exact = Shape.of(tokens.lengths)
    for shape in (exact.rounded(budget), Shape(exact.tokens + further, exact.rows + further, exact.longest + further)):
        assert exact.tokens <= shape.tokens <= shape.rows * shape.longest
        assert shape.rows >= exact.rows and shape.longest >= exact.longest
        plain, roomy = pack(tokens, order, 0), pack(tokens, order, 0, shape)
        assert {name: array.shape for name, array in roomy.items()} == {
            "input_ids": (1, shape.tokens),
            "token_type_ids": (1, shape.tokens),
            "position_ids": (1, shape.tokens),
            "token_offset": (shape.rows, shape.longest),
            "cu_seqlens": (shape.rows + 1,),
        }
        for name in ("input_ids", "token_type_ids", "position_ids"):
            assert (roomy[name][:, : exact.tokens] == plain[name]).all()
        bounds, offset = roomy["cu_seqlens"], roomy["token_offset"]
        assert (bounds[: exact.rows + 1] == plain["cu_seqlens"]).all() and (bounds[exact.rows :] == exact.tokens).all()
        assert sorted(offset.ravel()) == list(range(offset.size))
        rows_of, places = np.divmod(offset.ravel()[: exact.tokens], shape.longest)
        assert rows_of.tolist() == [number for number, row in enumerate(rows) for _ in row]
        assert places.tolist() == [place for row in rows for place in range(len(row))]
    rounded = exact.rounded(budget)
    assert rounded.tokens > exact.tokens  # rows without tokens begin at a token, too
    assert rounded.tokens <= max(budget, exact.tokens + 1)


@given(st.lists(st.integers(1, 50), max_size=80), st.integers(1, 200))
def test_packed_batches_cover_every_row_once_and_stay_below_the_budget(lengths: list[int], budget: int) -> None:
    array = np.array(lengths, np.int64)
    batches = plan_packed(array, budget)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert all(array[batch].sum() < budget or len(batch) == 1 for batch in batches)
    assert (np.diff([array[row] for batch in batches for row in batch]) <= 0).all()
    full = [int(array[batch].sum()) for batch in batches[:-1]]
    nexts = [int(array[batch[0]]) for batch in batches[1:]]
    assert all(tokens + longest >= budget for tokens, longest in zip(full, nexts, strict=True))
