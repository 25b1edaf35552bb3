"""Charts as SVG text: pure functions, no dependencies, no script.

Every chart is `svg.WIDTH` wide, as high as it needs, and scales by its viewBox. None, NaN and infinities are gaps.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from bertline.axes import Axis, Plot, axis_over, frame_of, mark_at, number, plot_of
from bertline.svg import COLOURS, WIDTH, cut, document, heading, lines_at, no_data, rule, sign, text_at, width_of, wrap

_BOX = re.compile(r'<svg viewBox="0 0 (\d+) (\d+)" width="\d+" height="\d+"')
_STANDALONE_STYLE = (
    "<style>svg{color:#1f2328;background:#fff}"
    "@media screen and (prefers-color-scheme:dark){svg{color:#e6e9ed;background:#14181d}}</style>"
)


def line_chart(
    series: Mapping[str, Sequence[tuple[float, float | None]]],
    *,
    title: str,
    x_label: str,
    y_label: str,
    log_x: bool = False,
    log_y: bool = False,
    mark: tuple[float, str] | None = None,
) -> str:
    """Lines through (x, y) points, one line per name; `mark` is (x, label), a vertical line.

    Axis labels should name the unit ("milliseconds"). Raises ValueError when a log axis meets a value of 0 or
    less.
    """
    points = {name: [(x, _known(y)) for x, y in values] for name, values in series.items()}
    shown = [(x, y) for values in points.values() for x, y in values if y is not None and math.isfinite(x)]
    mark = _finite(mark) if shown else None
    x_axis = axis_over([x for x, _ in shown] + ([mark[0]] if mark else []), x_label, log=log_x)
    y_axis = axis_over([y for _, y in shown], y_label, log=log_y, widen=True)
    head, top = heading(title, y_label, list(series) if len(series) > 1 else [])
    plot = plot_of(x_axis, y_axis, top + (18 if mark else 0))
    frame, foot = frame_of(plot, x_label, [(plot.x(tick), x_axis.label(tick)) for tick in x_axis.ticks])
    lines = [_line(plot, values, *sign(index)) for index, values in enumerate(points.values())]
    told = "; ".join(_range(name, [y for _, y in values]) for name, values in points.items())
    return document(
        title,
        f"Lines of {y_label} by {x_label}. {told}" + (f"; marked: {mark[1]}" if mark else ""),
        foot,
        [head, frame, mark_at(plot, mark), *lines],
    )


def bar_chart(
    bars: Sequence[tuple[str, float | None]],
    *,
    title: str,
    x_label: str,
    y_label: str,
    reference: tuple[float, str] | None = None,
    band: tuple[float, float, float] | None = None,
) -> str:
    """Upright bars of (label, value), hanging where negative; `reference` is (value, label), a level line.

    `band` is (low, middle, high), such as quartiles: a shade over all bars, with a thin line at its middle.
    """
    known = [(index, label, value) for index, (label, v) in enumerate(bars) if (value := _known(v)) is not None]
    values = [value for _, _, value in known]
    reference = _finite(reference) if known else None
    y_axis = axis_over(
        [*values, 0, *([reference[0]] if reference else []), *(band or [])] if known else [], y_label, widen=True
    )
    aside = wrap(reference[1], 76) if reference else []
    head, top = heading(title, y_label)
    margin = 8 + max(map(width_of, aside), default=0)
    plot = plot_of(Axis(0, max(len(bars), 1)), y_axis, top + 12, margin)
    slot = (plot.right - plot.left) / max(len(bars), 1)
    half = slot * (0.4 if slot > 4 else 0.5)  # no gaps between hair-thin bars: they would flicker
    numbered = len(bars) <= 12 and all(width_of(number(value)) < slot for value in values)
    ticks = [(plot.x(index + 0.5), label) for index, (label, _) in enumerate(bars)]
    frame, foot = frame_of(plot, x_label, ticks, slot, grid=0 if numbered else 0.15)
    body = [head, frame]
    for index, label, value in known:
        centre = plot.x(index + 0.5)
        body.append(_upright(plot, centre - half, centre + half, value, f"{label}: {number(value)}"))
        if numbered:
            # a hanging bar has its figure over the axis, where it cannot meet the labels below
            body.append(text_at(centre, plot.y(max(value, 0)) - 5, number(value), "middle"))
    if band and known:
        low, middle, high = map(plot.y, band)
        place = f'x="{plot.left:.1f}" y="{high:.1f}" width="{plot.right - plot.left:.1f}"'
        body.append(f'<rect {place} height="{max(low - high, 1):.1f}" fill="currentColor" fill-opacity="0.15"/>')
        body.append(rule(plot.left, middle, plot.right, middle, 0.7))
    if reference:
        height = plot.y(reference[0])
        body += [rule(plot.left, height, plot.right, height, 0.9, "6 3")]
        body += [lines_at(plot.right + 6, height, aside, "start")]
    told = _range(y_label, values) + (f"; line at {reference[1]}" if reference else "")
    return document(title, f"Bars of {y_label} by {x_label}. {told}", foot, body)


def histogram(
    counts: Sequence[tuple[float, float, int]],
    *,
    title: str,
    x_label: str,
    y_label: str = "rows",
    mark: tuple[float, str] | None = None,
) -> str:
    """Bars of (low, high, count) along a continuous axis; `mark` is (x, label), a vertical line.

    Raises ValueError when a bin has no width or a negative count.
    """
    for low, high, rows in counts:
        if not -math.inf < low < high < math.inf or rows < 0:
            raise ValueError(f"a bin needs low < high and a count of 0 or more, not ({low}, {high}, {rows})")
    mark = _finite(mark) if counts else None
    edges = [edge for low, high, _ in counts for edge in (low, high)]
    x_axis = axis_over(edges + ([mark[0]] if mark else []), x_label)
    y_axis = axis_over([0, *(rows for _, _, rows in counts)] if counts else [], y_label, widen=True)
    head, top = heading(title, y_label)
    plot = plot_of(x_axis, y_axis, top + (18 if mark else 0))
    frame, foot = frame_of(plot, x_label, [(plot.x(tick), x_axis.label(tick)) for tick in x_axis.ticks])
    bars = []
    for low, high, rows in counts:
        seam = min(1.0, (plot.x(high) - plot.x(low)) * 0.1)
        told = f"{number(low)} to {number(high)}: {rows:,} {y_label}"
        bars += [_upright(plot, plot.x(low), plot.x(high) - seam, rows, told)] if rows else []
    total = f"{sum(rows for _, _, rows in counts):,} {y_label} in {len(counts):,} bins"
    told = f"Histogram of {x_label}: {total}" + (f"; marked: {mark[1]}" if mark else "")
    return document(title, told, foot, [head, frame, *bars, mark_at(plot, mark)])


def confusion_matrix(counts: Sequence[Sequence[int]], labels: Sequence[str], *, title: str) -> str:
    """Square cells of counts[true][predicted], each with its share of the row, the depth of its colour.

    Raises ValueError unless there is one row and one column for each label, and no negative count.
    """
    size = len(labels)
    if len(counts) != size or any(len(row) != size or min(row) < 0 for row in counts):
        raise ValueError(f"a confusion matrix of {size} labels needs {size} rows of {size} counts, none negative")
    head, top = heading(title, "")
    if not size:
        return document(title, "No data", top + 60, [head, no_data(top + 30)])
    side = min(104.0, 300 / size)
    thinned = math.ceil(14 / side)  # a label is 14 high: where cells are smaller, every nth is shown
    upright = max(map(width_of, labels)) > side - 6  # column labels that are wider than their cell stand upright
    captions = [wrap(label, 110, lines=2 if side > 30 else 1) for label in labels]
    gutter = max(width_of(line) for lines in captions for line in lines) + 10
    left = max(gutter + 22, (WIDTH - side * size) / 2)
    start = top + 22 + (min(max(map(width_of, labels)), 96) if upright else 14)
    middle = side * size / 2
    body = [head, text_at(left + middle, top + 8, "predicted", "middle", faint=True)]
    body.append(text_at(left - gutter - 8, start + middle, "true", "middle", faint=True, upright=True))
    for i, row in enumerate(counts):
        if i % thinned == 0:
            centre = (i + 0.5) * side
            body.append(lines_at(left - 8, start + centre, captions[i], "end"))
            shift = 4 if upright else 0
            anchor = "start" if upright else "middle"
            body.append(text_at(left + centre + shift, start - 7, cut(labels[i], 96), anchor, upright=upright))
        for j, cell in enumerate(row):
            told = f"true {labels[i]}, predicted {labels[j]}: {cell:,}"
            body.append(_cell(left + j * side, start + i * side, side, cell, sum(row), told))
    right = "; ".join(f"{name}: {counts[i][i]:,} of {sum(counts[i]):,} right" for i, name in enumerate(labels))
    told = f"Confusion matrix, rows are true and columns predicted labels. {right}"
    return document(title, told, start + side * size + 8, body)


def standalone(svg: str) -> str:
    """The chart as the text of an .svg file, with a margin, ink and background of its own, light or dark."""
    head, tag_end, rest = svg.partition(">")
    if not _BOX.match(head) or not tag_end:
        raise ValueError("standalone() takes the text that a chart function returned")
    head = _BOX.sub(_with_margin, head, count=1)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}>{_STANDALONE_STYLE}{rest}\n'


def _with_margin(box: re.Match[str]) -> str:
    width, height = int(box[1]) + 24, int(box[2]) + 20
    size = f'viewBox="-12 -10 {width} {height}" width="{width}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}'


def _known(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _finite(line: tuple[float, str] | None) -> tuple[float, str] | None:
    return line if line and math.isfinite(line[0]) else None


def _line(plot: Plot, points: Sequence[tuple[float, float | None]], colour: str, dash: str) -> str:
    steps, dots, pen = [], [], "M"
    for x, y in points:
        if y is None or not math.isfinite(x):
            pen = "M"
            continue
        place = f"{plot.x(x):.1f} {plot.y(y):.1f}"
        steps.append(f"{pen}{place}" + ("h0" if pen == "M" else ""))  # h0: a lone point is a dot
        told = f"<title>{number(x)}: {number(y)}</title>"
        dots.append(f'<circle cx="{plot.x(x):.1f}" cy="{plot.y(y):.1f}" r="3.2" fill="{colour}">{told}</circle>')
        pen = "L"
    style = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}" stroke-linecap="round"'
    path = f'<path d="{"".join(steps)}" fill="none" stroke-linejoin="round" {style}/>' if steps else ""
    return path + ("".join(dots) if len(dots) <= 40 else "")


def _upright(plot: Plot, left: float, right: float, value: float, told: str) -> str:
    top, bottom = sorted((plot.y(value), plot.y(0)))
    place = f'x="{left:.2f}" y="{top:.1f}" width="{right - left:.2f}" height="{max(bottom - top, 1):.1f}"'
    return f'<rect {place} fill="{COLOURS[value < 0]}"><title>{escape(told)}</title></rect>'


def _cell(x: float, y: float, side: float, cell: int, row_sum: int, told: str) -> str:
    share = cell / row_sum if row_sum else 0.0
    edge = 0.25 if side > 12 else 0.06
    # 0.78: the deepest blue on which the ink of a light page still has a contrast of 4.5:1
    colour = f'fill="{COLOURS[0]}" fill-opacity="{share * 0.78:.3f}" stroke="currentColor" stroke-opacity="{edge}"'
    place = f'x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}"'
    body = f"<rect {place} {colour}><title>{escape(told)} ({share:.1%})</title></rect>"
    middle, size = x + side / 2, min(18, side * 0.24)
    fits = width_of(f"{cell:,}", size) < side - 4
    if side >= 44 and fits:
        body += text_at(middle, y + side / 2 - 1, f"{cell:,}", "middle", size=size, bold=True)
        body += text_at(middle, y + side / 2 + 16, f"{share:.1%}", "middle", size=min(12, side * 0.2))
    elif side >= 24 and fits and cell:
        body += text_at(middle, y + side / 2 + 4, f"{cell:,}", "middle", size=max(size, 9))
    return body


def _range(name: str, values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return f"{name}: no data"
    span = f"{number(min(known))} to {number(max(known))}"
    return f"{name}: {len(known):,} values, {span}, last {number(known[-1])}"
