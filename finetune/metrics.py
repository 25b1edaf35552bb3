"""What an epoch is judged by on the validation rows: the figures of its problem, as `bertline.evaluation` has them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertline.errors import UsageError
from bertline.evaluation import AnyEvaluation, Evaluation, RegressionEvaluation, evaluation_of
from bertline.evaluation.per_label import macro_f1
from bertline.metrics import f1, in_words
from bertline.problems import MULTI_LABEL, REGRESSION, Problem
from finetune.recipe import UNDEFINED, Recipe


def reported(recipe: Recipe) -> tuple[str, ...]:
    """The metrics that a run shows of each epoch: those usual for its problem, and the one its best epoch goes by."""
    usual = {MULTI_LABEL: ("micro_f1", "macro_f1"), REGRESSION: ("pearson", "spearman")}
    return tuple(dict.fromkeys([*usual.get(recipe.problem_type, ("accuracy", "mcc")), recipe.metric]))


def compute_metrics(problem: Problem, recipe: Recipe) -> Callable[[Any], dict[str, float]]:
    """What the Trainer calls with its predictions after each epoch. UsageError where there is no such metric.

    A figure that is undefined, as a correlation of equal predictions or any of logits that are no numbers, is
    `UNDEFINED` there.
    """
    if recipe.problem_type != problem.type:
        raise UsageError(f"the recipe trains {recipe.problem_type}, and the corpus was read for {problem.type}")
    if recipe.metric == "f1" and len(problem.labels) != 2:
        raise UsageError(
            f"--metric f1 is that of the second of two labels, and there are {len(problem.labels)}; give macro_f1"
        )

    def compute(prediction: Any) -> dict[str, float]:
        outputs = prediction.predictions
        logits = outputs[0] if isinstance(outputs, tuple) else outputs  # some models give hidden states as well
        evaluation = evaluated(problem, prediction.label_ids, logits)
        values = {name: metric(evaluation, name) for name in reported(recipe)}
        # A logit that is no number is the first label to argmax: what has diverged could come out best.
        return {name: UNDEFINED if value is None or evaluation.unscored else value for name, value in values.items()}

    return compute


def evaluated(problem: Problem, targets: NDArray[Any], logits: NDArray[np.floating]) -> AnyEvaluation:
    """The evaluation of logits (rows, labels) against what the loss took, targets (rows,) or (rows, labels)."""
    evaluation, rows = evaluation_of(problem), len(logits)
    true = targets.astype(problem.true([]).dtype)
    evaluation.add(true, logits, np.zeros(rows, np.int64), [""] * rows)
    return evaluation


def metric(evaluation: AnyEvaluation, name: str) -> float | None:
    """One figure by its name; None where it is undefined."""
    if name == "macro_f1" and not isinstance(evaluation, RegressionEvaluation):
        return macro_f1(evaluation.per_label)
    if name == "f1" and isinstance(evaluation, Evaluation):
        return f1(evaluation.confusion)
    value: float | None = getattr(evaluation, name)
    return value


def told(evaluation: AnyEvaluation, name: str) -> str:
    """That figure as text."""
    return in_words(metric(evaluation, name))
