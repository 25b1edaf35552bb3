"""Goldens are written and read as they are, and a broken line is named."""

from pathlib import Path

import pytest

from bertline.errors import BertlineError
from infer.golden import Golden, goldens_to_text, read_goldens

GOLDENS = [
    Golden("core", "The cat\u2028sleeps.\n", None, (2, 3), (0, 0), {"pytorch": (0.1, -2e-9), "fp32": (1.0, 2.0)}),
    Golden("hard-unicode", "é", "b", (2, 7, 3), (0, 0, 1), {"pytorch": (0.0, 0.0)}),
]


def test_goldens_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_text(goldens_to_text(GOLDENS), encoding="utf-8")
    assert read_goldens(path) == GOLDENS
    assert [golden.row for golden in GOLDENS] == ["The cat\u2028sleeps.\n", ("é", "b")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no golden example"),
        (b"{}\n", "line 1: tag is missing; text is missing"),
        (b"\n{\n", "line 2: not JSON"),
        (b"\xff\n", "line 1: not JSON"),
        (b"[" * 200_000, "line 1: not JSON .nested too deep"),
    ],
    ids=["empty", "no keys", "broken", "bytes", "deep"],
)
def test_what_is_no_golden_is_refused_with_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_bytes(content)
    with pytest.raises(BertlineError, match=message):
        read_goldens(path)
