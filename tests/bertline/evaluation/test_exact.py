"""Sums and products without rounding, against Python's fractions."""

from fractions import Fraction

import numpy as np

from bertline.evaluation.exact import UNIT, exact_product, exact_sums


def test_sums_are_those_of_fractions_at_any_size() -> None:
    generator = np.random.default_rng(0)
    values = generator.normal(0, 1, 2000) * 10.0 ** generator.integers(-300, 300, 2000)
    values[:4] = 0.0, 5e-324, -1.7976931348623157e308, 2.0**-1022
    groups = generator.integers(0, 3, 2000)
    expected = [sum((Fraction(value) for value in values[groups == group].tolist()), Fraction()) for group in range(4)]
    assert [Fraction(total, UNIT) for total in exact_sums(values, groups, 4)] == expected
    assert exact_sums(np.zeros(0), np.zeros(0, np.int64), 2) == [0, 0]


def test_products_are_those_of_fractions() -> None:
    generator = np.random.default_rng(0)
    a, b = generator.normal(0, 1, (2, 500)) * 10.0 ** generator.integers(-38, 38, (2, 500))
    for x, y, product, error in zip(*(part.tolist() for part in (a, b, *exact_product(a, b))), strict=True):
        assert Fraction(product) + Fraction(error) == Fraction(x) * Fraction(y)
