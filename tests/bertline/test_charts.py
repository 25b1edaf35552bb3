"""The charts are parsed as XML: what they say, where they put it, and that no text can break out."""

import math
import re
from itertools import combinations
from typing import TypedDict
from xml.etree import ElementTree

import pytest

from bertline import charts
from bertline.axes import axis_over, number
from bertline.svg import COLOURS, WIDTH, width_of

SVG = "{http://www.w3.org/2000/svg}"
EVIL = "<script>alert('x')</script> & \"quoted\" ]]> \x00\x0b \ud800"
LONG = "a label that goes on and on " * 20

LOSSES: dict[str, list[tuple[float, float | None]]] = {
    "training": [(epoch, 0.7 / epoch) for epoch in range(1, 9)],
    "validation": [(1, 0.6), (2, None), (3, math.nan), (4, 0.5), (5, 0.55)],
}


class Words(TypedDict):
    title: str
    x_label: str
    y_label: str


def examples() -> dict[str, str]:
    """Every kind of chart, in the usual form and at its edges."""
    bars = [(str(i + 1), math.sin(i)) for i in range(512)]
    words: Words = {"title": EVIL, "x_label": EVIL, "y_label": EVIL}
    long: Words = {"title": LONG, "x_label": LONG, "y_label": LONG}
    usual: Words = {"title": "MCC per batch of 32", "x_label": "batch", "y_label": "MCC"}
    lengths = [(2.0**k, 1.5**k) for k in range(3, 10)]
    return {
        "lines": charts.line_chart(LOSSES, **usual, mark=(4, "best: epoch 4")),
        "lines, log": charts.line_chart({"fp32": lengths}, **usual, log_x=True, log_y=True),
        "lines, log, wide": charts.line_chart({"a": [(1, 1e-9), (3, 7e4)]}, **usual, log_y=True),
        "lines, log, one point": charts.line_chart({"a": [(3, 0.3)]}, **usual, log_x=True, log_y=True),
        "lines, none": charts.line_chart({}, **usual, mark=(1, "nowhere")),
        "lines, all gaps": charts.line_chart({"a": [(1, None), (math.nan, 2), (3, math.inf)]}, **usual),
        "lines, one point": charts.line_chart({"a": [(1, 0.5)]}, **usual),
        "lines, all equal": charts.line_chart({"a": [(1, -2), (2, -2), (3, -2)]}, **usual),
        "lines, large": charts.line_chart({"a": [(1, 1e6), (10**6, 2e6)]}, **usual),
        "lines, tiny": charts.line_chart({"a": [(1, 4.7e-6), (2, 7e-7)]}, **usual),
        "lines, evil": charts.line_chart({EVIL: [(1, 2), (2, 3)], EVIL + "2": []}, **words, mark=(1, EVIL)),
        "lines, long": charts.line_chart({f"{i} {LONG}": [(i, i)] for i in range(9)}, **long, mark=(8, LONG)),
        "bars, 1": charts.bar_chart(bars[:1], **usual),
        "bars, 17": charts.bar_chart(bars[:17], **usual, reference=(0.31, "total 0.31")),
        "bars, 512": charts.bar_chart(bars, **usual, reference=(0.31, "total 0.31")),
        "bars, none": charts.bar_chart([], **usual, reference=(0.3, "total")),
        "bars, gaps": charts.bar_chart([("a", None), ("b", math.nan), ("c", 0.0)], **usual),
        "bars, all zero": charts.bar_chart([("a", 0), ("b", 0)], **usual, reference=(math.nan, "undefined")),
        "bars, negative": charts.bar_chart([("a", -1200), ("b", -3400)], **usual),
        "bars, evil": charts.bar_chart([(EVIL, 1), ("b", 2)], **words, reference=(1, EVIL)),
        "bars, long": charts.bar_chart([(f"{i} {LONG}", i) for i in range(40)], **long, reference=(9, LONG)),
        "histogram": charts.histogram(
            [(3, 4, 10), (4, 5, 1250), (5, 9, 0)],
            title="Lengths",
            x_label="tokens",
            mark=(64, "max_length 64"),
        ),
        "histogram, none": charts.histogram([], title="Lengths", x_label="tokens", mark=(64, "max_length")),
        "histogram, all zero": charts.histogram([(0, 1, 0), (1, 2, 0)], title="t", x_label="tokens"),
        "histogram, evil": charts.histogram([(0, 1, 1)], **words, mark=(1, EVIL)),
        "matrix": charts.confusion_matrix([[98, 64], [47, 318]], ["no", "yes"], title="Confusion"),
        "matrix, none": charts.confusion_matrix([], [], title="Confusion"),
        "matrix, all zero": charts.confusion_matrix([[0]], ["only"], title="Confusion"),
        "matrix, many": charts.confusion_matrix(
            [[int(i == j) for j in range(77)] for i in range(77)],
            [f"intent {i}" for i in range(77)],
            title="77",
        ),
        "matrix, evil": charts.confusion_matrix([[1, 2], [3, 4]], [EVIL, "b"], title=EVIL),
        "matrix, long": charts.confusion_matrix([[1, 2], [3, 10**9]], [LONG, LONG], title=LONG),
    }


