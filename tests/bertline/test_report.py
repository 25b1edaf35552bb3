"""The page is parsed as a browser would: no text of a user becomes markup, and nothing is fetched."""

import math
import re
from html.parser import HTMLParser

import pytest

from bertline import charts
from bertline.report import Block, Cell, Chart, Commands, Facts, Report, Section, Table, render_html

EVIL = "<script>alert('x')</script> & \"quoted\" \x00\ud800"
VOID = {"meta", "link", "br", "img"}


class Page(HTMLParser):
    """Collects elements and texts, and insists that every element is closed in turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def said(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


def render(*blocks: Block, title: str = "Scored", headline: tuple[tuple[str, str], ...] = ()) -> str:
    return render_html(Report(title, "bert-base-uncased on CPU", headline, [Section("Results", blocks)]))


def bars(title: str = "MCC per batch of 32") -> str:
    return charts.bar_chart([("1", 0.3), ("2", -0.1)], title=title, x_label="batch", y_label="MCC")


EVERYTHING = render_html(
    Report(
        EVIL,
        EVIL,
        [(EVIL, EVIL)],
        [
            Section(
                EVIL,
                [
                    EVIL,
                    Table([EVIL, "n"], [[EVIL, 1]], caption=EVIL),
                    Chart(bars(EVIL), caption=EVIL),
                    Commands([EVIL, "bertline demo"]),
                    Facts({EVIL: EVIL}),
                ],
            )
        ],
    )
)


def test_the_page_has_language_title_and_viewport() -> None:
    html = render()
    page = Page(html)
    assert html.startswith("<!DOCTYPE html>\n")
    assert page.all("html") == [{"lang": "en"}]
    assert page.said("title") == page.said("h1") == ["Scored"]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
    assert "bert-base-uncased on CPU" in page.said("p")
    assert page.said("h2") == ["Results"]


def test_hostile_texts_come_out_as_text_everywhere() -> None:
    page = Page(EVERYTHING)
    assert not page.all("script")
    assert "<script" not in EVERYTHING
    shown = EVIL.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    for tag in ("title", "h1", "h2", "p", "dt", "dd", "th", "td", "caption", "figcaption"):
        assert any(shown in text for text in page.said(tag)), tag
    assert "\n".join([shown, "bertline demo"]) in page.said("code")
    EVERYTHING.encode("utf-8")


def test_the_page_loads_nothing_and_forbids_everything() -> None:
    page = Page(EVERYTHING)
    assert "://" not in EVERYTHING
    assert "url(" not in EVERYTHING and "@import" not in EVERYTHING
    assert not any(key in {"src", "href"} or key.startswith("on") for _, attrs in page.elements for key in attrs)
    policy = next(meta["content"] for meta in page.all("meta") if "http-equiv" in meta)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_light_dark_narrow_and_paper_have_their_styles() -> None:
    style = Page(render()).said("style")[0]
    assert "@media screen and (prefers-color-scheme: dark)" in style  # screen: paper stays light
    assert "@media (max-width: 480px)" in style
    assert "@media print" in style and "break-inside: avoid" in style
    assert style.count("{") == style.count("}")
    used = set(re.findall(r"var\((--\w+)\)", style))
    assert used and used <= set(re.findall(r"(--\w+):", style))


def test_headline_tiles_pair_a_figure_with_what_it_is() -> None:
    page = Page(render(headline=(("0.564", "MCC"), ("1,284", "rows per second"))))
    assert page.said("dd") == ["0.564", "1,284"]
    assert page.said("dt") == ["MCC", "rows per second"]
    assert not Page(render()).all("dl")


def test_numeric_columns_are_right_aligned_and_formatted() -> None:
    rows: list[list[Cell]] = [
        ["batch 1", 1234567, 0.123456, "97.2 %", "\N{MINUS SIGN}1,200.5", True, 3],
        ["batch 2", None, math.nan, "3 %", "4.7e-6", False, "n/a"],
    ]
    page = Page(render(Table(["cell", "rows", "share", "percent", "text", "passed", "mixed"], rows)))
    heads, cells = page.all("th"), page.all("td")
    assert all(head["scope"] == "col" for head in heads)
    assert [head.get("class") for head in heads] == [None, *["number"] * 4, None, None]
    assert [cell.get("class") for cell in cells] == [head.get("class") for head in heads] * 2
    assert page.said("td") == [
        "batch 1", "1,234,567", "0.1235", "97.2 %", "\N{MINUS SIGN}1,200.5", "yes", "3",
        "batch 2", "\N{EN DASH}", "\N{EN DASH}", "3 %", "4.7e-6", "no", "n/a",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        (9999.4, "9,999"),
        (12138.5, "12,138"),
        (1e-6, "1e-06"),
        (math.inf, "inf"),
        (0, "0"),
        (-7, "-7"),
    ],
)
def test_numbers_in_cells(value: float, text: str) -> None:
    assert Page(render(Table(["n"], [[value]]))).said("td") == [text]


def test_numbers_of_numpy_are_numbers() -> None:
    numpy = pytest.importorskip("numpy")
    page = Page(render(Table(["n", "x"], [[numpy.int64(1200), numpy.float32(0.25)]])))
    assert page.said("td") == ["1,200", "0.25"]
    assert all(cell["class"] == "number" for cell in page.all("td"))


def test_long_texts_wrap_and_short_ones_do_not() -> None:
    page = Page(render(Table(["sentence", "label"], [["The more books I ask to whom he will give.", "no"]])))
    assert [cell.get("class") for cell in page.all("td")] == ["long", None]


def test_tables_scroll_in_a_box_of_their_own() -> None:
    page = Page(render(Table(["n"], [[1]], caption="Latency"), Facts({"processor": "x"})))
    boxes = [box for box in page.all("div") if box.get("class") == "table"]
    assert [box["aria-label"] for box in boxes] == ["Latency", "facts"]
    assert all(box["tabindex"] == "0" for box in boxes)


def test_a_table_without_rows_says_so() -> None:
    page = Page(render(Table(["a", "b"], [])))
    assert page.said("td") == ["no rows"]
    assert page.all("td") == [{"colspan": "2"}]


def test_a_ragged_table_is_refused() -> None:
    with pytest.raises(ValueError, match="row 1 of a table has 1 cells for 2 columns"):
        render(Table(["a", "b"], [[1, 2], [3]]))


def test_charts_in_a_row_share_a_grid() -> None:
    page = Page(render(Chart(bars()), Chart(bars(), caption="below"), "between", Chart(bars())))
    grids = [box for box in page.all("div") if box.get("class") == "charts"]
    assert (len(grids), len(page.all("figure")), len(page.all("svg"))) == (2, 3, 3)
    assert page.said("figcaption") == ["below"]


@pytest.mark.parametrize("svg", ["<p>no</p>", "", charts.standalone(bars())])
def test_a_chart_must_be_an_inline_svg(svg: str) -> None:
    with pytest.raises(ValueError, match=r"Chart\.svg"):
        render(Chart(svg))


def test_commands_keep_their_lines() -> None:
    assert "bertline demo\nbertline infer a b" in Page(render(Commands(["bertline demo", "bertline infer a b"]))).said(
        "code"
    )


def test_facts_name_their_rows() -> None:
    page = Page(render(Facts({"rows": 8551, "provider": "CPUExecutionProvider", "bias": None})))
    assert page.all("th") == [{"scope": "row"}] * 3
    assert page.said("td") == ["8,551", "CPUExecutionProvider", "\N{EN DASH}"]


def test_braces_in_a_text_are_no_format() -> None:
    assert "{title} {0}" in Page(render("{title} {0}", title="{style}")).said("p")
