"""Texts on which tokenizers of different libraries come apart, drawn from ranges of Unicode; the same ones every time.

None has a tab, a line end or a NUL: each can stand in a table. Characters are drawn by their numbers, so that no
version of Unicode's own data decides.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SIZE = 1000  # the same number of each category
_SEED = 42
_LONGEST = 6  # characters of a fragment, its tail apart
_WORDS = "the book was written by John and great naïve café it's state-of-the-art 3.14 THE Cat".split()
_LETTERS, _DIGITS, _MARKS = (0x61, 0x7A), (0x30, 0x39), (0x300, 0x36F)


@dataclass(frozen=True)
class Category:
    """How a fragment is made: characters of those ranges, which include their ends, and one of the tails behind."""

    ranges: tuple[tuple[int, int], ...]
    tails: tuple[str, ...] = ("",)

    def fragment(self, draw: random.Random) -> str:
        count = draw.randint(1, _LONGEST) if self.ranges else 0
        characters = [chr(draw.randint(*draw.choice(self.ranges))) for _ in range(count)]
        return "".join(characters) + draw.choice(self.tails)


def _each(characters: str) -> tuple[tuple[int, int], ...]:
    return tuple((ord(character), ord(character)) for character in characters)


CATEGORIES: Mapping[str, Category] = MappingProxyType(
    {
        "Hangul": Category(((0xAC00, 0xD7A3),), ("", "\u1112\u1161\u11ab", "\u3131")),  # syllables, and their parts
        "final sigma": Category(((0x391, 0x3A1), (0x3A3, 0x3A9)), tuple("Σ Σ. Σ' Σ́ Σ\xad ΣΑ Σ-σ Σς".split(" "))),
        "Cyrillic": Category(((0x400, 0x45F),), ("й", "и\u0306", "Й", "И\u0306", "ё", "е\u0308")),
        "combining": Category((_LETTERS, _MARKS, (0x1AB0, 0x1ABE), (0xC0, 0x17F)), ("", "e\u0301", "a\u0323\u0302")),
        "emoji": Category(((0x1F300, 0x1F64F), (0x1F680, 0x1F6FF), (0x2600, 0x27BF)), ("", "\ufe0f", "\ufe0e")),
        "joined emoji": Category(
            (), ("👨\u200d👩\u200d👧", "🧑🏽\u200d💻", "🏳\ufe0f\u200d🌈", "✌🏿", "👋🏻", "🇩🇪🇫🇷", "🇺", "1\ufe0f\u20e3")
        ),
        "bidi": Category(
            ((0x5D0, 0x5EA), (0x5B0, 0x5BD), (0x621, 0x652)), tuple("\u200e\u200f\u202a\u202b\u202c\u202e\u2066\u2069")
        ),
        "CJK": Category(((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0xF900, 0xFAFF)), ("", "。", "、x")),
        "kana": Category(((0x3041, 0x30FF), (0x3099, 0x309C), (0xFF66, 0xFF9F))),
        "full width": Category(((0xFF01, 0xFF5E), (0xFFE0, 0xFFE6))),
        # WordPiece looks at no more than 100 characters, which each library may count in its own way.
        "long words": Category((), tuple(part * count for part in "aéß한😀" for count in range(97, 104))),
        "long decomposed words": Category((), tuple("e\u0301" * count for count in range(49, 104))),
        "literals": Category((), tuple("[MASK] [SEP] [CLS] [PAD] [UNK] [mask] [MASK]s <s> </s> <mask> ##ing".split())),
        "zero width": Category(_each("\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e\u061c")),
        "spaces": Category(_each("\u00a0\u1680\u2000\u2009\u202f\u205f\u3000\u2028\u2029\u0085\x0b\x0c\x1c\x1f")),
        "cases": Category(_each("İıẞßŉǅǆΐΰﬁﬃĲſÅΩKᾳᾼⅫⓐ")),
        "vowel signs": Category(((0x904, 0x94D), (0xE01, 0xE3A), (0xE40, 0xE4E), (0x1000, 0x104F))),
        "mathematics": Category(((0x1D400, 0x1D7FF), (0x2150, 0x218B), (0x2200, 0x22FF), (0x2460, 0x24FF), _DIGITS)),
        "punctuation": Category(((0x2010, 0x2027), (0x3001, 0x303F), (0x2E00, 0x2E4F), (0xA1, 0xBF), (0x21, 0x2F))),
        "controls and unused": Category(((0x01, 0x08), (0x0E, 0x1F), (0x7F, 0x9F), (0xE000, 0xF8FF), (0xFDD0, 0xFDEF))),
    }
)


def hard_texts() -> list[tuple[str, str]]:
    """(category, text), in one order."""
    draw = random.Random(_SEED)
    return [(name, _text(draw, of)) for _ in range(SIZE // len(CATEGORIES)) for name, of in CATEGORIES.items()]


def _text(draw: random.Random, category: Category) -> str:
    """One to three fragments among words; half of them are glued to the next."""
    parts = [part for _ in range(draw.randint(1, 3)) for part in (draw.choice(_WORDS), category.fragment(draw))]
    return "".join(part + draw.choice((" ", "")) for part in parts)
