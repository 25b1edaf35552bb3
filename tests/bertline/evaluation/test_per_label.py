"""Figures of each label of several, equal to scikit-learn's."""

import json
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_recall_fscore_support

from bertline.evaluation import Evaluation
from tests.bertline.evaluation.streams import Stream


def fed(labels: int, true: Any, predicted: Any) -> Evaluation:
    evaluation = Evaluation(tuple(map(str, range(labels))))
    logits = np.eye(labels, dtype=np.float32)[np.array(predicted, np.int64)]
    evaluation.add(np.array(true, np.int64), logits, np.full(len(true), 4), ["t"] * len(true))
    evaluation.finish()
    return evaluation


@pytest.mark.parametrize("labels", [2, 3, 7])
@pytest.mark.parametrize("case", ["random", "one true", "one predicted", "never predicted", "right", "one row"])
def test_they_are_scikit_learns_for_all_labels_of_the_model(labels: int, case: str) -> None:
    stream = Stream.drawn(500, labels)
    true, predicted = stream.true.copy(), stream.predicted.copy()
    if case == "one true":
        true[:] = 1
    if case == "one predicted":
        predicted[:] = 0
    if case == "never predicted":
        predicted[predicted == 1] = 0
    if case == "right":
        predicted = true
    if case == "one row":
        true, predicted = true[:1], predicted[:1]
    figures: dict[str, Any] = fed(labels, true, predicted).to_json()
    options: dict[str, Any] = {"labels": range(labels), "zero_division": 0}
    by_label = precision_recall_fscore_support(true, predicted, average=None, **options)
    found = [(label["precision"], label["recall"], label["f1"], label["support"]) for label in figures["per_label"]]
    assert pytest.approx(np.array(by_label), abs=1e-12) == np.array(found).T
    assert [label["label"] for label in figures["per_label"]] == figures["labels"]
    for average in ("macro", "weighted"):
        assert figures[f"{average}_f1"] == pytest.approx(f1_score(true, predicted, average=average, **options))
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_no_rows_have_figures_of_zero() -> None:
    figures: dict[str, Any] = fed(2, [], []).to_json()
    assert (figures["macro_f1"], figures["weighted_f1"]) == (0.0, 0.0)
    assert figures["per_label"][1] == {"label": "1", "precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
