"""Token ids: cut with the final separator kept, counted, never padded."""

from pathlib import Path

import numpy as np
import pytest

from bertline.errors import BertlineError
from infer.encode import Encoder
from tests import tiny

CLS, SEP = 2, 3


def test_ids_are_those_of_transformers_at_any_length(model_dir: Path, bundle: Path) -> None:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(model_dir)
    pairs = list(zip(tiny.SENTENCES, reversed(tiny.SENTENCES), strict=True))
    texts = [*tiny.SENTENCES, "", " ", "é\u2028naïve 😀 \x0b word", "the " * 100]
    for max_length in (4, 7, 64):
        encoder = Encoder(bundle / "tokenizer.json", max_length)
        for rows, arguments in ((texts, (texts,)), (pairs, tuple(map(list, zip(*pairs, strict=True))))):
            expected = theirs(*arguments, truncation=True, max_length=max_length)
            encoded = encoder.encode(rows)
            assert encoded.input_ids == expected["input_ids"]
            assert encoded.token_type_ids == expected["token_type_ids"]
            assert encoded.lengths.tolist() == [len(ids) for ids in encoded.input_ids]


def test_only_rows_that_are_cut_count_as_truncated(bundle: Path) -> None:
    encoded = Encoder(bundle / "tokenizer.json", 6).encode(["", "the cat", "the cat sees a", "the cat sees a dog"])
    assert encoded.truncated.tolist() == [False, False, False, True]
    assert encoded.lengths.tolist() == [2, 4, 6, 6]
    assert all(ids[0] == CLS and ids[-1] == SEP for ids in encoded.input_ids)
    pair = Encoder(bundle / "tokenizer.json", 6).encode([("the cat", "a"), ("the cat", "a dog")])
    assert pair.truncated.tolist() == [False, True]


def test_no_rows(bundle: Path) -> None:
    encoded = Encoder(bundle / "tokenizer.json", 6).encode([])
    assert encoded.lengths.shape == (0,) and encoded.lengths.dtype == np.int64


def test_markers_around_one_text_and_around_two(bundle: Path) -> None:
    encoder = Encoder(bundle / "tokenizer.json", 6)
    assert (encoder.markers(1), encoder.markers(2)) == (2, 3)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"model": null}', "\x00", "[" * 100_000])
def test_what_is_no_tokenizer_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(BertlineError, match="not a tokenizer"):
        Encoder(tmp_path / "tokenizer.json", 64)
