"""A grid of counts: a cell for each pair of ranges that has rows, and the diagonal where both are equal."""

import re
from xml.etree import ElementTree

import pytest

from bertline.evaluation.number_charts import grid_chart

NAMES = {"title": "t", "x_label": "true & so on", "y_label": "predicted"}


def test_cells_with_rows_are_drawn_the_darker_the_more() -> None:
    svg = grid_chart([[1, 0, 0], [0, 100, 10], [0, 0, 1]], [0.0, 1.0, 2.0, 3.0], **NAMES)
    ElementTree.fromstring(svg)
    assert re.findall(r'fill-opacity="([\d.]+)"><title>', svg) == ["0.20", "1.00", "0.60", "0.20"]
    assert "1 to 2, 2 to 3: 10" in svg and "112 rows from 0 to 3, at most 100 in a cell" in svg
    assert "true &amp; so on" in svg


def test_one_row_is_as_dark_as_can_be_and_none_is_no_data() -> None:
    assert 'fill-opacity="1.00"' in grid_chart([[1]], [-1.0, 1.0], **NAMES)
    assert "No data" in grid_chart([[0]], [-1.0, 1.0], **NAMES)


@pytest.mark.parametrize(("counts", "edges"), [([[1]], [1.0, 1.0]), ([[1, 2]], [0.0, 1.0]), ([[1]], [0.0, 1.0, 2.0])])
def test_what_does_not_fit_is_refused(counts: list[list[int]], edges: list[float]) -> None:
    with pytest.raises(ValueError, match=r"must rise|as many counts"):
        grid_chart(counts, edges, **NAMES)
