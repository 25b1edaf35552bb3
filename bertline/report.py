"""A report as one HTML page to send around: no script, nothing loaded, light or dark, on a phone or on paper.

Every text is escaped, since labels and sentences come from users' files. Only `Chart.svg` is markup, and must
come from `bertline.charts`, which escapes its own.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from numbers import Integral, Real

Cell = str | float | None

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NUMERIC = re.compile(r"\(?[+\-±\N{MINUS SIGN}]?(\d[\d,]*)?\.?\d+(e[+-]?\d+)?( ?[%×])?\)?", re.ASCII)
_MISSING = "\N{EN DASH}"


@dataclass(frozen=True)
class Table:
    """Rows of cells under named columns; a column of numbers, or texts that read as such, is right-aligned.

    Integers are written with thousands separators, other numbers with four significant digits, None and NaN
    as a dash. Pass text where other digits are wanted.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str | None = None


@dataclass(frozen=True)
class Chart:
    """An inline SVG from `bertline.charts`; charts in a row stand side by side where there is room."""

    svg: str
    caption: str | None = None


@dataclass(frozen=True)
class Commands:
    """Shell commands, one per line, as the reader would type them."""

    lines: Sequence[str]


@dataclass(frozen=True)
class Facts:
    """Names and their values, such as the environment of a run."""

    mapping: Mapping[str, Cell]


Block = str | Table | Chart | Commands | Facts
"""A str is a paragraph."""


@dataclass(frozen=True)
class Section:
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Report:
    """`headline` holds (figure, what it is) pairs, shown as large tiles: ("0.564", "MCC on 8,551 rows")."""

    title: str
    subtitle: str
    headline: Sequence[tuple[str, str]]
    sections: Sequence[Section]


def render_html(report: Report) -> str:
    """The whole page as text, to be written as UTF-8; characters that XML forbids become U+FFFD.

    Raises ValueError when a table's row has not one cell for each column, or a chart is no SVG.
    """
    page = _PAGE.format(
        title=escape(report.title),
        style=_STYLE,
        subtitle=f'<p class="subtitle">{escape(report.subtitle)}</p>' if report.subtitle else "",
        tiles=_tiles(report.headline),
        sections="\n".join(map(_section, report.sections)),
    )
    return _NOT_XML.sub("\ufffd", page)


def _tiles(headline: Sequence[tuple[str, str]]) -> str:
    tiles = [f"<div><dt>{escape(name)}</dt><dd>{escape(figure)}</dd></div>" for figure, name in headline]
    return f'<dl class="tiles">{"".join(tiles)}</dl>' if tiles else ""


def _section(section: Section) -> str:
    parts = [f"<h2>{escape(section.title)}</h2>"]
    for charts, blocks in groupby(section.blocks, lambda block: isinstance(block, Chart)):
        body = "\n".join(map(_block, blocks))
        parts.append(f'<div class="charts">\n{body}\n</div>' if charts else body)
    return "<section>\n" + "\n".join(parts) + "\n</section>"


def _block(block: Block) -> str:
    match block:
        case str():
            return f"<p>{escape(block)}</p>"
        case Table():
            return _table(block)
        case Chart():
            return _chart(block)
        case Commands(lines):
            return f'<pre tabindex="0"><code>{escape(chr(10).join(lines))}</code></pre>'
        case Facts(mapping):
            return _facts(mapping)


def _chart(chart: Chart) -> str:
    if not chart.svg.startswith("<svg "):
        raise ValueError("Chart.svg must be what a function of bertline.charts returned, before standalone()")
    caption = f"<figcaption>{escape(chart.caption)}</figcaption>" if chart.caption else ""
    return f"<figure>{chart.svg}{caption}</figure>"


def _table(table: Table) -> str:
    for index, row in enumerate(table.rows):
        if len(row) != len(table.columns):
            raise ValueError(f"row {index} of a table has {len(row)} cells for {len(table.columns)} columns: {row!r}")
    styles = [_style([row[i] for row in table.rows]) for i in range(len(table.columns))]
    head = "".join(
        f'<th scope="col"{style}>{escape(name)}</th>' for name, style in zip(table.columns, styles, strict=True)
    )
    body = "\n".join(
        "<tr>" + "".join(f"<td{style}>{_cell(cell)}</td>" for cell, style in zip(row, styles, strict=True)) + "</tr>"
        for row in table.rows
    )
    body = body or f'<tr><td colspan="{len(table.columns)}">no rows</td></tr>'
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    return _scrolling(f"{caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>", table.caption or "table")


def _facts(mapping: Mapping[str, Cell]) -> str:
    rows = [f'<tr><th scope="row">{escape(name)}</th><td>{_cell(value)}</td></tr>' for name, value in mapping.items()]
    return _scrolling(f'<tbody class="facts">{"".join(rows)}</tbody>', "facts")


def _scrolling(rows: str, label: str) -> str:
    """A table in a box that scrolls by itself where the screen is narrow; by keyboard, too."""
    name = escape(label)
    return f'<div class="table" role="region" aria-label="{name}" tabindex="0"><table>{rows}</table></div>'


