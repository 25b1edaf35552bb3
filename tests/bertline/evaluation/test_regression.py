"""Numbers: scipy's and scikit-learn's figures, nothing where there is none, and the largest errors."""

import json
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import mean_absolute_error, mean_squared_error

from bertline.evaluation import RegressionEvaluation, regression
from bertline.evaluation.moments import concordance
from bertline.evaluation.regression import significant
from bertline.problems import Regression
from tests.bertline.evaluation.streams import Rows


def evaluated(rows: Rows) -> RegressionEvaluation:
    evaluation = RegressionEvaluation(rows.problem.labels)
    rows.feed(evaluation, 0, len(rows.true))
    return evaluation


def rows_of(true: Any, predicted: Any) -> Rows:
    true, logits = np.array(true, np.float64), np.array(predicted, np.float32)[:, None]
    return Rows(Regression(("score",)), true, logits, np.full(len(true), 5), ["t"] * len(true))


@pytest.mark.parametrize(
    "rows",
    [
        Rows.numbers(1000),
        Rows.numbers(4),
        rows_of([1, 2], [5, 3]),
        rows_of([1e6, 1e6 + 1, 1e6 + 2, 1e6 + 5], [1e6, 1e6 + 2, 1e6 + 1, 1e6 + 4]),  # far from 0
        rows_of([1e-20, 2e-20, 4e-20], [1, 2, 3]),
        rows_of([-3e38, 0, 3e38], [3e38, 1, -2e38]),
        rows_of([1, 2, 3, 4], [2, 4, 6, 8]),
    ],
)
def test_the_figures_are_scipys_and_scikit_learns(rows: Rows) -> None:
    figures: dict[str, Any] = evaluated(rows).to_json()
    predicted = rows.logits[:, 0].astype(np.float64)
    scale = max(np.abs(rows.true).max(), np.abs(predicted).max())  # which scipy wants out of the way
    pearson = stats.pearsonr(rows.true / scale, predicted / scale)
    assert figures["pearson"] == pytest.approx(pearson.statistic, abs=1e-9)
    assert figures["spearman"] == pytest.approx(stats.spearmanr(rows.true, predicted).statistic, abs=1e-12)
    assert figures["mse"] == pytest.approx(mean_squared_error(rows.true, predicted), rel=1e-12)
    assert figures["mae"] == pytest.approx(mean_absolute_error(rows.true, predicted), rel=1e-12)
    if len(rows.true) > 3:
        assert figures["pearson_interval"] == pytest.approx(list(pearson.confidence_interval()), abs=1e-6)
    else:
        assert figures["pearson_interval"] is None
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


@pytest.mark.parametrize(
    ("rows", "has_errors"),
    [
        (rows_of([], []), False),
        (rows_of([3], [2]), True),
        (rows_of([1, 1], [2, 3]), True),
        (rows_of([1, 2], [3, 3]), True),
    ],
)
def test_a_constant_has_no_correlation_and_no_rows_have_no_figures(rows: Rows, has_errors: bool) -> None:
    evaluation = evaluated(rows)
    figures = evaluation.to_json()
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert [figures[name] for name in ("pearson", "spearman", "pearson_interval")] == [None] * 3
    assert (figures["mse"] is not None, figures["mae"] is not None) == (has_errors, has_errors)
    assert "Pearson undefined" in evaluation.summary()


@pytest.mark.parametrize("numbers", [Rows.numbers(1000), rows_of([1e6, 1e6 + 1, 1e6 + 2, 1e6 + 5], [1e6 + 9] * 4)])
def test_the_concordance_is_lins(numbers: Rows) -> None:
    true, predicted = numbers.true, numbers.logits[:, 0].astype(np.float64)
    apart = true.var() + predicted.var() + (true.mean() - predicted.mean()) ** 2
    expected = 1 - ((true - predicted) ** 2).mean() / apart
    assert concordance(true, predicted) == pytest.approx(expected, abs=1e-9)
    assert concordance(true, true) == 1 == concordance(np.ones(2), np.ones(2))
    assert concordance(true - true.mean(), true.mean() - true) == pytest.approx(-1)
    assert concordance(true[:1], true[:1]) is None is concordance(true, np.full(len(true), np.nan))


