"""Ranked bars: lengths are shares of the greatest, and everything stays inside."""

import re
from xml.etree import ElementTree

from bertline.ranking import Bar, ranking
from bertline.svg import WIDTH

LONG = "a way to score a file with a name that no phone has room for in a single line of twelve units"


def test_lengths_are_shares_of_the_greatest_value() -> None:
    svg = ranking([Bar("a", 100, "100"), Bar("b", 50, "50", marked=True)], title="t", unit="rows/s")
    first, second = map(float, re.findall(r'width="([\d.]+)" height="11"', svg))
    assert second == round(first / 2, 1) and ">100<" in svg


def test_names_figures_and_whiskers_stay_inside() -> None:
    svg = ranking([Bar(LONG, 1e6, "1,000,000", 9e5, 1.2e6), Bar("<b>", 0, "0")], title="t", unit="u")
    ElementTree.fromstring(svg)
    assert "&lt;b&gt;" in svg
    ends = [float(x) for x in re.findall(r"H([\d.]+)M", svg)]
    assert ends and max(ends) + 6 + 9 * 7.2 <= WIDTH


def test_no_bars_and_only_zeros() -> None:
    assert "no data" in ranking([], title="t", unit="u")
    ElementTree.fromstring(ranking([Bar("a", 0, "0")], title="t", unit="u"))
