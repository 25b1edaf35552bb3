"""Logits become answers as each problem has it, the label cells come back from them, and wrong problems are named."""

import re

import numpy as np
import pytest

from bertline.problems import (
    MULTI_LABEL,
    REGRESSION,
    SINGLE_LABEL,
    MultiLabel,
    Regression,
    SingleLabel,
    problem_fault,
    problem_of,
    problem_type_of,
)

LOGITS = np.array([[0.0, 1.0], [2.0, -1.0], [0.1, 0.1], [-3.0, 5.0]], np.float32)


def test_one_label_is_the_largest_logit_or_what_a_threshold_says() -> None:
    problem = SingleLabel(("no", "yes"))
    assert problem.decide(LOGITS).tolist() == [1, 0, 0, 1]
    assert SingleLabel(("no", "yes"), 0.9).decide(LOGITS).tolist() == [0, 0, 0, 1]
    assert problem.flipped(LOGITS, -LOGITS).tolist() == [True, True, False, True]
    np.testing.assert_allclose(problem.probabilities(LOGITS).sum(axis=1), 1)


def test_labels_by_themselves_come_back_from_their_cells() -> None:
    problem = MultiLabel(("joy", "anger"))
    given = problem.decide(LOGITS)
    assert [problem.cell(row) for row in given] == ["anger", "joy", "joy,anger", "anger"]
    cells = [problem.cell(row) for row in given]
    np.testing.assert_array_equal(problem.true(problem.parser().values_of(cells)), given)  # type: ignore[arg-type]
    np.testing.assert_array_equal(problem.probabilities(LOGITS) > 0.5, given)
    assert MultiLabel(("joy", "anger"), (0.95, 0.5)).decide(LOGITS)[:, 0].tolist() == [False] * 4
    assert problem.true([]).shape == (0, 2)


def test_a_number_is_the_logit_itself_and_never_flips() -> None:
    problem = Regression(("score",))
    assert problem.decide(LOGITS[:, :1]).tolist() == LOGITS[:, 0].tolist()
    assert not problem.flipped(LOGITS[:, :1], -LOGITS[:, :1]).any()
    assert problem.true([]).dtype == np.float64


@pytest.mark.parametrize(
    ("kind", "labels", "fault"),
    [
        ("tagging", ("a", "b"), "problem_type is 'tagging', which is none of"),
        (SINGLE_LABEL, ("a",), "one label of one is no choice"),
        (REGRESSION, ("a", "b"), "a regression model has one output, and this one has 2"),
        (MULTI_LABEL, ("a", "b,c"), "the label 'b,c' of a multi-label model is empty, begins with [, holds a comma"),
        (MULTI_LABEL, ("a", " b"), "the label ' b' of a multi-label model"),
        (MULTI_LABEL, ("a", "[b]"), "the label '[b]' of a multi-label model"),
        (SINGLE_LABEL, ("a", "b\r"), r"the label 'b\r' holds a tab, a line end or the like"),
        (REGRESSION, ("\ud800",), r"the label '\ud800' holds a tab"),
        (MULTI_LABEL, ("a", ""), "the label '' of a multi-label model"),
    ],
)
def test_a_problem_that_makes_no_sense_is_named(kind: str, labels: tuple[str, ...], fault: str) -> None:
    assert (problem_fault(kind, labels) or "").startswith(fault)
    with pytest.raises(ValueError, match="^" + re.escape(fault[:20])):
        problem_of(kind, labels)


def test_the_type_is_the_models_or_follows_from_its_outputs() -> None:
    assert [problem_type_of(None, 1), problem_type_of(None, 3), problem_type_of(MULTI_LABEL, 3)] == [
        REGRESSION,
        SINGLE_LABEL,
        MULTI_LABEL,
    ]
    assert isinstance(problem_of(SINGLE_LABEL, ["a", "b"]), SingleLabel)


def test_a_threshold_of_one_half_decides_as_none_does_where_probabilities_round_alike() -> None:
    tiny = np.float32(1e-45)
    logits = np.array([[0, tiny], [tiny, 0], [-tiny, tiny], [0, 0]], np.float32)
    for plain, tuned in (
        (SingleLabel(("a", "b")), SingleLabel(("a", "b"), 0.5)),
        (MultiLabel(("a", "b")), MultiLabel(("a", "b"), (0.5, 0.5))),
    ):
        assert plain.decide(logits).tolist() == tuned.decide(logits).tolist()
    assert SingleLabel(("a", "b"), 0.5).decide(logits).tolist() == [1, 0, 1, 0]