def _style(cells: Sequence[Cell]) -> str:
    """The class of a column: numbers stand right, long texts may wrap, short ones stay on one line."""
    if is_numeric(cells):
        return ' class="number"'
    return ' class="long"' if any(cell is not None and len(str(cell)) > 30 for cell in cells) else ""


def is_numeric(cells: Sequence[Cell]) -> bool:
    """Whether a column holds numbers, or texts that read as such, beside cells without any."""
    known = [cell for cell in cells if cell not in (None, "", _MISSING)]
    return bool(known) and all(map(_is_number, known))


def _is_number(cell: Cell) -> bool:
    if isinstance(cell, str):
        return _NUMERIC.fullmatch(cell.strip()) is not None
    return isinstance(cell, Real) and not isinstance(cell, bool)


def _cell(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, Integral):  # numpy's integers, too
        return f"{int(cell):,}"
    if isinstance(cell, Real):
        value = float(cell)
        if math.isnan(value):
            return _MISSING
        return f"{value:,.0f}" if 9999.5 <= abs(value) < 1e15 else f"{value:,.4g}"
    return _MISSING if cell is None else escape(str(cell))


_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --accent: #0b5c93;
  --page: #f6f7f9; --card: #fff; --line: #d9dee4; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ed; --soft: #a3adb8; --accent: #6cb6ee;
    --page: #0e1115; --card: #14181d; --line: #2d343c; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); overflow-wrap: anywhere;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.015em; margin: 0; text-wrap: balance; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 0 0 0.8rem; }
p { max-width: 44rem; margin: 0 0 1rem; }
.subtitle { color: var(--soft); margin: 0.5rem 0 0; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 1.4rem 1.5rem; margin-top: 1.25rem; }
section > :last-child { margin-bottom: 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 11rem), 1fr));
  gap: 0.9rem; margin: 1.75rem 0 0; }
.tiles > div { display: flex; flex-direction: column-reverse; justify-content: flex-end;
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 0.9rem 1.1rem; }
.tiles dd { margin: 0; color: var(--accent); font-size: 1.75rem; font-weight: 650; line-height: 1.25;
  font-variant-numeric: tabular-nums; }
.tiles dt { color: var(--soft); font-size: 0.875rem; line-height: 1.4; margin-top: 0.15rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr));
  gap: 1.75rem 2.25rem; margin: 0 0 1.25rem; }
figure { margin: 0; max-width: 36rem; }
figure svg { display: block; width: 100%; height: auto; }
figcaption, caption { color: var(--soft); font-size: 0.875rem; line-height: 1.45; text-align: left; }
figcaption { margin-top: 0.4rem; }
caption { padding-bottom: 0.5rem; }
.table { overflow-x: auto; margin: 0 0 1.25rem; }
table { border-collapse: collapse; font-size: 0.925rem; line-height: 1.4; }
th, td { padding: 0.42rem 1.1rem 0.42rem 0; border-bottom: 1px solid var(--line);
  text-align: left; vertical-align: top; white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
tbody tr:last-child > * { border-bottom: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.long { white-space: normal; min-width: 15rem; max-width: 36rem; }
.facts th { color: var(--soft); font-weight: 400; white-space: normal; min-width: 7.5rem; max-width: 16rem; }
.facts td { white-space: normal; min-width: 11rem; }
pre { overflow-x: auto; background: var(--page); border: 1px solid var(--line); border-radius: 8px;
  margin: 0 0 1.25rem; padding: 0.8rem 1rem;
  font: 0.875rem/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code { font: inherit; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
@media (max-width: 480px) {
  main { padding: 1.5rem 0.5rem 2.5rem; }
  header { padding: 0 0.5rem; }
  h1 { font-size: 1.5rem; }
  section { padding: 1.1rem 0.7rem; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0.6rem; }
  .tiles > div { padding: 0.7rem 0.8rem; }
  .tiles dd { font-size: 1.35rem; }
}
@media print {
  :root { color-scheme: light; --page: #fff; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  html, body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  section { border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: 1rem 0 0; }
  .tiles { grid-template-columns: repeat(4, 1fr); }
  .charts { grid-template-columns: repeat(2, 1fr); gap: 1.25rem; }
  .table, pre { overflow: visible; }
  pre { white-space: pre-wrap; }
  table { font-size: 0.85rem; }
  th, td { padding-right: 0.8rem; white-space: normal; }
  thead th, td { overflow-wrap: break-word; }
  td.number { white-space: nowrap; }
  .long { min-width: 6rem; }
  td.long, .facts td { overflow-wrap: anywhere; }
  thead { display: table-header-group; }
  figure, tr, pre, .tiles > div { break-inside: avoid; }
  h2 { break-after: avoid; }
}
"""

# The policy forbids the page to run or to load anything at all, whatever a text in it might contain.
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<header>
<h1>{title}</h1>
{subtitle}
{tiles}
</header>
{sections}
</main>
</body>
</html>
"""
