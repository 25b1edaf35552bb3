"""A scatter chart of named points, as SVG text: numbers beside the points, names in a list below them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from bertline.axes import Plot, axis_over, frame_of, number, plot_of
from bertline.svg import COLOURS, WIDTH, document, heading, rule, text_at, width_of, wrap

_SIZE = 11  # of the numbers beside the points
_MARK = 4.5  # half the width of a point's mark
_KEY_LINE = 15
_TURNS = 16  # directions in which a number looks for room


@dataclass(frozen=True)
class Point:
    """A point and its name; `marked` ones are squares, the others rings. x may as well be from `low` to `high`."""

    name: str
    x: float
    y: float
    low: float
    high: float
    marked: bool = False


def scatter_chart(points: Sequence[Point], *, title: str, x_label: str, y_label: str) -> str:
    """Points over a logarithmic x and a linear y axis from 0, and the line of those that no other beats in both.

    Better is more in x and less in y. Points are numbered from the greatest x on.
    """
    ordered = sorted(points, key=lambda point: -point.x)
    x_axis = axis_over([value for point in ordered for value in (point.low, point.high)], x_label, log=True)
    y_axis = axis_over([0.0, *(point.y for point in ordered)] if ordered else [], y_label, widen=True)
    head, top = heading(title, y_label)
    plot = plot_of(x_axis, y_axis, top + 24)
    frame, foot = frame_of(plot, x_label, [(plot.x(tick), x_axis.label(tick)) for tick in x_axis.ticks])
    marks = [_mark(plot, point, str(place)) for place, point in enumerate(ordered, 1)]
    numbers = [
        _number(plot, point, place, str(number_))
        for number_, (point, place) in enumerate(zip(ordered, label_places(plot, ordered), strict=True), 1)
    ]
    key, end = _key(ordered, foot + 14)
    told = "; ".join(f"{point.name}: {number(point.x)}, {number(point.y)}" for point in ordered)
    line = _frontier_line(plot, frontier(ordered))
    return document(title, f"{y_label} by {x_label}. {told}", end, [head, frame, line, *marks, *numbers, key])


def frontier(points: Sequence[Point]) -> list[Point]:
    """The points to which no other is at least equal in both and better in one, the greatest x first."""
    found: list[Point] = []
    for point in sorted(points, key=lambda point: (-point.x, point.y)):
        if not found or point.y < found[-1].y:
            found.append(point)
    return found


def label_places(plot: Plot, points: Sequence[Point]) -> list[tuple[float, float]]:
    """For the number of each point the middle of its box: near it, within the plot's reach, and free of all others."""
    spots = [(plot.x(point.x), plot.y(point.y)) for point in points]
    taken = [(x, y, _MARK + 1.0, _MARK + 1.0) for x, y in spots]
    places = []
    for index, (x, y) in enumerate(spots):
        half = width_of(str(index + 1), _SIZE) / 2 + 1
        ring = ((x + r * math.cos(a), y - r * math.sin(a)) for r in range(13, 400, 6) for a in _angles())
        boxes = ((bx, by, half, _SIZE / 2 + 1.0) for bx, by in ring if _fits(plot, bx, by, half))
        free = (box for box in boxes if not any(_meet(box, other) for other in taken))
        box = next(free, (x, y, half, _SIZE / 2 + 1.0))  # on its mark, where hundreds of points leave no room
        taken.append(box)
        places.append(box[:2])
    return places


def _fits(plot: Plot, x: float, y: float, half: float) -> bool:
    return half + 2 <= x <= WIDTH - half - 2 and plot.top - 20 <= y <= plot.bottom - 8


def _angles() -> list[float]:
    """Up first, then ever further to both sides."""
    steps = [0, *(side * step for step in range(1, _TURNS // 2) for side in (1, -1)), _TURNS // 2]
    return [math.pi / 2 + step * 2 * math.pi / _TURNS for step in steps]


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return abs(one[0] - other[0]) < one[2] + other[2] and abs(one[1] - other[1]) < one[3] + other[3]


def _mark(plot: Plot, point: Point, place: str) -> str:
    x, y = plot.x(point.x), plot.y(point.y)
    colour = COLOURS[0] if point.marked else COLOURS[1]
    told = f"<title>{escape(f'{place} {point.name}: {number(point.x)}, {number(point.y)}')}</title>"
    whisker = (
        f'<path d="M{plot.x(point.low):.1f} {y:.1f}H{plot.x(point.high):.1f}" stroke="{colour}" stroke-opacity="0.6"/>'
    )
    return whisker + shape_at(x, y, point.marked, told)


def shape_at(x: float, y: float, marked: bool, inner: str = "") -> str:
    """A filled square for marked points, a ring for the others: told apart without colour, too."""
    if marked:
        place = f'x="{x - _MARK:.1f}" y="{y - _MARK:.1f}" width="{2 * _MARK}" height="{2 * _MARK}"'
        return f'<rect {place} fill="{COLOURS[0]}">{inner}</rect>'
    ring = f'fill="{COLOURS[1]}" fill-opacity="0.15" stroke="{COLOURS[1]}" stroke-width="2"'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_MARK - 0.5}" {ring}>{inner}</circle>'


def _number(plot: Plot, point: Point, place: tuple[float, float], text: str) -> str:
    x, y = plot.x(point.x), plot.y(point.y)
    away = math.dist((x, y), place)
    leader = ""
    if away > 15:  # further off than beside it
        start, end = (_MARK + 1) / away, 1 - 8 / away
        ends = [(x + (place[0] - x) * share, y + (place[1] - y) * share) for share in (start, end)]
        leader = rule(*ends[0], *ends[1], 0.35)
    return leader + text_at(place[0], place[1] + 4, text, "middle", size=_SIZE)


def _frontier_line(plot: Plot, points: Sequence[Point]) -> str:
    """Steps: at each speed the least y that is to be had."""
    if not points:
        return ""
    steps = [f"M{plot.left:.1f} {plot.y(points[-1].y):.1f}H{plot.x(points[-1].x):.1f}"]
    steps += [f"V{plot.y(point.y):.1f}H{plot.x(point.x):.1f}" for point in points[-2::-1]]
    return (
        f'<path d="{"".join(steps)}" fill="none" stroke="currentColor" stroke-opacity="0.45" stroke-dasharray="4 3"/>'
    )


def _key(points: Sequence[Point], y: float) -> tuple[str, float]:
    """Mark, number and name of each point, in two columns where the names allow."""
    rows = [wrap(f"{place} {point.name}", WIDTH - 22, lines=2) for place, point in enumerate(points, 1)]
    half = (WIDTH - 10) / 2
    columns = 2 if all(len(row) == 1 and width_of(row[0]) <= half - 22 for row in rows) else 1
    body, end, height = [], y, math.ceil(len(rows) / columns)
    for column in range(columns):
        line = y
        for index in range(column * height, min((column + 1) * height, len(rows))):
            body.append(shape_at(6 + column * half, line - 4, points[index].marked))
            for text in rows[index]:
                body.append(text_at(18 + column * half, line, text))
                line += _KEY_LINE
        end = max(end, line)
    return "".join(body), end
