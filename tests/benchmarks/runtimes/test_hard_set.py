"""The hard set is the same everywhere, and holds what it says."""

import hashlib
import re
from collections import Counter

import pytest

from benchmarks.runtimes.hard_set import CATEGORIES, SIZE, hard_texts

TEXTS = hard_texts()


def test_it_is_the_same_every_time() -> None:
    assert hard_texts() == TEXTS
    joined = "\n".join(text for _, text in TEXTS).encode()
    assert hashlib.sha256(joined).hexdigest().startswith("5192fc4b9886ec41"), "figures of other texts do not compare"


def test_each_category_has_as_many() -> None:
    assert len(TEXTS) == SIZE == 1000
    assert Counter(name for name, _ in TEXTS) == dict.fromkeys(CATEGORIES, SIZE // len(CATEGORIES))
    assert len({text for _, text in TEXTS}) > 0.99 * SIZE


def test_each_can_stand_in_a_table() -> None:
    for _, text in TEXTS:
        assert not set("\t\n\r\0") & set(text) and text.encode().decode() == text


@pytest.mark.parametrize(
    ("category", "pattern"),
    [
        ("Hangul", "\u1112\u1161\u11ab"),
        ("final sigma", r"Σ\."),
        ("Cyrillic", "и\u0306"),
        ("combining", "e\u0301"),
        ("emoji", "\ufe0f"),
        ("joined emoji", "👨\u200d👩\u200d👧"),
        ("bidi", "\u202e"),
        ("CJK", "。"),
        ("full width", "[\uff21-\uff3a]"),
        ("long words", "a{100}"),
        ("literals", r"\[MASK\]"),
        ("zero width", "\u200b"),
        ("spaces", "\u2028"),
        ("cases", "İ"),
    ],
)
def test_what_a_category_is_about_is_in_it(category: str, pattern: str) -> None:
    assert any(re.search(pattern, text) for name, text in TEXTS if name == category)


def test_fragments_are_glued_to_words_and_stand_alone() -> None:
    emoji = [text for name, text in TEXTS if name == "joined emoji"]
    assert any("the✌🏿" in text or "book✌🏿" in text or "great✌🏿" in text for text in emoji)
    assert any(" ✌🏿 " in text for text in emoji)
