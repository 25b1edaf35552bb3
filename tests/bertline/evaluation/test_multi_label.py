"""Any number of labels: scikit-learn's figures, thresholds by label, and the mistakes a model was surest of."""

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score, hamming_loss, precision_recall_fscore_support

from bertline.evaluation import MultiLabelEvaluation
from bertline.metrics import sigmoid
from bertline.problems import MultiLabel
from tests.bertline.evaluation.streams import Rows


def evaluated(rows: Rows, thresholds: tuple[float, ...] | None = None) -> MultiLabelEvaluation:
    evaluation = MultiLabelEvaluation(rows.problem.labels, thresholds)
    rows.feed(evaluation, 0, len(rows.true))
    evaluation.finish()
    return evaluation


def degenerate(true: Any, given: Any) -> Rows:
    logits = np.where(np.array(given, bool), 1, -1).astype(np.float32)
    return Rows(MultiLabel(("a", "b", "c")), np.array(true, bool), logits, np.full(len(true), 5), ["t"] * len(true))


@pytest.mark.parametrize(
    "rows",
    [
        Rows.several(1000),
        Rows.several(300, 2),
        Rows.several(2, 30),
        degenerate([[0, 0, 0]] * 5, [[0, 0, 0]] * 5),
        degenerate([[1, 1, 1]] * 5, [[0, 0, 0]] * 5),
        degenerate([[0, 0, 0]] * 5, [[1, 1, 1]] * 5),
        degenerate([[1, 0, 0]] * 5, [[1, 0, 1]] * 5),
    ],
)
@pytest.mark.parametrize("moved", [False, True])
def test_the_figures_are_scikit_learns(rows: Rows, moved: bool) -> None:
    thresholds = tuple(np.linspace(0.2, 0.7, len(rows.problem.labels)).tolist()) if moved else None
    figures: dict[str, Any] = evaluated(rows, thresholds).to_json()
    given: NDArray[np.bool_] = sigmoid(rows.logits) > (thresholds or 0.5)
    for average in ("micro", "macro", "weighted"):
        expected = f1_score(rows.true, given, average=average, zero_division=0)
        assert figures[f"{average}_f1"] == pytest.approx(expected, abs=1e-12)
    assert figures["subset_accuracy"] == pytest.approx(accuracy_score(rows.true, given), abs=1e-12)
    assert figures["hamming_loss"] == pytest.approx(hamming_loss(rows.true, given), abs=1e-12)
    by_label = precision_recall_fscore_support(rows.true, given, average=None, zero_division=0)
    found = [(label["precision"], label["recall"], label["f1"], label["support"]) for label in figures["per_label"]]
    assert pytest.approx(np.array(by_label), abs=1e-12) == np.array(found).T
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_the_best_thresholds_are_those_that_trying_them_all_finds() -> None:
    rows = Rows.several(400)
    probabilities = sigmoid(rows.logits)
    for label, (threshold, best) in enumerate(evaluated(rows).best_thresholds()):
        tried = [
            f1_score(rows.true[:, label], probabilities[:, label] > n / 1000, zero_division=0) for n in range(1, 1000)
        ]
        assert best == pytest.approx(max(tried), abs=1e-12)
        assert tried[round(threshold * 1000) - 1] == pytest.approx(best, abs=1e-12)


def test_with_the_best_thresholds_each_label_has_the_f1_that_was_promised() -> None:
    rows = Rows.several(500)
    best = evaluated(rows).best_thresholds()
    after = evaluated(rows, tuple(threshold for threshold, _ in best))
    assert [label.f1 for label in after.per_label] == [f1 for _, f1 in best]


def test_the_interval_of_the_micro_f1_is_about_that_of_resampled_rows() -> None:
    rows, generator = Rows.several(800), np.random.default_rng(0)
    given, draws = rows.logits > 0, generator.integers(0, 800, (400, 800))
    resampled = [f1_score(rows.true[draw], given[draw], average="micro") for draw in draws]
    evaluation = evaluated(rows)
    assert evaluation.micro_f1_interval == pytest.approx(np.percentile(resampled, [2.5, 97.5]), abs=0.006)
    assert evaluated(Rows.several(1)).micro_f1_interval is None
    assert evaluated(degenerate([[0, 0, 0]] * 5, [[0, 0, 0]] * 5)).micro_f1_interval is None


def test_no_rows_have_figures_of_zero() -> None:
    evaluation = evaluated(Rows.several(0))
    figures = evaluation.to_json()
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert (figures["rows"], figures["micro_f1"], figures["subset_accuracy"]) == (0, 0.0, 0.0)
    assert evaluation.summary() == "0 rows with 0.00 of 4 labels each, micro F1 0.0000, macro F1 0.0000"


def test_logits_that_are_no_numbers_give_no_label_and_stand_in_no_curve() -> None:
    rows = Rows.several(100)
    rows.logits[::4, 1] = np.nan
    evaluation = evaluated(rows)
    json.dumps(evaluation.to_json(), allow_nan=False)
    assert (evaluation.rows, evaluation.unscored) == (100, 25)


def test_the_mistakes_are_the_rows_with_the_surest_wrong_label() -> None:
    rows = Rows.several(300, 3)
    probabilities, given = sigmoid(rows.logits), rows.logits > 0
    sure = np.where(given, probabilities, 1 - probabilities)
    weights = np.where(given != rows.true, sure, 0).max(axis=1).round(6)
    expected = sorted(range(300), key=lambda row: (-weights[row], row))[:10]
    found = evaluated(rows).mistakes.rows
    assert [(m.row, m.line, m.weight) for m in found] == [(r + 1, r + 2, weights[r]) for r in expected]
    worst, row = found[0], expected[0]
    names = rows.problem.labels
    assert worst.true == ",".join(name for name, has in zip(names, rows.true[row], strict=True) if has)
    assert worst.predicted == ",".join(name for name, gets in zip(names, given[row], strict=True) if gets)
