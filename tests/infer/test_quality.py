"""What two ways to run a model are compared by on labelled rows, for each kind of problem."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score, matthews_corrcoef

from bertline.problems import MultiLabel, Problem, Regression, SingleLabel
from infer.parity import FP32_LIMITS, Limits, Parity, limits_of
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
    assert faults[-1] == f"{called}, allowed 0.01" and len(faults) == (2 if problem.type == "regression" else 1)
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


def of_numbers(own: Any, reference: Any, labels: list[float]) -> Parity:
    parity, names = Parity(Regression(("score",))), [f"row {row}" for row in range(len(own))]
    for start in range(0, len(own), 7):
        part = slice(start, start + 7)
        columns = (np.array(side[part], np.float32)[:, None] for side in (own, reference))
        parity.add(names[part], *columns, labels[part])
    return parity


NUMBERS = REFERENCE[:, 0]
LIMITS = limits_of("quantized")


@pytest.mark.parametrize(
    ("own", "discordance"),
    [
        (3 * NUMBERS, 0.4),
        (NUMBERS + 100, 1),
        (-NUMBERS, 2),
        (np.full(200, NUMBERS.mean()), 1),
        (OWN[:, 0], 0.08),
    ],
)
@pytest.mark.parametrize("labelled", [True, False])
def test_numbers_must_be_the_references_and_not_only_go_with_them(own: Any, discordance: float, labelled: bool) -> None:
    labels = NUMBERS.tolist() if labelled else []
    parity = of_numbers(own, NUMBERS, labels)
    assert parity.concordance == pytest.approx(1 - discordance, abs=0.02)
    fault = parity.faults(LIMITS)[0]
    assert fault.startswith("1 - concordance with PyTorch is ") and ", allowed 0.01 (worst: row " in fault
    assert not parity.gate_on("cpu", "p", "fp32", LIMITS).passed
    near = of_numbers(NUMBERS + 1e-3 * (own - NUMBERS) / np.abs(own - NUMBERS).max(), NUMBERS, labels)
    assert near.faults(LIMITS) == [] and ", concordance 1.0000" in near.figures()
    gate = near.gate_on("cpu", "p", "fp32", LIMITS)
    assert gate.passed and gate.concordance == near.concordance and 0.999 < near.concordance < 1


def test_numbers_that_became_all_alike_have_lost_all_where_the_reference_was_bad_as_well() -> None:
    parity = of_numbers([1, 1, 1], [0, 1, 2], [2.0, 1.0, 0.0])
    assert parity.quality_drop == -1.0 and parity.concordance == 0.0
    assert parity.faults(LIMITS) == ["1 - concordance with PyTorch is 1.0e+00, allowed 0.01 (worst: row 0)"]


def test_fp32_is_held_to_its_logits_whatever_rounding_does_to_a_correlation() -> None:
    noise = 1e-6 * np.where(np.arange(200) % 2, 1, -1)
    for own in (NUMBERS + noise, NUMBERS - noise):
        assert of_numbers(own, NUMBERS, (NUMBERS + 1e3 * noise).tolist()).faults(FP32_LIMITS) == []
    assert "max |Δlogit| 1.00e-03" in of_numbers(NUMBERS + 1e-3, NUMBERS, []).faults(FP32_LIMITS)[0]


@pytest.mark.parametrize("problem", [SingleLabel(("a", "b")), MultiLabel(("a", "b")), Regression(("score",))])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_logit_that_is_no_number_is_a_fault_with_and_without_labels(problem: Problem, value: float) -> None:
    reference = REFERENCE[:4, : len(problem.labels)]
    parity, own = Parity(problem), reference.copy()
    own[2, 0] = value
    parity.add(list("wxyz"), own, reference)
    assert "a logit is no number (worst: y)" in parity.faults(Limits(max_flips=1.0, max_mcc_drop=1.0))


def test_one_row_has_no_spread_to_hold_a_difference_against() -> None:
    parity = of_numbers([1.5], [1], [])
    assert parity.concordance is None and parity.faults(Limits()) == [] and "concordance" not in parity.figures()


@pytest.mark.parametrize(("own", "passes"), [(3.01, True), (300.0, False)])
@pytest.mark.parametrize("rows", [1, 5])
def test_goldens_show_the_spread_that_one_row_or_like_rows_do_not(rows: int, own: float, passes: bool) -> None:
    parity = Parity(Regression(("score",)))
    parity.add_agreement(NUMBERS[:40, None] + np.float32(1e-4), NUMBERS[:40, None])
    parity.add([f"row {row}" for row in range(rows)], np.full((rows, 1), own, np.float32), np.full((rows, 1), 3.0))
    assert parity.rows == rows and (parity.faults(LIMITS) == []) == passes


def test_numbers_below_the_tolerance_of_fp32_are_held_to_each_other() -> None:
    assert of_numbers(NUMBERS * 1e-5, NUMBERS * 1e-5, []).faults(FP32_LIMITS) == []
    (fault,) = of_numbers(NUMBERS * 0, NUMBERS * 1e-5, []).faults(FP32_LIMITS)
    assert fault.startswith("1 - concordance with PyTorch is 1.0e+00, allowed 0.0001")
