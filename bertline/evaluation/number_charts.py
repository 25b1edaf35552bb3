"""A chart of counts over two axes of numbers, beside those of `bertline.charts`."""

import math
from collections.abc import Sequence
from html import escape
from itertools import pairwise

from bertline.axes import Plot, axis_over, frame_of, number, plot_of
from bertline.svg import COLOURS, document, heading, no_data

_PALEST = 0.2  # opacity of a cell of one row


def grid_chart(
    counts: Sequence[Sequence[int]], edges: Sequence[float], *, title: str, x_label: str, y_label: str
) -> str:
    """Cells shaded by the rows in them; counts[x][y] lie between the edges, which both axes share, and the diagonal.

    Raises ValueError where the edges do not rise, or the counts are not one for each pair of ranges.
    """
    cells = len(edges) - 1
    if any(not low < high for low, high in pairwise(edges)):
        raise ValueError(f"the edges of a grid must rise: {list(edges)}")
    if len(counts) != cells or any(len(column) != cells for column in counts):
        raise ValueError(f"{cells} × {cells} cells need as many counts")
    head, top = heading(title, y_label)
    most = max((count for column in counts for count in column), default=0)
    if not most:
        return document(title, "No data", top + 60, [head, no_data(top + 30)])
    axes = axis_over([edges[0], edges[-1]], x_label), axis_over([edges[0], edges[-1]], y_label)
    plot = plot_of(*axes, top + 4)
    frame, foot = frame_of(plot, x_label, [(plot.x(tick), axes[0].label(tick)) for tick in axes[0].ticks])
    body = [
        _cell(plot, edges, (x, y), count, most)
        for x, column in enumerate(counts)
        for y, count in enumerate(column)
        if count
    ]
    ends = [(plot.x(value), plot.y(value)) for value in (edges[0], edges[-1])]
    diagonal = (
        f'<path d="M{ends[0][0]:.1f} {ends[0][1]:.1f}L{ends[1][0]:.1f} {ends[1][1]:.1f}" stroke="currentColor" '
        'stroke-opacity="0.7" stroke-dasharray="6 3" fill="none"/>'
    )
    told = f"{sum(map(sum, counts)):,} rows from {number(edges[0])} to {number(edges[-1])}, at most {most:,} in a cell"
    return document(title, f"{y_label} by {x_label}. {told}", foot, [head, frame, *body, diagonal])


def _cell(plot: Plot, edges: Sequence[float], place: tuple[int, int], count: int, most: int) -> str:
    (x, y), opacity = place, _PALEST + (1 - _PALEST) * (math.log(count) / math.log(most) if most > 1 else 1)
    left, right, top, bottom = plot.x(edges[x]), plot.x(edges[x + 1]), plot.y(edges[y + 1]), plot.y(edges[y])
    where = f"{number(edges[x])} to {number(edges[x + 1])}, {number(edges[y])} to {number(edges[y + 1])}: {count:,}"
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" '
        f'fill="{COLOURS[0]}" fill-opacity="{opacity:.2f}"><title>{escape(where)}</title></rect>'
    )
