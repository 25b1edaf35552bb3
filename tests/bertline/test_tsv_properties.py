"""Any bytes at all: rows as a plain oracle reads them, or rejects on the right lines, and never a wrong row."""

import io
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bertline import lines, tsv
from bertline.blocks import BadRow, LineBlock
from bertline.errors import BertlineError
from bertline.tsv import Table, TableSpec

LONGEST = 40  # bytes of a line, its end included: small enough to be met
PIECES = [b"\t", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xc3", b"\xa9", b"\xef\xbb\xbf", b'"', b"a", b"bc", b" "]
PIECES += ["é\u2028\x85😀".encode(), b"\ta\tb\n", b"x" * LONGEST]
contents = st.one_of(st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join), st.binary(max_size=120))
specs = st.sampled_from([TableSpec(), TableSpec(False), TableSpec(False, ("a",)), TableSpec(False, ("a", "b", "c"))])
bounded = settings(max_examples=400, deadline=None)


def expected(content: bytes, spec: TableSpec) -> tuple[tuple[str, ...], dict[int, list[str] | str]] | None:
    """Columns, and for each line its cells or the reason why it is none; None where the head is no head."""
    if not content:
        return None
    raw_lines = content.split(b"\n")
    sizes = [len(raw) + 1 for raw in raw_lines]
    sizes[-1] -= 1  # the last line has no end
    if not raw_lines[-1]:
        raw_lines.pop()
    raw_lines[0] = raw_lines[0].removeprefix(b"\xef\xbb\xbf")
    raw_lines = [raw.removesuffix(b"\r") for raw in raw_lines]
    rows: dict[int, list[str] | str] = {}
    for number, (raw, size) in enumerate(zip(raw_lines, sizes, strict=False), 1):
        try:
            text = "too_long" if size > LONGEST else raw.decode()
            rows[number] = "nul" if "\0" in text else text if size > LONGEST else text.split("\t")
        except UnicodeDecodeError:
            rows[number] = "encoding"
    head = rows[1]
    if spec.columns:
        columns = spec.columns
    elif isinstance(head, str):
        return None
    else:
        columns = tuple(rows.pop(1)) if spec.header else tuple(str(i + 1) for i in range(len(head)))
    wide = {n: row if isinstance(row, str) or len(row) == len(columns) else "columns" for n, row in rows.items()}
    return columns, wide


def table(content: bytes, spec: TableSpec, block: int, keep_bad: bool) -> Table:
    with mock.patch.object(lines, "BLOCK_BYTES", block), mock.patch.object(tsv, "MAX_LINE_BYTES", LONGEST):
        found = Table(io.BytesIO(content), "t.tsv", spec, keep_bad=keep_bad)
    return found


@bounded
@given(contents, specs, st.integers(1, 50))
def test_what_is_kept_and_what_is_rejected_are_all_lines(content: bytes, spec: TableSpec, block: int) -> None:
    oracle = expected(content, spec)
    if oracle is None:
        with pytest.raises(BertlineError, match=r"^t\.tsv"):
            table(content, spec, block, keep_bad=True)
        return
    opened = table(content, spec, block, keep_bad=True)
    found: dict[int, list[str] | str] = {}
    for part in opened.blocks():
        if isinstance(part, LineBlock):
            assert len(part) > 0
            found |= {number: line.split("\t") for number, line in enumerate(part.lines, part.first)}
        else:
            assert isinstance(part, BadRow) and part.message.startswith(f"t.tsv, line {part.line}")
            assert "\n" not in part.message and part.raw in content
            found[part.line] = part.reason
    assert (opened.columns, found) == oracle
    assert list(found) == sorted(found)


@bounded
@given(contents, specs, st.integers(1, 50))
def test_failing_stops_at_the_first_bad_line_with_the_rows_before_it(
    content: bytes, spec: TableSpec, block: int
) -> None:
    oracle = expected(content, spec)
    bad = [number for number, row in oracle[1].items() if isinstance(row, str)] if oracle else [1]
    found: dict[int, list[str] | str] = {}
    try:
        for row in table(content, spec, block, keep_bad=False):
            found[row.line] = row.cells
    except BertlineError as error:
        assert bad
        assert str(error).startswith(f"t.tsv, line {bad[0]}") or (not content and "the file is empty" in str(error))
    else:
        assert not bad
    assert oracle is None or found == {n: row for n, row in oracle[1].items() if n < (bad or [len(content) + 2])[0]}
