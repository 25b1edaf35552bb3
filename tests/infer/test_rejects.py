"""The table of rejects: one line each, from which the bytes can be had back."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from infer.rejects import Reject, rejects_head, rejects_rows


def bytes_of(cell: str) -> bytes:
    """What a cell stood for."""
    short = {"t": b"\t", "n": b"\n", "\\": b"\\"}
    pieces = re.split(r"(\\x[0-9a-f]{2}|\\.)", cell)
    return b"".join(
        (bytes.fromhex(piece[2:]) if piece[1] == "x" else short[piece[1]]) if piece.startswith("\\") else piece.encode()
        for piece in pieces
    )


def test_what_a_line_cannot_hold_is_escaped() -> None:
    row = rejects_rows([Reject("a\tb.tsv", 7, "encoding", "column 1", b"1\t\\\xe9\r\x1b[2J\xc2\x85 caf\xc3\xa9")])
    assert row.decode() == "a\\tb.tsv\t7\tencoding\tcolumn 1\t1\\t\\\\\\xe9\\x0d\\x1b[2J\\xc2\\x85 café\n"
    assert rejects_head() == b"file\tline\treason\tmessage\traw\n"


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.text(max_size=30).map(lambda text: text.encode(errors="replace"))))
def test_the_bytes_come_back(raw: bytes) -> None:
    row = rejects_rows([Reject("f", 1, "nul", "m", raw)]).decode()
    assert row.count("\n") == 1
    cells = row.removesuffix("\n").split("\t")
    assert len(cells) == 5 and not re.search("[\0-\x1f\x7f-\x9f]", cells[4])
    assert bytes_of(cells[4]) == raw
