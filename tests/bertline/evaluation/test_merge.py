"""Any cutting of rows into pieces, evaluated in a row or apart and merged, stored in between or not, is the same."""

import json
from itertools import pairwise

import numpy as np
import pytest

from bertline.evaluation import AnyEvaluation, Evaluation, evaluation_of, restored
from bertline.problems import MultiLabel, SingleLabel
from tests.bertline.evaluation.streams import Rows

KINDS = {
    "two labels": Rows.single(700),
    "three labels": Rows.single(700, 3),
    "several labels": Rows.several(700),
    "numbers": Rows.numbers(700),
}


def stored(rows: Rows, evaluation: AnyEvaluation) -> AnyEvaluation:
    return restored(rows.problem, json.loads(json.dumps(evaluation.state(), allow_nan=False)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_pieces_give_what_the_whole_gives(kind: str, seed: int) -> None:
    rows, generator = KINDS[kind], np.random.default_rng(seed)
    cuts = [0, *sorted(generator.integers(0, 701, int(generator.integers(1, 12))).tolist()), 700]
    fed, merged = evaluation_of(rows.problem), evaluation_of(rows.problem)
    for start, stop in pairwise(cuts):
        rows.feed(fed, start, stop)
        fed = stored(rows, fed)
        part = stored(rows, rows.part(start, stop))
        merged.merge(part)  # type: ignore[arg-type]
    fed.finish()
    whole = rows.part(0, 700)
    assert fed.to_json() == whole.to_json() == merged.to_json()
    assert fed.state() == whole.state()
    assert merged.summary() == whole.summary() and merged.main_metric == whole.main_metric


@pytest.mark.parametrize("kind", KINDS)
def test_merging_is_associative(kind: str) -> None:
    rows = KINDS[kind]
    left, right = rows.part(0, 45), rows.part(45, 333)
    left.merge(right)  # type: ignore[arg-type]
    left.merge(rows.part(333, 700))  # type: ignore[arg-type]
    right.merge(rows.part(333, 700))  # type: ignore[arg-type]
    first = rows.part(0, 45)
    first.merge(right)  # type: ignore[arg-type]
    assert first.state() == left.state() == rows.part(0, 700).state()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_merged_in_stays_as_it_was(kind: str) -> None:
    rows = KINDS[kind]
    own, later = rows.part(0, 100), rows.part(100, 700)
    before = json.dumps(later.state())
    own.merge(later)  # type: ignore[arg-type]
    rows.feed(own, 0, 100)
    assert json.dumps(later.state()) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_of_another_problem_is_refused(kind: str) -> None:
    state = KINDS[kind].part(0, 9).state()
    other = SingleLabel(tuple("abcdefg")) if kind != "numbers" else MultiLabel(("a", "b"))
    with pytest.raises((ValueError, KeyError, TypeError)):
        restored(other, state)


def test_the_evaluation_of_a_problem_goes_by_its_thresholds() -> None:
    single, several = SingleLabel(("a", "b"), 0.25), MultiLabel(("a", "b"), (0.25, 0.75))
    for problem, true in ((single, np.array([1])), (several, np.array([[True, False]]))):
        evaluation = evaluation_of(problem)
        evaluation.add(true, np.log([[0.6 / 0.4, 0.4 / 0.6]]).astype(np.float32), np.array([4]), ["t"])
        figures = evaluation.to_json()
        assert figures.get("accuracy", figures.get("subset_accuracy")) == 1.0
        assert figures.get("threshold", 0.25) == 0.25 and figures.get("thresholds", [0.25, 0.75]) == [0.25, 0.75]
    assert isinstance(evaluation_of(single), Evaluation)
