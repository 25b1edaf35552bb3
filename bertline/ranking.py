"""Level bars, each below its name, as SVG text: for long names and a phone."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from bertline.svg import COLOURS, WIDTH, document, heading, no_data, text_at, width_of, wrap

_BAR, _GAP, _LINE = 11, 10, 14


@dataclass(frozen=True)
class Bar:
    """A value of 0 or more with its text, and the range in which it may as well lie; `marked` bars are filled."""

    name: str
    value: float
    text: str
    low: float | None = None
    high: float | None = None
    marked: bool = False


def ranking(bars: Sequence[Bar], *, title: str, unit: str) -> str:
    """Bars in the order given, from 0; all lengths are shares of the greatest one."""
    head, y = heading(title, unit)
    if not bars:
        return document(title, "No data", y + 60, [head, no_data(y + 30)])
    room = WIDTH - 12 - max(width_of(bar.text) for bar in bars)
    greatest = max(max(bar.value, bar.high or 0) for bar in bars) or 1.0
    body = [head]
    for bar in bars:
        names = wrap(bar.name, WIDTH - 4)
        for line in names:
            body.append(text_at(0, y + 10, line, bold=bar.marked))
            y += _LINE
        end = room * bar.value / greatest
        colour = COLOURS[0] if bar.marked else COLOURS[5]
        told = f"<title>{escape(f'{bar.name}: {bar.text}')}</title>"
        body.append(f'<rect x="0" y="{y:.1f}" width="{end:.1f}" height="{_BAR}" fill="{colour}">{told}</rect>')
        reach = end
        if bar.low is not None and bar.high is not None:
            left, reach = room * bar.low / greatest, max(end, room * bar.high / greatest)
            middle = y + _BAR / 2
            path = f"M{left:.1f} {middle:.1f}H{reach:.1f}M{left:.1f} {middle - 3:.1f}v6M{reach:.1f} {middle - 3:.1f}v6"
            body.append(f'<path d="{path}" stroke="currentColor" stroke-opacity="0.85" fill="none"/>')
        body.append(text_at(reach + 6, y + _BAR - 1, bar.text))
        y += _BAR + _GAP
    told = "; ".join(f"{bar.name}: {bar.text}" for bar in bars)
    return document(title, f"Bars of {unit}. {told}", y + 4, body)
