"""The charts of an evaluation keep to the rules of all charts, on any data."""

import math
from itertools import combinations

import pytest

from bertline import charts
from bertline.evaluation.charts import Interval, grouped_histogram, interval_chart
from bertline.svg import WIDTH
from tests.bertline.test_charts import EVIL, LONG, SVG, box, parse, texts, told

EDGES = [number / 20 for number in range(21)]
POINTS = [Interval(f"{n}–{n + 9}", 0.5 + n / 200, 0.3, 0.9, f"{n} rows") for n in range(10, 90, 10)]


def examples() -> dict[str, str]:
    usual = {"title": "Scores", "x_label": "probability of 1"}
    evil = {"title": EVIL, "x_label": EVIL, "y_label": EVIL}
    long = {"title": LONG, "x_label": LONG, "y_label": LONG}
    dots = {"title": "Accuracy by length", "x_label": "tokens", "y_label": "accuracy"}
    mark = (0.5, "0.5, as used")
    bars = [(str(number), 0.3 + number / 50) for number in range(17)]
    return {
        "groups": grouped_histogram(EDGES, {"no": [*range(20)], "yes": [*range(1900, 1920)]}, **usual, mark=mark),
        "groups, one": grouped_histogram(EDGES, {"no": [1] + [0] * 19}, **usual, mark=mark),
        "groups, many": grouped_histogram(EDGES, {f"{n} {LONG}": [n + 1] * 20 for n in range(9)}, **usual, mark=mark),
        "groups, all zero": grouped_histogram(EDGES, {"no": [0] * 20, "yes": [0] * 20}, **usual, mark=mark),
        "groups, none": grouped_histogram([], {}, **usual, mark=mark),
        "groups, marked outside": grouped_histogram([0, 1], {"no": [3]}, **usual, mark=(7, "nowhere")),
        "groups, mark that is none": grouped_histogram([0, 1], {"no": [3]}, **usual, mark=(math.nan, "nowhere")),
        "groups, evil": grouped_histogram(EDGES, {EVIL: [1] * 20, LONG: [2] * 20}, **evil, mark=(0, EVIL)),
        "groups, long": grouped_histogram(EDGES, {LONG: [10**9] * 20}, **long, mark=(1, LONG)),
        "groups, narrow": grouped_histogram([n / 500 for n in range(501)], {"a": [1] * 500, "b": [2] * 500}, **usual),
        "intervals": interval_chart(POINTS, **dots, reference=0.7),
        "intervals, one": interval_chart(POINTS[:1], **dots, reference=0.7),
        "intervals, none": interval_chart([], **dots, reference=0.7),
        "intervals, many": interval_chart(POINTS * 20, **dots),
        "intervals, points": interval_chart([Interval("a", 1, 1, 1, "")], **dots, reference=1.0),
        "intervals, no numbers": interval_chart([Interval("a", math.nan, 0, 1, "")], **dots, reference=0.5),
        "intervals, no reference": interval_chart(POINTS, **dots, reference=math.nan),
        "intervals, evil": interval_chart([Interval(EVIL, 1, 0, 2, EVIL)], **evil),
        "intervals, long": interval_chart([Interval(LONG, n, 0, 2e9, LONG) for n in range(9)], **long, reference=1e9),
        "bars with a band": charts.bar_chart(bars, **dots, reference=(0.5, "all rows 0.5"), band=(0.4, 0.5, 0.6)),
        "bars with a thin band": charts.bar_chart(bars[:1], **dots, band=(0.3, 0.3, 0.3)),
        "no bars, and a band": charts.bar_chart([], **dots, band=(0.3, 0.3, 0.3)),
    }


EXAMPLES = examples()


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_chart_is_named_lies_inside_its_box_and_no_two_texts_overlap(name: str) -> None:
    svg = EXAMPLES[name]
    root = parse(svg)
    assert root.get("role") == "img" and root.get("aria-label") == root.findtext("title") != "" != root.findtext("desc")
    assert "<script" not in svg and "://" not in svg and parse(charts.standalone(svg)).tag == SVG + "svg"
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert width == WIDTH
    for left, top, right, bottom in map(box, root.iter("text")):
        assert left >= -1 and top >= -1 and right <= width + 1 and bottom <= height + 1
    for mark in root.iter("rect"):
        x, y, w, h = (float(mark.attrib[key]) for key in ("x", "y", "width", "height"))
        assert w > 0 and h > 0 and x >= 0 and y >= 0 and x + w <= width + 0.1 and y + h <= height + 0.1
    for one, other in combinations(root.iter("text"), 2):
        a, b = box(one), box(other)
        apart = a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 1 or b[3] <= a[1] + 1
        assert apart, (one.text, other.text)


def test_bars_stand_side_by_side_with_their_counts() -> None:
    svg = grouped_histogram([0, 0.5, 1], {"no": [4, 0], "yes": [2, 8]}, title="t", x_label="score")
    assert told(svg) == ["no, 0 to 0.5: 4", "yes, 0 to 0.5: 2", "yes, 0.5 to 1: 8"]
    no, yes, other = [mark for mark in parse(svg).iter("rect") if mark.find("title") is not None]
    assert float(no.attrib["x"]) + float(no.attrib["width"]) == pytest.approx(float(yes.attrib["x"]), abs=0.02)
    assert float(other.attrib["height"]) == pytest.approx(2 * float(no.attrib["height"]), abs=0.2)
    assert no.attrib["fill"] != yes.attrib["fill"] == other.attrib["fill"]
    assert {"no", "yes", "rows", "score"} <= set(texts(svg))


def test_what_holds_nothing_says_so() -> None:
    for name in ("groups, all zero", "groups, none", "intervals, none", "intervals, no numbers"):
        assert "no data" in texts(EXAMPLES[name]), name


@pytest.mark.parametrize(
    ("edges", "counts"), [([0, 0], [1]), ([1, 0], [1]), ([0, math.nan], [1]), ([0, 1], [1, 2]), ([0, 1], [-1])]
)
def test_a_grouped_histogram_refuses_what_is_none(edges: list[float], counts: list[int]) -> None:
    with pytest.raises(ValueError, match=r"must rise|need as many counts"):
        grouped_histogram(edges, {"a": counts}, title="t", x_label="x")


def test_an_interval_reaches_from_its_low_to_its_high_end() -> None:
    svg = interval_chart([Interval("a", 0.5, 0, 1, "12 rows")], title="t", x_label="x", y_label="y")
    path, dot = next(parse(svg).iter("path")), next(parse(svg).iter("circle"))
    low, high = (float(part) for part in path.attrib["d"].split("M")[1].split()[1].split("V"))
    assert float(dot.attrib["cy"]) == pytest.approx((low + high) / 2, abs=0.1)
    assert told(svg) == ["a: 12 rows"]


def test_a_band_covers_the_bars_from_quartile_to_quartile() -> None:
    shade = [mark for mark in parse(EXAMPLES["bars with a band"]).iter("rect") if mark.get("fill") == "currentColor"]
    assert len(shade) == 1 and float(shade[0].attrib["height"]) > 10