EXAMPLES = examples()
every_chart = pytest.mark.parametrize("name", EXAMPLES)


def parse(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg.encode("utf-8"))


def texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in parse(svg).iter("text")]


def told(svg: str) -> list[str]:
    """What the marks say when pointed at: the text of every title below the root."""
    return [
        "".join(title.itertext()) for mark in parse(svg).iter() if mark.tag != "svg" for title in mark.findall("title")
    ]


def box(text: ElementTree.Element) -> tuple[float, float, float, float]:
    """Estimated left, top, right and bottom of a text, turned where it stands upright."""
    size = float(text.get("font-size", "12"))
    width = width_of(text.text or "", size)
    x, y = float(text.attrib["x"]), float(text.attrib["y"])
    before = {"start": 0.0, "middle": width / 2, "end": width}[text.attrib["text-anchor"]]
    if "transform" in text.attrib:
        return x - size * 0.8, y - width + before, x + size * 0.2, y + before
    return x - before, y - size * 0.8, x - before + width, y + size * 0.2


@every_chart
def test_is_well_formed_and_named_for_screen_readers(name: str) -> None:
    root = parse(EXAMPLES[name])
    assert root.tag == "svg"
    assert root.get("role") == "img"
    assert root.get("aria-label") == root.findtext("title") != ""
    assert root.findtext("desc")
    assert "nan" not in re.sub("<(desc|title|text)[^>]*>.*?</", "", EXAMPLES[name])


@every_chart
def test_every_text_and_mark_lies_inside_the_view_box(name: str) -> None:
    root = parse(EXAMPLES[name])
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert width == WIDTH
    for text in root.iter("text"):
        left, top, right, bottom = box(text)
        assert left >= -1 and top >= -1 and right <= width + 1 and bottom <= height + 1, text.text
    for mark in root.iter("rect"):
        x, y, w, h = (float(mark.attrib[key]) for key in ("x", "y", "width", "height"))
        assert w > 0 and h > 0
        assert x >= 0 and y >= 0 and x + w <= width + 0.1 and y + h <= height + 0.1


@every_chart
def test_no_two_texts_overlap(name: str) -> None:
    for one, other in combinations(parse(EXAMPLES[name]).iter("text"), 2):
        a, b = box(one), box(other)
        apart = a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 1 or b[3] <= a[1] + 1
        assert apart, (one.text, other.text)


@every_chart
def test_holds_no_script_and_refers_to_nothing(name: str) -> None:
    svg = EXAMPLES[name]
    assert "<script" not in svg
    assert not {element.tag for element in parse(svg).iter()} - {
        "svg", "title", "desc", "text", "rect", "line", "path", "circle"
    }  # fmt: skip
    assert "://" not in svg and "href" not in svg and "url(" not in svg
    assert charts.standalone(svg).count("://") == 1  # the namespace


def test_hostile_labels_come_out_as_text() -> None:
    assert any(text.startswith("<script>") for text in texts(EXAMPLES["bars, evil"]))
    assert any("<script>alert('x')</script> & \"quoted\"" in title for title in told(EXAMPLES["bars, evil"]))
    assert "\ufffd" in EXAMPLES["bars, evil"] and "\x00" not in EXAMPLES["bars, evil"]


@pytest.mark.parametrize("size", [1, 17, 512])
def test_one_bar_for_each_value(size: int) -> None:
    assert len(list(parse(EXAMPLES[f"bars, {size}"]).iter("rect"))) == size


def test_negative_bars_hang_below_the_axis_in_another_colour() -> None:
    svg = charts.bar_chart([("1", 0.5), ("2", -0.25)], title="t", x_label="batch", y_label="MCC")
    up, down = parse(svg).iter("rect")
    foot = float(up.attrib["y"]) + float(up.attrib["height"])
    assert float(down.attrib["y"]) == pytest.approx(foot, abs=0.11)
    assert float(up.attrib["height"]) == pytest.approx(2 * float(down.attrib["height"]), abs=0.2)
    assert up.attrib["fill"] != down.attrib["fill"]
    assert "\N{MINUS SIGN}0.25" in texts(svg)


def test_crowded_bars_are_labelled_at_round_numbers() -> None:
    shown = [int(text) for text in texts(EXAMPLES["bars, 512"]) if text.isdecimal()]
    assert len(shown) >= 5
    assert shown == list(range(shown[0], 513, shown[0]))
    assert shown[0] in (20, 50, 100)


def test_the_reference_line_is_labelled_beside_the_plot() -> None:
    assert {"total", "0.31"} <= set(texts(EXAMPLES["bars, 17"])) or "total 0.31" in texts(EXAMPLES["bars, 17"])


