"""Rows to token ids, and the random split."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import DataCollatorWithPadding

from bertline.errors import BertlineError
from bertline.problems import MultiLabel, Problem, Regression, SingleLabel
from finetune.corpus import Example
from finetune.dataset import split, tokenize
from tests import tiny

TWO = SingleLabel(("0", "1"))


def examples(rows: int) -> list[Example]:
    return [Example(str(row), None, 0) for row in range(rows)]


def test_the_split_of_cola_is_as_large_as_the_notebooks() -> None:
    training, validation = split(examples(8551), 0.1, 42)
    assert (len(training), len(validation)) == (7695, 856)


@pytest.mark.parametrize(("rows", "share", "expected"), [(10, 0.1, 1), (10, 0.7, 7), (10, 0.9, 9), (5, 0.1, 1)])
def test_the_share_goes_up_to_whole_rows(rows: int, share: float, expected: int) -> None:
    training, validation = split(examples(rows), share, 42)
    assert (len(training), len(validation)) == (rows - expected, expected)


def test_the_split_is_random_by_its_seed_and_loses_no_row() -> None:
    rows = examples(100)
    training, validation = split(rows, 0.2, 42)
    assert sorted(training + validation, key=rows.index) == rows
    assert validation != rows[:20] and validation != rows[-20:]
    assert (training, validation) == split(rows, 0.2, 42) != split(rows, 0.2, 43)


def test_a_share_of_0_trains_on_all_rows() -> None:
    assert split(examples(3), 0, 42) == (examples(3), [])


@pytest.mark.parametrize(("rows", "share"), [(1, 0.1), (3, 0.9)])
def test_a_split_that_leaves_a_side_empty_is_refused(rows: int, share: float) -> None:
    with pytest.raises(BertlineError, match=rf"--validation-share {share} of {rows} rows leaves 0 to train on"):
        split(examples(rows), share, 42)


def test_long_texts_are_cut_and_keep_the_final_separator(tmp_path: Path) -> None:
    tokenizer = tiny.write_tokenizer(tmp_path)
    (features,) = tokenize([Example("the cat " * 50, None, 1)], tokenizer, 16, TWO).features
    assert len(features["input_ids"]) == 16
    assert features["input_ids"][-1] == tokenizer.sep_token_id
    assert features["labels"] == 1


def test_of_a_pair_the_longer_text_is_cut_and_both_are_told_apart(tmp_path: Path) -> None:
    tokenizer = tiny.write_tokenizer(tmp_path)
    (features,) = tokenize([Example("the cat " * 50, "a dog sees", 0)], tokenizer, 16, TWO).features
    words = tokenizer.convert_ids_to_tokens(features["input_ids"])
    assert words[-4:] == ["a", "dog", "sees", "[SEP]"] and len(words) == 16
    assert features["token_type_ids"] == [0] * 12 + [1] * 4


@pytest.mark.parametrize(
    ("problem", "values", "targets"),
    [
        (SingleLabel(("a", "b", "c")), [2, 0], torch.tensor([2, 0])),
        (MultiLabel(("a", "b", "c")), [(0, 2), ()], torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])),
        (Regression(("score",)), [2.5, -1.0], torch.tensor([2.5, -1.0])),
    ],
)
def test_the_collator_gives_the_loss_what_it_takes(
    problem: Problem, values: list[Any], targets: torch.Tensor, tmp_path: Path
) -> None:
    tokenizer = tiny.write_tokenizer(tmp_path)
    rows = [Example(text, None, value) for text, value in zip(("the cat", "a"), values, strict=True)]
    batch = DataCollatorWithPadding(tokenizer)(tokenize(rows, tokenizer, 16, problem).features)
    assert batch["labels"].dtype == targets.dtype and torch.equal(batch["labels"], targets)