def test_labels_far_below_float32s_range_count_as_zero() -> None:
    labels = Regression(("score",)).parser().values_of(["1e-165", "3e-165", "-2e-170", "1e-40"])
    figures = evaluated(rows_of(labels, [1, 2, 3, 4])).to_json()
    assert figures["pearson"] == pytest.approx(stats.pearsonr([0, 0, 0, 1], [1, 2, 3, 4]).statistic)


def test_a_prediction_that_is_no_number_leaves_no_figure() -> None:
    rows = Rows.numbers(100)
    rows.logits[7] = np.nan
    figures = evaluated(rows).to_json()
    json.dumps(figures, allow_nan=False)
    assert [figures[name] for name in ("pearson", "spearman", "mse", "mae")] == [None] * 4
    assert figures["unscored"] == 1


def test_ranks_are_of_the_first_rows_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regression, "MAX_ROWS_RANKED", 500)
    rows = Rows.numbers(800)
    figures = evaluated(rows).to_json()
    assert figures["spearman_rows"] == 500
    assert figures["spearman"] == pytest.approx(stats.spearmanr(rows.true[:500], rows.logits[:500, 0]).statistic)
    assert figures["pearson"] == pytest.approx(stats.pearsonr(rows.true, rows.logits[:, 0]).statistic)
    parts = RegressionEvaluation(("score",))
    for start in range(0, 800, 300):
        parts.merge(rows.part(start, min(800, start + 300)))  # type: ignore[arg-type]
    assert parts.to_json() == figures


def test_the_state_does_not_grow_with_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regression, "MAX_ROWS_RANKED", 500)
    rows, evaluation, sizes = Rows.numbers(800), RegressionEvaluation(("score",)), []
    for _ in range(4):
        rows.feed(evaluation, 0, 800)
        sizes.append(len(json.dumps(evaluation.state())))
    assert sizes[3] < sizes[0] * 1.05


def test_the_largest_errors_stand_there_with_both_numbers() -> None:
    rows = Rows.numbers(300)
    error = np.abs(rows.logits[:, 0].astype(np.float64) - rows.true)
    expected = np.argsort(-error, kind="stable")[:10].tolist()
    found: Any = evaluated(rows).to_json()["largest_errors"]
    assert [mistake["row"] for mistake in found] == [row + 1 for row in expected]
    for mistake, row in zip(found, expected, strict=True):
        assert (mistake["true"], mistake["predicted"]) == (rows.true[row], rows.logits[row, 0])
        assert mistake["error"] == pytest.approx(error[row], rel=1e-5)
        assert (mistake["line"], mistake["texts"]) == (row + 2, [f"text {row}"])
    assert not evaluated(rows_of([1, 2], [1, 2])).mistakes.rows


def test_errors_by_length_are_those_of_the_rows() -> None:
    rows = Rows.numbers(1000)
    error = np.abs(rows.logits[:, 0].astype(np.float64) - rows.true)
    bins = evaluated(rows).lengths.bins()
    assert sum(part.rows for part in bins) == 1000 and len(bins) > 4
    for part in bins:
        own = error[(rows.tokens >= part.low) & (rows.tokens <= part.high)]
        assert (part.rows, part.mae) == (len(own), pytest.approx(own.mean()))
        assert part.reach == pytest.approx(1.959964 * stats.sem(own), rel=1e-5)


def test_significant_digits() -> None:
    assert significant(np.array([0.0, 1.23456789, 123456.789, 1.9999999e-9]), 6).tolist() == [
        0.0, 1.23457, 123457.0, 2e-9,
    ]  # fmt: skip
