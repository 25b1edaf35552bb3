"""How well a model did on labelled rows, counted as they come: figures, curves and mistakes, in bounded memory."""

from collections.abc import Mapping
from typing import Any

from bertline.evaluation.multi_label import MultiLabelEvaluation
from bertline.evaluation.regression import RegressionEvaluation
from bertline.evaluation.single_label import Evaluation
from bertline.problems import MultiLabel, Problem, Regression, SingleLabel

__all__ = ["AnyEvaluation", "Evaluation", "MultiLabelEvaluation", "RegressionEvaluation", "evaluation_of", "restored"]

AnyEvaluation = Evaluation | MultiLabelEvaluation | RegressionEvaluation


def evaluation_of(problem: Problem) -> AnyEvaluation:
    """An evaluation without rows; those of a problem with thresholds go by them."""
    if isinstance(problem, MultiLabel):
        return MultiLabelEvaluation(problem.labels, problem.thresholds)
    if isinstance(problem, Regression):
        return RegressionEvaluation(problem.labels)
    assert isinstance(problem, SingleLabel)  # there are three
    return Evaluation(problem.labels, problem.threshold)


def restored(problem: Problem, state: Mapping[str, Any]) -> AnyEvaluation:
    """An evaluation of the problem that goes on from a `state`; ValueError, KeyError or TypeError where it is none."""
    evaluation = evaluation_of(problem)
    evaluation.restore(state)
    return evaluation
