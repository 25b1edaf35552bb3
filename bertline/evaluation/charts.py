"""Charts of an evaluation, beside those of `bertline.charts`: groups counted by bin, and values with their doubt."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import NamedTuple

from bertline.axes import Axis, Plot, axis_over, frame_of, mark_at, number, plot_of
from bertline.svg import WIDTH, cut, document, heading, rule, sign, text_at, width_of

_FILLS = (1.0, 0.3)  # a second sign beside the colour: every other group is hollow


class Interval(NamedTuple):
    """A value and the range in which it may lie as well."""

    label: str
    value: float
    low: float
    high: float
    told: str  # what pointing at it says


def grouped_histogram(
    edges: Sequence[float],
    groups: Mapping[str, Sequence[int]],
    *,
    title: str,
    x_label: str,
    y_label: str = "rows",
    mark: tuple[float, str] | None = None,
) -> str:
    """Counts of each group between the edges, the groups' bars side by side; `mark` is (x, label), a vertical line.

    Raises ValueError where the edges do not rise, or a group has not one count, 0 or more, for each bin.
    """
    bins = list(pairwise(edges))
    if any(not -math.inf < low < high < math.inf for low, high in bins):
        raise ValueError(f"the edges of a histogram must rise: {list(edges)}")
    for name, counts in groups.items():
        if len(counts) != len(bins) or min(counts, default=0) < 0:
            raise ValueError(f"{name}: {len(bins)} bins need as many counts, none negative: {list(counts)}")
    shown = any(map(any, groups.values()))
    x_axis = axis_over(list(edges) if shown else [], x_label)
    y_axis = axis_over([0, *(max(counts) for counts in groups.values())] if shown else [], y_label, widen=True)
    head, top = heading(title, "")
    legend, top = _legend(list(groups), top)
    if y_label:
        legend += text_at(0, top, cut(y_label, WIDTH - 8), faint=True)
    mark = mark if shown and mark and edges[0] <= mark[0] <= edges[-1] else None
    plot = plot_of(x_axis, y_axis, top + (32 if mark else 14))
    frame, foot = frame_of(plot, x_label, [(plot.x(tick), x_axis.label(tick)) for tick in x_axis.ticks])
    bars = [
        _bar(plot, (low, high), (index, len(groups)), counts[place], f"{name}, {number(low)} to {number(high)}")
        for index, (name, counts) in enumerate(groups.items())
        for place, (low, high) in enumerate(bins)
        if counts[place]
    ]
    told = "; ".join(f"{name}: {sum(counts):,} {y_label}" for name, counts in groups.items()) or "no data"
    told += f"; marked: {mark[1]}" if mark else ""
    return document(title, f"Histogram of {x_label}. {told}", foot, [head, legend, frame, *bars, mark_at(plot, mark)])


def interval_chart(
    points: Sequence[Interval],
    *,
    title: str,
    x_label: str,
    y_label: str,
    reference: float | None = None,
) -> str:
    """Dots, each with a line over its interval; `reference` is the height of a level line.

    Points of which something is NaN or infinite are left out.
    """
    known = [(place, p) for place, p in enumerate(points) if all(map(math.isfinite, (p.value, p.low, p.high)))]
    level = [reference] if known and reference is not None and math.isfinite(reference) else []
    heights = [height for _, p in known for height in (p.value, p.low, p.high)]
    y_axis = axis_over(heights + level, y_label, widen=True)
    head, top = heading(title, y_label)
    slots = max(len(points), 1)
    plot = plot_of(Axis(0, slots), y_axis, top + 4)
    slot = (plot.right - plot.left) / slots
    frame, foot = frame_of(plot, x_label, [(plot.x(i + 0.5), p.label) for i, p in enumerate(points)], slot)
    body = [head, frame]
    body += [rule(plot.left, plot.y(height), plot.right, plot.y(height), 0.9, "6 3") for height in level]
    body += [_whisker(plot, place + 0.5, point, min(6.0, slot * 0.25)) for place, point in known]
    told = "; ".join(f"{point.label}: {point.told}" for _, point in known) or "no data"
    told += "".join(f"; line at {number(height)}" for height in level)
    return document(title, f"{y_label} by {x_label}, each with an interval. {told}", foot, body)


def _legend(names: Sequence[str], y: float) -> tuple[str, float]:
    """A small bar and the name of each group, and the height below them."""
    body, x, y = "", 0.0, y + 6
    for index, name in enumerate(names):
        short = cut(name, 180)
        if x > 0 and x + 18 + width_of(short) > WIDTH:
            x, y = 0.0, y + 19
        body += f'<rect x="{x + 0.5:.1f}" y="{y - 6:.1f}" width="10" height="12" {_fill(index)}/>'
        body += text_at(x + 17, y + 4, short)
        x += 35 + width_of(short)
    return body, y + 26


def _fill(group: int) -> str:
    colour = sign(group)[0]
    return f'fill="{colour}" fill-opacity="{_FILLS[group % 2]}" stroke="{colour}"'


def _bar(plot: Plot, edges: tuple[float, float], group: tuple[int, int], count: int, told: str) -> str:
    index, groups = group
    left, right = plot.x(edges[0]), plot.x(edges[1])
    wide = (right - left) * 0.86 / groups
    x = left + (right - left) * 0.07 + index * wide
    height = max(plot.bottom - plot.y(count), 1)
    place = f'x="{x:.2f}" y="{plot.bottom - height:.1f}" width="{wide:.2f}" height="{height:.1f}"'
    return f"<rect {place} {_fill(index)}><title>{escape(told)}: {count:,}</title></rect>"


def _whisker(plot: Plot, centre: float, point: Interval, half: float) -> str:
    x, low, high = plot.x(centre), plot.y(point.low), plot.y(point.high)
    colour = sign(0)[0]
    ends = f"M{x - half:.1f} {high:.1f}h{2 * half:.1f}M{x - half:.1f} {low:.1f}h{2 * half:.1f}"
    line = f'<path d="M{x:.1f} {low:.1f}V{high:.1f}{ends}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    told = f"<title>{escape(point.label)}: {escape(point.told)}</title>"
    return line + f'<circle cx="{x:.1f}" cy="{plot.y(point.value):.1f}" r="4" fill="{colour}">{told}</circle>'
