"""The holdouts are judged by what is on disk, and the figures are scikit-learn's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import pearsonr
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, matthews_corrcoef
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from bertline.evaluation import MultiLabelEvaluation, RegressionEvaluation
from bertline.problems import MultiLabel, Regression, SingleLabel
from finetune.corpus import Example
from finetune.evaluate import evaluate_folder
from tests import tiny


def outputs(folder: Path, examples: list[Example]) -> NDArray[np.float32]:
    """Logits row by row, unpadded: the plainest way there is."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.inference_mode():
        logits = [model(**tokenizer(e.text, e.pair, return_tensors="pt")).logits[0].numpy() for e in examples]
    return np.stack(logits)


def predictions(folder: Path, examples: list[Example]) -> list[int]:
    return [int(label) for label in outputs(folder, examples).argmax(axis=1)]


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


def test_several_labels_and_numbers_are_judged_as_scikit_learn_and_scipy_do(tmp_path: Path) -> None:
    folder = tiny.write_model(tmp_path / "several", labels=("a", "b", "c"))
    sets = [tuple(label for label in range(3) if (row * row + row) >> label & 1) for row in range(70)]
    several = [Example(tiny.SENTENCES[row % 8], None, ids) for row, ids in enumerate(sets)]
    found = evaluate_folder(folder, {"dev": several}, MultiLabel(("a", "b", "c")), 64, "cpu")["dev"]
    given = outputs(folder, several) > 0
    true = [[label in ids for label in range(3)] for ids in sets]
    assert isinstance(found, MultiLabelEvaluation)
    assert found.micro_f1 == pytest.approx(f1_score(true, given, average="micro"))
    assert found.subset_accuracy == pytest.approx(accuracy_score(true, given))

    folder = tiny.write_model(tmp_path / "number", labels=("score",))
    numbers = [Example(text, None, float(row % 5)) for row, text in enumerate(tiny.SENTENCES)]
    judged = evaluate_folder(folder, {"dev": numbers}, Regression(("score",)), 64, "cpu")["dev"]
    assert isinstance(judged, RegressionEvaluation)
    wanted = pearsonr([example.label for example in numbers], outputs(folder, numbers)[:, 0])[0]
    assert judged.pearson == pytest.approx(wanted, abs=1e-6)


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
