"""Charts as SVG text: pure functions, no dependencies, no script.

Ink is `currentColor`: an inline chart takes the text colour of the page around it, light or dark. The data
colours can be told apart by colour-blind readers and reach a contrast of 3:1 on white and on near-black, so
one set serves both. Lengths are SVG user units: every chart is `WIDTH` wide, as high as it needs, and scales
by its viewBox. None, NaN and infinities are gaps. Labels may be any text: they are escaped, wrapped to a few
lines and then cut with an ellipsis.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count, pairwise

WIDTH = 460  # narrow, so that letters stay readable when a phone shows the chart at 320 pixels
PLOT_HEIGHT = 200
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#aa4499", "#a6761d", "#767676")
DASHES = ("none", "7 3", "2 3", "9 3 2 3")  # a second sign beside the colour

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
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
    x_axis = _axis([x for x, _ in shown] + ([mark[0]] if mark else []), x_label, log=log_x)
    y_axis = _axis([y for _, y in shown], y_label, log=log_y, widen=True)
    head, top = _head(title, y_label, list(series) if len(series) > 1 else [], lines=True)
    plot = _plot(x_axis, y_axis, top + (18 if mark else 0))
    frame, foot = _frame(plot, x_label, [(plot.x(tick), x_axis.label(tick)) for tick in x_axis.ticks])
    lines = [_line(plot, values, *_sign(index)) for index, values in enumerate(points.values())]
    told = "; ".join(_range(name, [y for _, y in values]) for name, values in points.items())
    return _svg(
        title,
        f"Lines of {y_label} by {x_label}. {told}" + (f"; marked: {mark[1]}" if mark else ""),
        foot,
        [head, frame, _mark(plot, mark), *lines],
    )


def bar_chart(
    bars: Sequence[tuple[str, float | None]],
    *,
    title: str,
    x_label: str,
    y_label: str,
    reference: tuple[float, str] | None = None,
) -> str:
    """Upright bars of (label, value), hanging where negative; `reference` is (value, label), a level line."""
    known = [(index, label, value) for index, (label, v) in enumerate(bars) if (value := _known(v)) is not None]
    values = [value for _, _, value in known]
    reference = _finite(reference) if known else None
    y_axis = _axis([*values, 0, *([reference[0]] if reference else [])] if known else [], y_label, widen=True)
    aside = _wrap(reference[1], 76) if reference else []
    head, top = _head(title, y_label)
    margin = 8 + max(map(_width, aside), default=0)
    plot = _plot(_Axis(0, max(len(bars), 1)), y_axis, top + 12, margin)
    slot = (plot.right - plot.left) / max(len(bars), 1)
    half = slot * (0.4 if slot > 4 else 0.5)  # no gaps between hair-thin bars: they would flicker
    numbered = len(bars) <= 12 and all(_width(number(value)) < slot for value in values)
    ticks = [(plot.x(index + 0.5), label) for index, (label, _) in enumerate(bars)]
    frame, foot = _frame(plot, x_label, ticks, slot, grid=0 if numbered else 0.15)
    body = [head, frame]
    for index, label, value in known:
        centre = plot.x(index + 0.5)
        body.append(_upright(plot, centre - half, centre + half, value, f"{label}: {number(value)}"))
        if numbered:
            # a hanging bar has its figure over the axis, where it cannot meet the labels below
            body.append(_text(centre, plot.y(max(value, 0)) - 5, number(value), "middle"))
    if reference:
        height = plot.y(reference[0])
        body += [_rule(plot.left, height, plot.right, height, 0.9, "6 3")]
        body += [_lines(plot.right + 6, height, aside, "start")]
    told = _range(y_label, values) + (f"; line at {reference[1]}" if reference else "")
    return _svg(title, f"Bars of {y_label} by {x_label}. {told}", foot, body)


def grouped_bar_chart(groups: Mapping[str, Mapping[str, float | None]], *, title: str, value_label: str) -> str:
    """Lying bars, {group: {series: value}}: one block for each group and in it one bar for each series.

    Lying bars leave room for long names, and the chart grows with their number. A series that a
    group lacks is a gap.
    """
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    values = [value for group in groups.values() for v in group.values() if (value := _known(v)) is not None]
    captions = [_wrap(name, 150) for name in groups] if values else []
    head, top = _head(title, "", names if len(names) > 1 else [])
    block = 16 * max(len(names), 2) + 12
    plot = _Plot(
        _axis([*values, 0] if values else [], value_label, widen=True),
        _Axis(0, 1),
        left=18 + max((_width(line) for lines in captions for line in lines), default=0),
        right=WIDTH - 14 - max((_width(number(value)) for value in values), default=0),
        top=top,
        bottom=top + (block * len(captions) or PLOT_HEIGHT),
    )
    ticks = [(plot.x(tick), plot.x_axis.label(tick)) for tick in plot.x_axis.ticks]
    frame, foot = _frame(plot, value_label, ticks)
    body = [head, frame, *(_rule(x, plot.top, x, plot.bottom, 0.15) for x, _ in ticks)]
    for row, (caption, (group_name, group)) in enumerate(zip(captions, groups.items(), strict=False)):
        middle = top + block * (row + 0.5)
        body.append(_lines(plot.left - 10, middle, caption, "end"))
        for index, name in enumerate(names):
            value = _known(group.get(name))
            y = middle - 8 * len(names) + 16 * index
            if value is not None:
                body.append(_lying(plot, y, value, _sign(index)[0], f"{group_name}, {name}: {number(value)}"))
    if values:
        body.append(_rule(plot.x(0), plot.top, plot.x(0), plot.bottom, 0.6))
    told = f"{len(groups)} groups of {', '.join(names)}. {_range(value_label, values)}"
    return _svg(title, f"Bars of {value_label}: {told}", foot, body)


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
    x_axis = _axis(edges + ([mark[0]] if mark else []), x_label)
    y_axis = _axis([0, *(rows for _, _, rows in counts)] if counts else [], y_label, widen=True)
    head, top = _head(title, y_label)
    plot = _plot(x_axis, y_axis, top + (18 if mark else 0))
    frame, foot = _frame(plot, x_label, [(plot.x(tick), x_axis.label(tick)) for tick in x_axis.ticks])
    bars = []
    for low, high, rows in counts:
        seam = min(1.0, (plot.x(high) - plot.x(low)) * 0.1)
        told = f"{number(low)} to {number(high)}: {rows:,} {y_label}"
        bars += [_upright(plot, plot.x(low), plot.x(high) - seam, rows, told)] if rows else []
    total = f"{sum(rows for _, _, rows in counts):,} {y_label} in {len(counts):,} bins"
    told = f"Histogram of {x_label}: {total}" + (f"; marked: {mark[1]}" if mark else "")
    return _svg(title, told, foot, [head, frame, *bars, _mark(plot, mark)])


def confusion_matrix(counts: Sequence[Sequence[int]], labels: Sequence[str], *, title: str) -> str:
    """Square cells of counts[true][predicted], each with its share of the row, the depth of its colour.

    Raises ValueError unless there is one row and one column for each label, and no negative count.
    """
    size = len(labels)
    if len(counts) != size or any(len(row) != size or min(row) < 0 for row in counts):
        raise ValueError(f"a confusion matrix of {size} labels needs {size} rows of {size} counts, none negative")
    head, top = _head(title, "")
    if not size:
        return _svg(title, "No data", top + 60, [head, _no_data(top + 30)])
    side = min(104.0, 300 / size)
    thinned = math.ceil(14 / side)  # a label is 14 high: where cells are smaller, every nth is shown
    upright = max(map(_width, labels)) > side - 6  # column labels that are wider than their cell stand upright
    captions = [_wrap(label, 110, lines=2 if side > 30 else 1) for label in labels]
    gutter = max(_width(line) for lines in captions for line in lines) + 10
    left = max(gutter + 22, (WIDTH - side * size) / 2)
    start = top + 22 + (min(max(map(_width, labels)), 96) if upright else 14)
    middle = side * size / 2
    body = [head, _text(left + middle, top + 8, "predicted", "middle", faint=True)]
    body.append(_text(left - gutter - 8, start + middle, "true", "middle", faint=True, upright=True))
    for i, row in enumerate(counts):
        if i % thinned == 0:
            centre = (i + 0.5) * side
            body.append(_lines(left - 8, start + centre, captions[i], "end"))
            shift = 4 if upright else 0
            anchor = "start" if upright else "middle"
            body.append(_text(left + centre + shift, start - 7, _cut(labels[i], 96), anchor, upright=upright))
        for j, cell in enumerate(row):
            told = f"true {labels[i]}, predicted {labels[j]}: {cell:,}"
            body.append(_cell(left + j * side, start + i * side, side, cell, sum(row), told))
    right = "; ".join(f"{name}: {counts[i][i]:,} of {sum(counts[i]):,} right" for i, name in enumerate(labels))
    told = f"Confusion matrix, rows are true and columns predicted labels. {right}"
    return _svg(title, told, start + side * size + 8, body)


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


def number(value: float) -> str:
    """Three significant digits below a thousand, whole above, thousands separated: 0.314, 12,345, 4.7e-6."""
    value = value + 0.0  # turns -0.0 into 0.0
    if value and not 1e-3 <= abs(value) < 1e12:
        mantissa, exponent = f"{value:.1e}".split("e")
        text = f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    else:
        text = f"{value:.3g}" if abs(value) < 999.5 else f"{value:,.0f}"
    return text.replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    ticks: tuple[float, ...] = ()
    log: bool = False

    def share(self, value: float) -> float:
        """Where on the axis a value lies: 0 at its low end, 1 at its high end."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def label(self, tick: float) -> str:
        step = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else 0
        if self.log or not 1e-6 < step < 1e9:
            return number(tick)
        return f"{tick + 0.0:,.{max(0, math.ceil(-math.log10(step) - 1e-9))}f}".replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True)
