"""Rows that are set aside: as a table that says where each was, why it is none, and what it held."""

import re
from collections.abc import Iterable
from typing import NamedTuple

COLUMNS = ("file", "line", "reason", "message", "raw")
_SHORT = {ord("\t"): "\\t", ord("\n"): "\\n", ord("\\"): "\\\\"}
_CONTROL = re.compile("[\0-\x1f\\\\\x7f-\x9f\udc80-\udcff]")  # what surrogateescape makes of bytes that are no UTF-8


class Reject(NamedTuple):
    """A row that was not scored."""

    file: str
    line: int  # number in its file, from 1: of the line on disk, decompressed, or of the row in Parquet
    reason: str  # columns, encoding, nul, label, null or too_long
    message: str  # one line: column and remedy
    raw: bytes  # the line without its end; of one that is too long, the beginning


def rejects_head() -> bytes:
    """The header of the table of rejects."""
    return ("\t".join(COLUMNS) + "\n").encode()


def rejects_rows(rejects: Iterable[Reject]) -> bytes:
    r"""Rejects as rows of TSV; in each cell \t, \n, \\ and \xNN stand for what a line cannot hold or show."""
    return "".join(
        f"{_escaped(file.encode(errors='surrogateescape'))}\t{line}\t{reason}\t"
        f"{_escaped(message.encode(errors='surrogateescape'))}\t{_escaped(raw)}\n"
        for file, line, reason, message, raw in rejects
    ).encode()


def _escaped(raw: bytes) -> str:
    return _CONTROL.sub(_escape, raw.decode(errors="surrogateescape"))


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    short = _SHORT.get(ord(character))
    return short or "".join(f"\\x{byte:02x}" for byte in character.encode(errors="surrogateescape"))
