"""Texts on which tokenizers of different libraries come apart, drawn from ranges of Unicode; the same ones every time.

None has a tab, a line end or a NUL: each can stand in a table. Characters are named by their numbers, so that no
version of Unicode's own data decides what is drawn.
"""

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType

SIZE = 1000  # about: the same number of each category
_SEED = 42
_WORDS = "the book was written by John and great naïve café it's state-of-the-art 3.14 THE Cat".split()
_LITERALS = "[MASK] [SEP] [CLS] [PAD] [UNK] [mask] [MASK]s <s> </s> <mask> <pad> [unused1] ##ing ##".split()
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e\u061c"
_BIDI = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_SPACES = "\u00a0\u1680\u2000\u2003\u2009\u202f\u205f\u3000\u2028\u2029\u0085\x0b\x0c\x1c\x1f"
_CASES = "İıẞßŉǅǆΐΰﬁﬀﬃĲĳſÅΩKᾳᾼⅫⓐ"
_PEOPLE = "👨👩👧👦🧑👵"
_EMOJI = ((0x1F300, 0x1F5FF), (0x1F600, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F900, 0x1F9FF), (0x2600, 0x27BF))
_CONTROLS = ((0x01, 0x08), (0x0E, 0x1F), (0x7F, 0x9F))
_UNUSED = (
    (0xE000, 0xF8FF),
    (0xFDD0, 0xFDEF),
    (0xFFFE, 0xFFFF),
    (0x0378, 0x0379),
    (0xE0100, 0xE01EF),
    (0x10FFF0, 0x10FFFF),
)

Draw = random.Random


def _of(draw: Draw, *ranges: tuple[int, int], least: int = 1, most: int = 6) -> str:
    """A few characters of those ranges, which include their ends."""
    return "".join(chr(draw.randint(*draw.choice(ranges))) for _ in range(draw.randint(least, most)))


def _some(draw: Draw, characters: str, most: int = 3) -> str:
    return "".join(draw.choices(characters, k=draw.randint(1, most)))


def _hangul(draw: Draw) -> str:
    return draw.choice((_of(draw, (0xAC00, 0xD7A3)), _of(draw, (0x1100, 0x1112)) + _of(draw, (0x1161, 0x1175), most=1)))


def _final_sigma(draw: Draw) -> str:
    return (
        _of(draw, (0x391, 0x3A1), (0x3A3, 0x3A9))
        + "Σ"
        + draw.choice(("", ".", "'", "\u0301", "\u00ad", "Α", "-σ", "ς"))
    )


def _cyrillic(draw: Draw) -> str:
    return _of(draw, (0x400, 0x45F)) + draw.choice(("й", "и\u0306", "Й", "И\u0306", "ё", "е\u0308", "ї"))


def _combining(draw: Draw) -> str:
    return "".join(letter + _of(draw, (0x300, 0x36F), (0x1AB0, 0x1ABE), most=3) for letter in draw.choice(_WORDS)[:4])


def _emoji(draw: Draw) -> str:
    return (
        draw.choice(_WORDS) + _of(draw, *_EMOJI, most=2) + draw.choice(("", "\ufe0f", "\ufe0e")) + draw.choice(_WORDS)
    )


def _joined_emoji(draw: Draw) -> str:
    tone = draw.choice(("", chr(draw.randint(0x1F3FB, 0x1F3FF))))
    flag = _of(draw, (0x1F1E6, 0x1F1FF), least=2, most=3)
    return draw.choice(
        ("\u200d".join(person + tone for person in draw.choices(_PEOPLE, k=3)), flag, f"✌{tone}", "1\ufe0f\u20e3")
    )


def _bidi(draw: Draw) -> str:
    return _of(draw, (0x5D0, 0x5EA), (0x621, 0x64A), (0x64B, 0x652), (0x5B0, 0x5BD)) + _some(draw, _BIDI, 2)


def _cjk(draw: Draw) -> str:
    return _of(draw, (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0xF900, 0xFAFF)) + draw.choice(
        ("", "。", "、x")
    )


def _long_word(draw: Draw) -> str:
    """About as long as WordPiece looks at, 100 characters, which each library may count in its own way."""
    part = draw.choice(("a", "é", "e\u0301", "ab", "ß", "한", "😀"))
    return part * ((100 + draw.randint(-3, 3)) // draw.choice((1, len(part))))


# Each gives a fragment, which stands among ordinary words.
CATEGORIES: Mapping[str, Callable[[Draw], str]] = MappingProxyType(
    {
        "Hangul": _hangul,
        "final sigma": _final_sigma,
        "Cyrillic": _cyrillic,
        "combining": _combining,
        "emoji": _emoji,
        "joined emoji": _joined_emoji,
        "bidi": _bidi,
        "CJK": _cjk,
        "kana": lambda draw: _of(draw, (0x3041, 0x30FF), (0x3099, 0x309C), (0xFF66, 0xFF9F)),
        "full width": lambda draw: _of(draw, (0xFF01, 0xFF5E), (0xFFE0, 0xFFE6)),
        "long words": _long_word,
        "literals": lambda draw: draw.choice(("", "x", " ")).join((draw.choice(_LITERALS), draw.choice(_LITERALS))),
        "zero width": lambda draw: _some(draw, _ZERO_WIDTH).join((draw.choice(_WORDS), draw.choice(_WORDS))),
        "spaces": lambda draw: _some(draw, _SPACES).join((draw.choice(_WORDS), draw.choice(_WORDS))),
        "cases": lambda draw: _some(draw, _CASES, 4),
        "vowel signs": lambda draw: _of(draw, (0x904, 0x94D), (0xE01, 0xE3A), (0xE40, 0xE4E), (0x1000, 0x104F)),
        "mathematics": lambda draw: _of(draw, (0x1D400, 0x1D7FF), (0x2150, 0x218B), (0x2460, 0x24FF), (0x2200, 0x22FF)),
        "punctuation": lambda draw: _of(draw, (0x2010, 0x2027), (0x3001, 0x303F), (0x2E00, 0x2E4F), (0xA1, 0xBF)),
        "controls": lambda draw: draw.choice(_WORDS) + _of(draw, *_CONTROLS) + draw.choice(_WORDS),
        "unused": lambda draw: draw.choice(_WORDS) + _of(draw, *_UNUSED),
    }
)


def hard_texts() -> list[tuple[str, str]]:
    """(category, text), in one order."""
    draw = random.Random(_SEED)
    return [(name, _text(draw, make)) for _ in range(SIZE // len(CATEGORIES)) for name, make in CATEGORIES.items()]


def _text(draw: Draw, make: Callable[[Draw], str]) -> str:
    """One to three fragments among words, with and without spaces between."""
    parts = [part for _ in range(draw.randint(1, 3)) for part in (draw.choice(_WORDS), make(draw))]
    return "".join(part + draw.choice((" ", " ", "")) for part in parts)
