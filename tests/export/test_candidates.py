"""What int8 is expected to cost: flips of one label or of any of several, or agreement with fp32's numbers."""

import numpy as np
import pytest
from numpy.typing import NDArray

from bertline.problems import MultiLabel, Problem, Regression, SingleLabel
from export.candidates import MARGIN, expected_flips, measured
from export.products import Product, Products
from infer.parity import Limits

ONE, SEVERAL, NUMBER = SingleLabel(("a", "b", "c")), MultiLabel(("a", "b", "c")), Regression(("score",))
PRODUCTS = Products((Product("q", "h", 100, False), Product("k", "h", 300, False)), (), ())


def margins(problem: Problem, logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """How near each row, or each of several labels, is to flipping."""
    best = np.sort(logits, axis=1)
    return np.abs(logits) if problem is SEVERAL else best[:, -1:] - best[:, -2:-1]


@pytest.mark.parametrize(("problem", "size"), [(ONE, 0.1), (SEVERAL, 0.05)])
def test_expected_flips_are_near_a_count_of_flips(problem: Problem, size: float) -> None:
    generator = np.random.default_rng(0)
    reference = generator.normal(size=(4000, 3)).astype(np.float32)
    assert expected_flips(problem, reference, reference) == 0
    # Rows that are near to flipping move most, as they do in a quantized model.
    error = generator.normal(size=(4000, 3)) * size / (size + margins(problem, reference))
    logits = (reference + error).astype(np.float32)
    counted = float(problem.flipped(logits, reference).mean())
    assert 0.03 < counted < 0.2 and expected_flips(problem, logits, reference) == pytest.approx(counted, rel=0.1)


@pytest.mark.parametrize(
    ("noise", "offset", "held"), [(0.01, 0, True), (0.5, 0, False), (0, 0.5, False), (0, np.nan, False)]
)
def test_a_model_of_numbers_is_held_to_fp32s_numbers(noise: float, offset: float, held: bool) -> None:
    generator = np.random.default_rng(0)
    reference = generator.normal(size=(500, 1)).astype(np.float32)
    logits = (reference + offset + noise * generator.normal(size=(500, 1))).astype(np.float32)
    found = measured(NUMBER, PRODUCTS.linear[:1], PRODUCTS, logits, reference, Limits(max_discordance=0.01))
    assert found.concordance is not None and found.held == held == (1 - found.concordance <= MARGIN * 0.01)
    assert (found.flips, found.expected_flips, found.fp32_share) == (0, 0.0, 0.25)


def test_several_labels_flip_where_any_of_them_does() -> None:
    reference = np.array([[1.0, -1.0, 0.1], [2.0, 2.0, 2.0]], np.float32)
    logits = reference - np.array([[0.0, 0.0, 0.2], [0.0, 0.0, 0.0]], np.float32)
    found = measured(SEVERAL, (), PRODUCTS, logits, reference, Limits(0.01))
    assert (found.flips, found.concordance, found.held) == (1, None, False)
    assert measured(ONE, (), PRODUCTS, logits, reference, Limits(0.01)).flips == 0
