"""The axes of a chart: where values lie on them, their ticks at round numbers, and their labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, pairwise

from bertline.svg import WIDTH, cut, inside, no_data, rule, text_at, width_of, wrap

PLOT_HEIGHT = 200


@dataclass(frozen=True)
class Axis:
    """From the value `low` at its start to `high` at its end."""

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
        """The tick as text, with as many decimals as tell it from the next."""
        step = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else 0
        if self.log or not 1e-6 < step < 1e9:
            return number(tick)
        return f"{tick + 0.0:,.{max(0, math.ceil(-math.log10(step) - 1e-9))}f}".replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True)
class Plot:
    """The rectangle between the axes, in SVG user units."""

    x_axis: Axis
    y_axis: Axis
    left: float
    right: float
    top: float
    bottom: float

    def x(self, value: float) -> float:
        """Where a value of the horizontal axis lies in the drawing."""
        return self.left + (self.right - self.left) * self.x_axis.share(value)

    def y(self, value: float) -> float:
        """Where a value of the vertical axis lies in the drawing."""
        return self.bottom - (self.bottom - self.top) * self.y_axis.share(value)


def axis_over(values: Sequence[float], name: str, *, log: bool = False, widen: bool = False) -> Axis:
    """An axis over the values with ticks at round numbers; `widen` moves its ends out to ticks."""
    if not values:
        return Axis(0, 1)
    low, high = min(values), max(values)
    if log:
        if low <= 0:
            raise ValueError(f"the axis {name!r} is logarithmic and cannot show {low:g}: values must be above 0")
        ticks = _powers_of_two(values) or _round_log_ticks(low, high)
        return Axis(min(low, ticks[0]), max(high, ticks[-1]), ticks, log=True)
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
    return Axis(ticks[0], ticks[-1], ticks) if widen else Axis(low, high, ticks)


def plot_of(x_axis: Axis, y_axis: Axis, top: float, margin: float = 16) -> Plot:
    """The plot that leaves room for the labels of its vertical axis, and `margin` at its right."""
    left = 10 + max((width_of(y_axis.label(tick)) for tick in y_axis.ticks), default=0)
    return Plot(x_axis, y_axis, left, WIDTH - margin, top, top + PLOT_HEIGHT)


def number(value: float) -> str:
    """Three significant digits below a thousand, whole above, thousands separated: 0.314, 12,345, 4.7e-6."""
    value = value + 0.0  # turns -0.0 into 0.0
    if value and not 1e-3 <= abs(value) < 1e12:
        mantissa, exponent = f"{value:.1e}".split("e")
        text = f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    else:
        text = f"{value:.3g}" if abs(value) < 999.5 else f"{value:,.0f}"
    return text.replace("-", "\N{MINUS SIGN}")


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


def frame_of(
    plot: Plot, x_label: str, x_ticks: Sequence[tuple[float, str]], slot: float = 64, grid: float = 0.15
) -> tuple[str, float]:
    """Grid, axes and their labels, and the height of the chart that ends below them."""
    body = []
    for tick in plot.y_axis.ticks:
        y = plot.y(tick)
        body.append(rule(plot.left, y, plot.right, y, 0.6 if tick == 0 else grid))
        body.append(text_at(plot.left - 8, y + 4, plot.y_axis.label(tick), "end"))
    body.append(rule(plot.left, plot.bottom, plot.right, plot.bottom, 0.6 if plot.y_axis.low >= 0 else grid))
    labels, rows = _x_labels(x_ticks, plot.bottom + 17, slot)
    body.append(labels)
    if not plot.x_axis.ticks and not plot.y_axis.ticks:
        body.append(no_data((plot.top + plot.bottom) / 2))
    foot = plot.bottom + 22 + 14 * rows
    caption = cut(x_label, WIDTH - 8)
    middle = inside((plot.left + plot.right) / 2, width_of(caption) / 2)
    body.append(text_at(middle, foot, caption, "middle", faint=True))
    return "".join(body), foot + 10


def _x_labels(ticks: Sequence[tuple[float, str]], y: float, slot: float) -> tuple[str, int]:
    """Labels under the axis, every nth where all would collide, and the number of lines that they take."""
    wrapped = [wrap(label, max(slot - 6, 48), lines=3) for _, label in ticks]
    halves = [max(map(width_of, rows)) / 2 for rows in wrapped]
    centres = [inside(x, half) for (x, _), half in zip(ticks, halves, strict=True)]
    for step in (digit * 10**power for power in count() for digit in (1, 2, 5)):
        # numbered bars are labelled 50, 100, 150 rather than 1, 51, 101
        numbers = enumerate(label for _, label in ticks[:step])
        first = next((i for i, label in numbers if label.isdecimal() and int(label) % step == 0), 0)
        chosen = range(first, len(ticks), step)
        if all(centres[j] - centres[i] >= halves[i] + halves[j] + 6 for i, j in pairwise(chosen)):
            break
    body = "".join(text_at(centres[i], y + 14 * n, row, "middle") for i in chosen for n, row in enumerate(wrapped[i]))
    return body, max((len(wrapped[i]) for i in chosen), default=1)


def mark_at(plot: Plot, mark: tuple[float, str] | None) -> str:
    """A dashed line at the value of (x, label), its label above the plot."""
    if mark is None:
        return ""
    x, label = plot.x(mark[0]), cut(mark[1], WIDTH - 8)
    line = rule(x, plot.top - 4, x, plot.bottom, 0.75, "4 3")
    return line + text_at(inside(x, width_of(label) / 2), plot.top - 9, label, "middle")
