"""What two ways to run a model are compared by on labelled rows, for each kind of problem."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score, matthews_corrcoef

from bertline.problems import MultiLabel, Problem, Regression, SingleLabel
from infer.parity import Limits, Parity
from infer.quality import quality_of

GENERATOR = np.random.default_rng(0)
REFERENCE = GENERATOR.normal(0, 1, (200, 3)).astype(np.float32)
OWN = (REFERENCE + GENERATOR.normal(0, 0.4, (200, 3))).astype(np.float32)


def test_one_label_goes_by_mcc() -> None:
    true = GENERATOR.integers(0, 3, 200)
    quality = quality_of(SingleLabel(("a", "b", "c")))
    for start in (0, 100):
        part = slice(start, start + 100)
        quality.add(true[part].tolist(), OWN[part], REFERENCE[part])
    assert quality.own == pytest.approx(matthews_corrcoef(true, OWN.argmax(axis=1)))
    assert quality.reference == pytest.approx(matthews_corrcoef(true, REFERENCE.argmax(axis=1)))


def test_several_labels_go_by_micro_f1() -> None:
    true = GENERATOR.random((200, 3)) < 0.3
    quality = quality_of(MultiLabel(("a", "b", "c")))
    for start in (0, 100):
        part = slice(start, start + 100)
        quality.add([tuple(np.flatnonzero(row).tolist()) for row in true[part]], OWN[part], REFERENCE[part])
    assert (quality.metric, quality.own) == ("micro_f1", pytest.approx(f1_score(true, OWN > 0, average="micro")))
    assert quality.reference == pytest.approx(f1_score(true, REFERENCE > 0, average="micro"))


def test_numbers_go_by_pearson() -> None:
    true = GENERATOR.normal(0, 1, 200)
    quality = quality_of(Regression(("score",)))
    for start in (0, 100):
        part = slice(start, start + 100)
        quality.add(true[part].tolist(), OWN[part, :1], REFERENCE[part, :1])
    assert (quality.metric, quality.own) == ("pearson", pytest.approx(stats.pearsonr(true, OWN[:, 0]).statistic))
    assert quality.reference == pytest.approx(stats.pearsonr(true, REFERENCE[:, 0]).statistic)


@pytest.mark.parametrize(
    ("problem", "labels", "called"),
    [
        (SingleLabel(("a", "b")), [0, 1, 0, 1], "MCC drops by 2.0000"),
        (MultiLabel(("a", "b")), [(0,), (1,), (0,), (1,)], "micro F1 drops by 1.0000"),
        (Regression(("score",)), [1.0, -1.0, 1.0, -1.0], "Pearson drops by 2.0000"),
    ],
)
def test_parity_limits_the_drop_of_each(problem: Problem, labels: list[object], called: str) -> None:
    reference = np.array([[1, -1], [-1, 1]] * 2, np.float32)[:, : len(problem.labels)]
    parity = Parity(problem)
    parity.add(list("wxyz"), -reference, reference, labels)
    faults = parity.faults(Limits(max_flips=1.0, max_mcc_drop=0.01))
    assert faults == [f"{called}, allowed 0.01"]
    assert parity.flips == (0 if problem.type == "regression" else 4)
    gate = parity.gate_on("cpu", "p", "fp32", Limits())
    assert not gate.passed and (gate.mcc is None) == (problem.type != "single_label_classification")
    assert gate.metric == {"MCC": None, "micro F1": "micro_f1", "Pearson": "pearson"}[called.split(" drops")[0]]
    assert (gate.quality, gate.quality_reference) == ((None, None) if gate.mcc else (parity.quality.own, 1.0))


@pytest.mark.parametrize("problem", [SingleLabel(("a", "b")), MultiLabel(("a", "b")), Regression(("score",))])
def test_rows_without_labels_have_no_quality_and_no_drop(problem: Problem) -> None:
    parity, logits = Parity(problem), np.ones((2, len(problem.labels)), np.float32)
    parity.add(["a", "b"], logits, logits)
    gate = parity.gate_on("cpu", "p", "fp32", Limits())
    assert gate.passed and (gate.mcc, gate.quality, gate.mcc_difference, parity.quality_drop) == (None, None, None, 0.0)


def test_numbers_that_became_all_alike_have_lost_all() -> None:
    parity, reference = Parity(Regression(("score",))), np.array([[0], [1], [2]], np.float32)
    parity.add(list("abc"), np.ones((3, 1), np.float32), reference, [0.0, 1.0, 2.0])
    assert parity.quality_drop == 1.0 and parity.faults(Limits(max_mcc_drop=0.01))
