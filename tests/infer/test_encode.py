"""Token ids: cut with the final separator kept, counted, never padded."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, processors

from bertline.errors import BertlineError
from infer.encode import Encoder
from tests import tiny

CLS, SEP = 2, 3


def template(single: str) -> processors.TemplateProcessing:
    return processors.TemplateProcessing(single=single, special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)])


LAST_STEPS = {  # what a tokenizer adds in the end, and the types of a single text of one word with what is added
    "nothing": (None, [0]),
    "bert": (processors.BertProcessing(("[SEP]", SEP), ("[CLS]", CLS)), [0, 0, 0]),
    "roberta": (processors.RobertaProcessing(("[SEP]", SEP), ("[CLS]", CLS)), [0, 0, 0]),
    "bytes": (processors.ByteLevel(), [0]),
    "template": (template("[CLS] $A [SEP]"), [0, 0, 0]),
    "xlnet": (template("$A [SEP] [CLS]:2"), [0, 0, 2]),
    "text": (template("[CLS] $A:1 [SEP]"), [0, 1, 0]),
    "sequence": (processors.Sequence([processors.ByteLevel(), template("$A [SEP]:1")]), [0, 1]),
}


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


@pytest.mark.parametrize("pair", [False, True])
def test_many_calls_give_what_one_gives(bundle: Path, monkeypatch: pytest.MonkeyPatch, pair: bool) -> None:
    texts = [" ".join(tiny.WORDS[: row % 9]) for row in range(100)]
    rows = list(zip(texts, reversed(texts), strict=True)) if pair else texts
    encoder = Encoder(bundle / "tokenizer.json", 7)
    one = encoder.encode(rows)
    monkeypatch.setattr("infer.encode.CALL_ROWS", 7)
    many = encoder.encode(rows)
    assert 0 < one.truncated.sum() < len(rows)
    for name in ("ids", "types", "lengths", "truncated"):
        before, after = getattr(one, name), getattr(many, name)
        assert before.dtype == after.dtype and before.tolist() == after.tolist()


@pytest.mark.parametrize("name", LAST_STEPS)
def test_token_types_are_those_that_the_tokenizer_gives(tmp_path: Path, bundle: Path, name: str) -> None:
    step, expected = LAST_STEPS[name]
    tokenizer = Tokenizer.from_file(str(bundle / "tokenizer.json"))
    tokenizer.post_processor = step
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    types = Encoder(tmp_path / "tokenizer.json", 6).encode(["cat", "cat"]).types
    assert types.tolist() == expected * 2 and types.dtype == np.int32


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
