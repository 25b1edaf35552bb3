"""Scatter charts: numbers that never meet, and the line of what nobody beats."""

import re
from itertools import combinations
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from bertline.axes import axis_over, plot_of
from bertline.scatter import Point, frontier, label_places, scatter_chart
from bertline.svg import WIDTH, width_of


def point(x: float, y: float, name: str = "a way", marked: bool = False) -> Point:
    return Point(name, x, y, x * 0.9, x * 1.1, marked)


POINTS = st.lists(st.builds(point, st.floats(50, 1500), st.sampled_from([0.0, 0.1, 0.5, 9.0])), min_size=1, max_size=24)


@given(POINTS)
@settings(max_examples=60, deadline=None)
def test_numbers_meet_neither_each_other_nor_the_marks(points: list[Point]) -> None:
    x_axis = axis_over([value for p in points for value in (p.low, p.high)], "x", log=True)
    plot = plot_of(x_axis, axis_over([0.0, *(p.y for p in points)], "y", widen=True), 60)
    places = label_places(plot, points)
    halves = [width_of(str(place), 11) / 2 for place in range(1, len(points) + 1)]
    for (i, (ax, ay)), (j, (bx, by)) in combinations(enumerate(places), 2):
        assert abs(ax - bx) >= halves[i] + halves[j] or abs(ay - by) >= 11
    assert all(0 <= x <= WIDTH and y <= plot.bottom for x, y in places)
    assert all(abs(x - plot.x(p.x)) > 4 or abs(y - plot.y(p.y)) > 4 for x, y in places for p in points)


def test_the_frontier_is_what_nobody_beats() -> None:
    fast, exact, beaten, equal = point(900, 2.0), point(500, 0.0), point(400, 1.0), point(500, 0.5)
    assert frontier([beaten, exact, fast, equal]) == [fast, exact]
    assert frontier([]) == []


def test_ours_are_squares_and_others_rings_with_names_below() -> None:
    svg = scatter_chart(
        [point(100, 0.0, "a <peer>"), point(300, 1.0, "ours", marked=True)], title="t", x_label="x", y_label="y"
    )
    ElementTree.fromstring(svg)
    assert len(re.findall("<rect", svg)) == 2 and len(re.findall("<circle", svg)) == 2  # in the plot, in the list
    assert "1 ours" in svg and "2 a &lt;peer&gt;" in svg


def test_without_points_there_is_a_chart_that_says_so() -> None:
    assert "no data" in scatter_chart([], title="t", x_label="x", y_label="y")


def test_hundreds_of_points_are_drawn_all_the_same() -> None:
    crowd = [point(50 + n, n % 7 / 10, f"way {n}") for n in range(300)]
    ElementTree.fromstring(scatter_chart(crowd, title="t", x_label="x", y_label="y"))