class _Plot:
    x_axis: _Axis
    y_axis: _Axis
    left: float
    right: float
    top: float
    bottom: float

    def x(self, value: float) -> float:
        return self.left + (self.right - self.left) * self.x_axis.share(value)

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * self.y_axis.share(value)


def _plot(x_axis: _Axis, y_axis: _Axis, top: float, margin: float = 16) -> _Plot:
    left = 10 + max((_width(y_axis.label(tick)) for tick in y_axis.ticks), default=0)
    return _Plot(x_axis, y_axis, left, WIDTH - margin, top, top + PLOT_HEIGHT)


def _known(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _finite(line: tuple[float, str] | None) -> tuple[float, str] | None:
    return line if line and math.isfinite(line[0]) else None


def _axis(values: Sequence[float], name: str, *, log: bool = False, widen: bool = False) -> _Axis:
    """An axis over the values with ticks at round numbers; `widen` moves its ends out to ticks."""
    if not values:
        return _Axis(0, 1)
    low, high = min(values), max(values)
    if log:
        if low <= 0:
            raise ValueError(f"the axis {name!r} is logarithmic and cannot show {low:g}: values must be above 0")
        ticks = _powers_of_two(values) or _round_log_ticks(low, high)
        return _Axis(min(low, ticks[0]), max(high, ticks[-1]), ticks, log=True)
    if low == high:
        room = abs(low) * 0.1 or 1
        low, high = (low - room if low else 0), high + room
    step = _round_step((high - low) / 5)
    if all(value == math.floor(value) for value in values):
        step = max(step, 1)  # no half epochs, no half rows
    first, last = (
        (math.floor(low / step), math.ceil(high / step))
        if widen
        else (math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9))
    )
    ticks = tuple(tick * step for tick in range(first, last + 1))
    return _Axis(ticks[0], ticks[-1], ticks) if widen else _Axis(low, high, ticks)


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below `least`."""
    power = math.floor(math.log10(least))
    return next(step for m in (1, 2, 5, 10, 20) if (step := float(f"{m}e{power}")) >= least * (1 - 1e-9))


def _powers_of_two(values: Sequence[float]) -> tuple[float, ...]:
    """Sequence lengths and batch sizes double, and so should the ticks; empty where some value is another."""
    low, high = min(values), max(values)
    if low == high or any(math.frexp(value)[0] != 0.5 for value in values):
        return ()
    first, last = math.frexp(low)[1] - 1, math.frexp(high)[1] - 1
    return tuple(2.0**power for power in range(first, last + 1, math.ceil((last - first) / 10)))


def _round_log_ticks(low: float, high: float) -> tuple[float, ...]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 2)
    digits = (1, 2, 5) if high / low < 300 else (1,)
    ticks = [float(f"{digit}e{power}") for power in powers for digit in digits]
    start = max(i for i, tick in enumerate(ticks) if tick <= low or i == 0)
    stop = next(i for i, tick in enumerate(ticks) if tick >= high and i > start)
    return tuple(ticks[start : stop + 1 : math.ceil((stop - start) / 10)])


def _width(text: str, size: float = 12) -> float:
    """An estimate, on the wide side: a sans-serif letter takes 0.6 em, a Chinese one or an emoji 1 em."""
    return sum(1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.6 for letter in text) * size


def _cut(text: str, width: float, size: float = 12) -> str:
    if _width(text, size) <= width:
        return text
    while text and _width(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def _wrap(text: str, width: float, size: float = 12, lines: int = 2) -> list[str]:
    rows = [""]
    for word in text[:400].split():
        longer = f"{rows[-1]} {word}".strip()
        if _width(longer, size) <= width or not rows[-1] or len(rows) == lines:
            rows[-1] = longer
        else:
            rows.append(word)
    return [_cut(row, width, size) for row in rows]


def _text(
    x: float,
    y: float,
    text: str,
    anchor: str = "start",
    *,
    size: float = 12,
    bold: bool = False,
    faint: bool = False,
    upright: bool = False,
) -> str:
    style = f' font-size="{size:.3g}"' if size != 12 else ""
    style += ' font-weight="600"' if bold else ""
    style += ' fill-opacity="0.75"' if faint else ""
    style += f' transform="rotate(-90 {x:.1f} {y:.1f})"' if upright else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(text)}</text>'


def _lines(x: float, middle: float, lines: Sequence[str], anchor: str) -> str:
    first = middle + 4 - 7 * (len(lines) - 1)
    return "".join(_text(x, first + 14 * i, line, anchor) for i, line in enumerate(lines))


def _rule(x1: float, y1: float, x2: float, y2: float, opacity: float, dash: str = "none") -> str:
    place = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {place} stroke="currentColor" stroke-opacity="{opacity}" stroke-dasharray="{dash}"/>'


def _sign(index: int) -> tuple[str, str]:
    """Colour and dash of the nth series."""
    return COLOURS[index % len(COLOURS)], DASHES[(index + index // len(COLOURS)) % len(DASHES)]


def _no_data(y: float) -> str:
    return _text(WIDTH / 2, y, "no data", "middle", faint=True)


def _head(title: str, y_label: str, names: Sequence[str] = (), *, lines: bool = False) -> tuple[str, float]:
    """Title, legend and title of the vertical axis, and the height at which the plot may begin."""
    body, y = [], 18.0
    for row in _wrap(title, WIDTH - 8, size=15, lines=3):
        body.append(_text(0, y, row, size=15, bold=True))
        y += 19
    x, indent = 0.0, 28 if lines else 18
    for index, name in enumerate(names):
        short = _cut(name, 180)
        if x > 0 and x + 32 + _width(short) > WIDTH:
            x, y = 0, y + 19
        colour, dash = _sign(index)
        line = f'<path d="M{x:.1f} {y}h22" stroke="{colour}" stroke-width="2.5" stroke-dasharray="{dash}"/>'
        box = f'<rect x="{x:.1f}" y="{y - 6}" width="12" height="12" rx="2" fill="{colour}"/>'
        body.append((line if lines else box) + _text(x + indent, y + 4, short))
        x += indent + 16 + _width(short)
    y += 26 if names else 2
    if y_label:
        body.append(_text(0, y, _cut(y_label, WIDTH - 8), faint=True))
        y += 14
    return "".join(body), y


def _frame(
    plot: _Plot, x_label: str, x_ticks: Sequence[tuple[float, str]], slot: float = 64, grid: float = 0.15
) -> tuple[str, float]:
    """Grid, axes and their labels, and the height of the chart that ends below them."""
    body = []
    for tick in plot.y_axis.ticks:
        y = plot.y(tick)
        body.append(_rule(plot.left, y, plot.right, y, 0.6 if tick == 0 else grid))
        body.append(_text(plot.left - 8, y + 4, plot.y_axis.label(tick), "end"))
    body.append(_rule(plot.left, plot.bottom, plot.right, plot.bottom, 0.6 if plot.y_axis.low >= 0 else grid))
    labels, rows = _x_labels(x_ticks, plot.bottom + 17, slot)
    body.append(labels)
    if not plot.x_axis.ticks and not plot.y_axis.ticks:
        body.append(_no_data((plot.top + plot.bottom) / 2))
    foot = plot.bottom + 22 + 14 * rows
    caption = _cut(x_label, WIDTH - 8)
    middle = _inside((plot.left + plot.right) / 2, _width(caption) / 2)
    body.append(_text(middle, foot, caption, "middle", faint=True))
    return "".join(body), foot + 10


def _inside(centre: float, half: float) -> float:
    """The centre nearest to the one asked for at which a text of this half width stays within the chart."""
    return min(max(centre, half + 2), WIDTH - half - 2)


def _x_labels(ticks: Sequence[tuple[float, str]], y: float, slot: float) -> tuple[str, int]:
    """Labels under the axis, every nth where all would collide, and the number of lines that they take."""
    wrapped = [_wrap(label, max(slot - 6, 48), lines=3) for _, label in ticks]
    halves = [max(map(_width, rows)) / 2 for rows in wrapped]
    centres = [_inside(x, half) for (x, _), half in zip(ticks, halves, strict=True)]
    for step in (digit * 10**power for power in count() for digit in (1, 2, 5)):
        # numbered bars are labelled 50, 100, 150 rather than 1, 51, 101
        numbers = enumerate(label for _, label in ticks[:step])
        first = next((i for i, label in numbers if label.isdecimal() and int(label) % step == 0), 0)
        chosen = range(first, len(ticks), step)
        if all(centres[j] - centres[i] >= halves[i] + halves[j] + 6 for i, j in pairwise(chosen)):
            break
    body = "".join(_text(centres[i], y + 14 * n, row, "middle") for i in chosen for n, row in enumerate(wrapped[i]))
    return body, max((len(wrapped[i]) for i in chosen), default=1)


def _mark(plot: _Plot, mark: tuple[float, str] | None) -> str:
    if mark is None:
        return ""
    x, label = plot.x(mark[0]), _cut(mark[1], WIDTH - 8)
    line = _rule(x, plot.top - 4, x, plot.bottom, 0.75, "4 3")
    return line + _text(_inside(x, _width(label) / 2), plot.top - 9, label, "middle")


def _line(plot: _Plot, points: Sequence[tuple[float, float | None]], colour: str, dash: str) -> str:
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


def _upright(plot: _Plot, left: float, right: float, value: float, told: str) -> str:
    top, bottom = sorted((plot.y(value), plot.y(0)))
    place = f'x="{left:.2f}" y="{top:.1f}" width="{right - left:.2f}" height="{max(bottom - top, 1):.1f}"'
    return f'<rect {place} fill="{COLOURS[value < 0]}"><title>{escape(told)}</title></rect>'


def _lying(plot: _Plot, y: float, value: float, colour: str, told: str) -> str:
    left, right = sorted((plot.x(value), plot.x(0)))
    place = f'x="{left:.1f}" y="{y + 1:.1f}" width="{max(right - left, 1):.1f}" height="14"'
    bar = f'<rect {place} rx="1.5" fill="{colour}"><title>{escape(told)}</title></rect>'
    return bar + _text(right + 5, y + 12, number(value))


def _cell(x: float, y: float, side: float, cell: int, row_sum: int, told: str) -> str:
    share = cell / row_sum if row_sum else 0.0
    edge = 0.25 if side > 12 else 0.06
    # 0.78: the deepest blue on which the ink of a light page still has a contrast of 4.5:1
    colour = f'fill="{COLOURS[0]}" fill-opacity="{share * 0.78:.3f}" stroke="currentColor" stroke-opacity="{edge}"'
    place = f'x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}"'
    body = f"<rect {place} {colour}><title>{escape(told)} ({share:.1%})</title></rect>"
    middle, size = x + side / 2, min(18, side * 0.24)
    fits = _width(f"{cell:,}", size) < side - 4
    if side >= 44 and fits:
        body += _text(middle, y + side / 2 - 1, f"{cell:,}", "middle", size=size, bold=True)
        body += _text(middle, y + side / 2 + 16, f"{share:.1%}", "middle", size=min(12, side * 0.2))
    elif side >= 24 and fits and cell:
        body += _text(middle, y + side / 2 + 4, f"{cell:,}", "middle", size=max(size, 9))
    return body


def _range(name: str, values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return f"{name}: no data"
    span = f"{number(min(known))} to {number(max(known))}"
    return f"{name}: {len(known):,} values, {span}, last {number(known[-1])}"


def _svg(title: str, description: str, height: float, body: Iterable[str]) -> str:
    """The finished drawing; characters that XML forbids become U+FFFD."""
    root = f'<svg viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}" role="img"'
    style = f'font-family="{_FONT}" font-size="12" fill="currentColor"'
    names = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    svg = f'{root} aria-label="{escape(title)}" {style}>{names}{"".join(body)}</svg>'
    return _NOT_XML.sub("\ufffd", svg)