def test_a_missing_value_breaks_the_line() -> None:
    paths = [path.attrib["d"] for path in parse(EXAMPLES["lines"]).iter("path") if "L" in path.attrib["d"]]
    training, validation = paths
    assert training.count("M") == 1 and training.count("L") == 7
    assert validation.count("M") == 2 and validation.count("L") == 1
    assert "h0" in validation  # the point before the gap stands alone and is still drawn
    assert len(list(parse(EXAMPLES["lines"]).iter("circle"))) == 8 + 3


def test_lines_carry_a_legend_a_mark_and_whole_epochs() -> None:
    shown = texts(EXAMPLES["lines"])
    assert {"training", "validation", "best: epoch 4"} <= set(shown)
    assert {"2", "4", "6", "8"} <= set(shown)
    assert "1.5" not in shown


def test_sequence_lengths_double_along_a_log_axis() -> None:
    shown = texts(EXAMPLES["lines, log"])
    assert {"8", "16", "32", "64", "128", "256", "512"} <= set(shown)
    ticks = [text for text in parse(EXAMPLES["lines, log"]).iter("text") if text.text in {"8", "16", "32"}]
    places = sorted(float(tick.attrib["x"]) for tick in ticks)
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=0.2)


@pytest.mark.parametrize("value", [0.0, -1.0])
@pytest.mark.parametrize("axis", ["log_x", "log_y"])
def test_a_log_axis_refuses_what_has_no_logarithm(axis: str, value: float) -> None:
    point = (value, 1.0) if axis == "log_x" else (1.0, value)
    with pytest.raises(ValueError, match="logarithmic"):
        charts.line_chart(
            {"a": [point]},
            title="t",
            x_label="tokens",
            y_label="ms",
            log_x=axis == "log_x",
            log_y=axis == "log_y",
        )


def test_a_histogram_draws_the_bins_that_hold_something() -> None:
    assert told(EXAMPLES["histogram"]) == ["3 to 4: 10 rows", "4 to 5: 1,250 rows"]
    assert "max_length 64" in texts(EXAMPLES["histogram"])


@pytest.mark.parametrize("bin", [(1, 1, 3), (2, 1, 3), (0, 1, -1), (0, math.nan, 1), (0, math.inf, 1)])
def test_a_histogram_refuses_impossible_bins(bin: tuple[float, float, int]) -> None:
    with pytest.raises(ValueError, match="low < high"):
        charts.histogram([bin], title="t", x_label="tokens")


def test_a_matrix_shows_counts_and_shares_of_the_row() -> None:
    shown = texts(EXAMPLES["matrix"])
    assert {"98", "64", "47", "318", "60.5%", "39.5%", "12.9%", "87.1%"} <= set(shown)
    cells = list(parse(EXAMPLES["matrix"]).iter("rect"))
    assert all(cell.attrib["width"] == cell.attrib["height"] for cell in cells)
    depth = [float(cell.attrib["fill-opacity"]) for cell in cells]
    assert sorted(depth) == [depth[2], depth[1], depth[0], depth[3]]
    assert told(EXAMPLES["matrix"])[1] == "true no, predicted yes: 64 (39.5%)"


@pytest.mark.parametrize("counts", [[[1, 2]], [[1], [2]], [[1, 2], [3, -4]]])
def test_a_matrix_refuses_what_does_not_fit_its_labels(counts: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="confusion matrix of 2 labels"):
        charts.confusion_matrix(counts, ["a", "b"], title="t")


@every_chart
def test_standalone_is_a_whole_file_with_ink_of_its_own(name: str) -> None:
    text = charts.standalone(EXAMPLES[name])
    root = parse(text)
    assert root.tag == SVG + "svg"
    style = root.findtext(SVG + "style") or ""
    assert "prefers-color-scheme:dark" in style and "background" in style


def test_standalone_refuses_what_is_no_chart() -> None:
    with pytest.raises(ValueError, match="chart function"):
        charts.standalone("<p>no</p>")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (-0.0, "0"), (0.314159, "0.314"), (12.44, "12.4"), (999.7, "1,000"), (1234567, "1,234,567"),
        (-0.5, "-0.5"), (4.7e-6, "4.7e-6"), (1e-5, "1e-5"), (0.001, "0.001"), (2e13, "2e13"),
    ],
)  # fmt: skip
def test_number(value: float, text: str) -> None:
    assert number(value) == text.replace("-", "\N{MINUS SIGN}")


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0, 1], (0, 1)),
        ([-0.35, 0.92], (-0.5, 0, 0.5, 1)),
        ([0, 2300], (0, 500, 1000, 1500, 2000, 2500)),
        ([5.0], (4, 5, 6)),
    ],
)
def test_ticks_are_round_and_enclose_the_values(values: list[float], ticks: tuple[float, ...]) -> None:
    assert axis_over(values, "y", widen=True).ticks == pytest.approx(ticks)


@pytest.mark.parametrize("background", ["#ffffff", "#14181d"])
def test_data_colours_stand_out_on_light_and_dark(background: str) -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour in COLOURS:
        low, high = sorted((luminance(colour), luminance(background)))
        assert (high + 0.05) / (low + 0.05) >= 3, colour
