"""The holdouts are judged by what is on disk, and the figures are scikit-learn's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, matthews_corrcoef
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from bertline.problems import SingleLabel
from finetune.corpus import Example
from finetune.evaluate import evaluate_folder
from tests import tiny


def predictions(folder: Path, examples: list[Example]) -> list[int]:
    """Row by row, unpadded: the plainest way there is."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.inference_mode():
        return [int(model(**tokenizer(e.text, e.pair, return_tensors="pt")).logits.argmax()) for e in examples]


@pytest.mark.parametrize("labels", [("0", "1"), ("a", "b", "c")])
@pytest.mark.parametrize("pair", [None, "The dog sees a book."])
def test_the_figures_are_scikit_learns(labels: tuple[str, ...], pair: str | None, tmp_path: Path) -> None:
    folder = tiny.write_model(tmp_path / "model", labels=labels)
    examples = [
        Example(" ".join(tiny.SENTENCES[row % 8 : row % 8 + row % 3 + 1]), pair, row * row % len(labels))
        for row in range(70)  # more than one batch, in two sizes
    ]
    evaluation = evaluate_folder(folder, {"dev": examples}, SingleLabel(labels), 64, "cpu")["dev"]
    true, predicted = [example.label for example in examples], predictions(folder, examples)
    assert len(set(predicted)) > 1
    assert evaluation.confusion.tolist() == confusion_matrix(true, predicted, labels=range(len(labels))).tolist()
    assert evaluation.accuracy == pytest.approx(accuracy_score(true, predicted))
    assert evaluation.mcc == pytest.approx(matthews_corrcoef(true, predicted))
    assert evaluation.batches.mcc == pytest.approx(
        [matthews_corrcoef(true[start : start + 32], predicted[start : start + 32]) for start in (0, 32, 64)]
    )


def test_texts_and_lengths_are_those_of_the_examples(model_dir: Path) -> None:
    examples = [Example("the cat", "the dog", 0)] * 40 + [Example("the cat " * 60, "the dog", 1)] * 40
    evaluation = evaluate_folder(model_dir, {"dev": examples}, SingleLabel(("0", "1")), 64, "cpu")["dev"]
    assert [(part.low, part.high, part.rows) for part in evaluation.lengths.bins()] == [(7, 7, 40), (64, 64, 40)]
    wrong = evaluation.mistakes.rows
    assert wrong and all(mistake.texts[1] == "the dog" and mistake.line is None for mistake in wrong)
    assert evaluation.scores.counts.sum(axis=1).tolist() == [40, 40]


def test_every_holdout_is_judged_in_its_own_order(model_dir: Path) -> None:
    first = [Example(text, None, row % 2) for row, text in enumerate(tiny.SENTENCES)]
    second = [replace(example, label=1 - example.label) for example in reversed(first)]
    found = evaluate_folder(model_dir, {"first": first, "second": second}, SingleLabel(("0", "1")), 64, "cpu")
    assert list(found) == ["first", "second"]
    assert np.array_equal(found["second"].confusion, found["first"].confusion[::-1])
