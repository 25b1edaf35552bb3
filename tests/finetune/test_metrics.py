"""What an epoch is judged by is what scikit-learn and scipy give."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from bertline.errors import UsageError
from bertline.metrics import METRIC_NAMES
from bertline.problems import MULTI_LABEL, REGRESSION, MultiLabel, Problem, Regression, SingleLabel
from finetune.metrics import compute_metrics, reported, told
from finetune.metrics import evaluated as evaluation_of_targets
from finetune.recipe import METRICS, UNDEFINED, Recipe

GENERATOR = np.random.default_rng(3)


def computed(problem: Problem, recipe: Recipe, targets: Any, logits: Any) -> dict[str, float]:
    prediction = SimpleNamespace(label_ids=targets, predictions=logits)
    return compute_metrics(problem, recipe)(prediction)


@pytest.mark.parametrize("labels", [2, 3])
def test_one_label(labels: int) -> None:
    true, logits = GENERATOR.integers(labels, size=200), GENERATOR.normal(size=(200, labels)).astype(np.float32)
    predicted = logits.argmax(axis=1)
    problem = SingleLabel(tuple("abc"[:labels]))
    assert computed(problem, Recipe(), true, logits) == pytest.approx(
        {"accuracy": accuracy_score(true, predicted), "mcc": matthews_corrcoef(true, predicted)}
    )
    found = computed(problem, Recipe(metric="macro_f1"), true, (logits, "hidden states"))
    assert found["macro_f1"] == pytest.approx(f1_score(true, predicted, average="macro"))
    if labels == 2:
        assert computed(problem, Recipe(metric="f1"), true, logits)["f1"] == pytest.approx(f1_score(true, predicted))


def test_any_number_of_labels() -> None:
    true = (GENERATOR.random((200, 4)) < 0.3).astype(np.float32)  # as the loss takes them
    true[:, 3] = 0
    logits = GENERATOR.normal(size=(200, 4)).astype(np.float32)
    logits[:, 3] = -1  # a label that no row has or is given
    predicted = (logits > 0).astype(int)
    recipe = Recipe(problem_type=MULTI_LABEL, metric="macro_f1")
    assert computed(MultiLabel(tuple("abcd")), recipe, true, logits) == pytest.approx(
        {
            "micro_f1": f1_score(true, predicted, average="micro", zero_division=0),
            "macro_f1": f1_score(true, predicted, average="macro", zero_division=0),
        }
    )


def test_numbers() -> None:
    true = GENERATOR.integers(0, 20, 200).astype(np.float32) / 4  # with ties
    logits = (true[:, None] + GENERATOR.normal(size=(200, 1))).astype(np.float32)
    recipe, problem = Recipe(problem_type=REGRESSION, metric="spearman"), Regression(("score",))
    assert computed(problem, recipe, true, logits) == pytest.approx(
        {"pearson": pearsonr(true, logits[:, 0])[0], "spearman": spearmanr(true, logits[:, 0])[0]}, abs=1e-6
    )


@pytest.mark.parametrize("value", [1.5, float("nan")])
def test_a_correlation_that_is_undefined_is_below_all_others(value: float) -> None:
    recipe, problem = Recipe(problem_type=REGRESSION, metric="pearson"), Regression(("score",))
    true, logits = np.arange(4, dtype=np.float32), np.full((4, 1), value, np.float32)
    assert computed(problem, recipe, true, logits) == {"pearson": UNDEFINED, "spearman": UNDEFINED}
    assert told(evaluation_of_targets(problem, true, logits), "pearson") == "undefined"


@pytest.mark.parametrize("problem", [SingleLabel(("a", "b")), MultiLabel(("a", "b"))])
def test_what_has_diverged_has_no_metric_though_every_row_were_right(problem: Problem) -> None:
    logits = np.full((4, 2), np.nan, np.float32)
    true = np.zeros(4, int) if isinstance(problem, SingleLabel) else np.zeros((4, 2), np.float32)
    recipe = Recipe(problem_type=problem.type, metric=METRICS[problem.type][1])
    assert set(computed(problem, recipe, true, logits).values()) == {UNDEFINED}


def test_the_usual_metrics_are_reported_and_the_chosen_one_once() -> None:
    assert reported(Recipe()) == ("accuracy", "mcc")
    assert reported(Recipe(metric="f1")) == ("accuracy", "mcc", "f1")
    assert reported(Recipe(problem_type=MULTI_LABEL, metric="macro_f1")) == ("micro_f1", "macro_f1")
    assert METRIC_NAMES.keys() == {name for names in METRICS.values() for name in names}


def test_a_metric_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="--metric f1 is that of the second of two labels, and there are 3"):
        compute_metrics(SingleLabel(("a", "b", "c")), Recipe(metric="f1"))
    with pytest.raises(UsageError, match="the recipe trains single_label_classification, and the corpus was read for"):
        compute_metrics(Regression(("score",)), Recipe())
