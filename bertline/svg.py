"""Texts, lines and the finished drawing of a chart, as SVG.

Ink is `currentColor`: an inline chart takes the text colour of the page around it, light or dark. The data
colours can be told apart by colour-blind readers and reach a contrast of 3:1 on white and on near-black, so
one set serves both. Lengths are SVG user units. Labels may be any text: they are escaped, wrapped to a few
lines and then cut with an ellipsis.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from html import escape

WIDTH = 460  # narrow, so that letters stay readable when a phone shows the chart at 320 pixels
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#aa4499", "#a6761d", "#767676")
DASHES = ("none", "7 3", "2 3", "9 3 2 3")  # a second sign beside the colour

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def width_of(text: str, size: float = 12) -> float:
    """An estimate, on the wide side: in em, as wide as in DejaVu Sans, the widest of the usual sans-serif fonts."""
    return sum(map(_em, text)) * size


def _em(letter: str) -> float:
    if letter in "mwMW@%…" or unicodedata.east_asian_width(letter) in "WF":  # Chinese, emoji
        return 1.0
    if unicodedata.category(letter) == "Sm":  # +, =, the minus sign
        return 0.84
    return 0.75 if letter.isupper() else 0.64 if letter.isdigit() else 0.6


def cut(text: str, width: float, size: float = 12) -> str:
    """The text, with an ellipsis for its end where it is wider than `width`."""
    if width_of(text, size) <= width:
        return text
    while text and width_of(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def wrap(text: str, width: float, size: float = 12, lines: int = 2) -> list[str]:
    """The words in up to `lines` lines of that width, each cut where it is wider still."""
    rows = [""]
    for word in text[:400].split():
        longer = f"{rows[-1]} {word}".strip()
        if width_of(longer, size) <= width or not rows[-1] or len(rows) == lines:
            rows[-1] = longer
        else:
            rows.append(word)
    return [cut(row, width, size) for row in rows]


def inside(centre: float, half: float) -> float:
    """The centre nearest to the one asked for at which a text of this half width stays within the chart."""
    return min(max(centre, half + 2), WIDTH - half - 2)


def text_at(
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
    """One line of text on the baseline y; `anchor` says which part of it stands at x: start, middle or end."""
    style = f' font-size="{size:.3g}"' if size != 12 else ""
    style += ' font-weight="600"' if bold else ""
    style += ' fill-opacity="0.75"' if faint else ""
    style += f' transform="rotate(-90 {x:.1f} {y:.1f})"' if upright else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(text)}</text>'


def lines_at(x: float, middle: float, lines: Sequence[str], anchor: str) -> str:
    """Lines of text, one below the other, around the height `middle`."""
    first = middle + 4 - 7 * (len(lines) - 1)
    return "".join(text_at(x, first + 14 * i, line, anchor) for i, line in enumerate(lines))


def no_data(y: float) -> str:
    """What stands in place of a plot that has nothing to show."""
    return text_at(WIDTH / 2, y, "no data", "middle", faint=True)


def rule(x1: float, y1: float, x2: float, y2: float, opacity: float, dash: str = "none") -> str:
    """A straight line in ink."""
    place = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {place} stroke="currentColor" stroke-opacity="{opacity}" stroke-dasharray="{dash}"/>'


def sign(index: int) -> tuple[str, str]:
    """Colour and dash of the nth series."""
    return COLOURS[index % len(COLOURS)], DASHES[(index + index // len(COLOURS)) % len(DASHES)]


def heading(title: str, y_label: str, names: Sequence[str] = ()) -> tuple[str, float]:
    """Title, legend of named lines and title of the vertical axis, and the height at which the plot may begin."""
    body, y = [], 18.0
    for row in wrap(title, WIDTH - 8, size=15, lines=3):
        body.append(text_at(0, y, row, size=15, bold=True))
        y += 19
    x = 0.0
    for index, name in enumerate(names):
        short = cut(name, 180)
        if x > 0 and x + 32 + width_of(short) > WIDTH:
            x, y = 0, y + 19
        colour, dash = sign(index)
        line = f'<path d="M{x:.1f} {y}h22" stroke="{colour}" stroke-width="2.5" stroke-dasharray="{dash}"/>'
        body.append(line + text_at(x + 28, y + 4, short))
        x += 44 + width_of(short)
    y += 26 if names else 2
    if y_label:
        body.append(text_at(0, y, cut(y_label, WIDTH - 8), faint=True))
        y += 14
    return "".join(body), y


def document(title: str, description: str, height: float, body: Iterable[str]) -> str:
    """The finished drawing; characters that XML forbids become U+FFFD."""
    root = f'<svg viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}" role="img"'
    style = f'font-family="{_FONT}" font-size="12" fill="currentColor"'
    names = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    svg = f'{root} aria-label="{escape(title)}" {style}>{names}{"".join(body)}</svg>'
    return _NOT_XML.sub("\ufffd", svg)
