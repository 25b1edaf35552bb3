"""Tables: what is understood, what is refused, and where the error says it is."""

import io
from pathlib import Path

import numpy as np
import pytest

from bertline.blocks import BadRow, LineBlock
from bertline.errors import BertlineError, UsageError
from bertline.presets import COLA_COLUMNS
from bertline.tsv import MAX_LINE_BYTES, Table, TableSpec, open_input

NO_HEADER = TableSpec(header=False)


def read(content: bytes, spec: TableSpec = NO_HEADER) -> list[list[str]]:
    return [row.cells for row in Table(io.BytesIO(content), "t.tsv", spec)]


def refused(content: bytes, spec: TableSpec = NO_HEADER) -> str:
    with pytest.raises(BertlineError) as error:
        read(content, spec)
    return str(error.value)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("last_end", [True, False], ids=["line end", "no line end"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "BOM"])
def test_line_ends_marks_and_a_missing_last_line_end_are_understood(end: bytes, last_end: bool, mark: bytes) -> None:
    content = mark + end.join([b"a\tb", b"c\td"]) + (end if last_end else b"")
    assert read(content) == [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x0b", "\x0c", "\x85", "\x1c", "\r", '"', "'", "\\", "\ufeff"])
def test_only_a_line_feed_ends_a_row_and_nothing_quotes(odd: str) -> None:
    assert read(f"1\ta{odd}b\n2\t{odd}c\n".encode()) == [["1", f"a{odd}b"], ["2", f"{odd}c"]]


def test_empty_cells_and_an_empty_line_of_one_column_are_texts() -> None:
    assert read(b"\ta\t\n") == [["", "a", ""]]
    assert read(b"a\n\nb\n") == [["a"], [""], ["b"]]


def test_columns_come_from_the_header_the_option_or_their_positions() -> None:
    assert Table(io.BytesIO(b"x\ty\n"), "t.tsv", TableSpec()).columns == ("x", "y")
    assert Table(io.BytesIO(b"1\t2\n"), "t.tsv", NO_HEADER).columns == ("1", "2")
    assert Table(io.BytesIO(b"1\t2\n"), "t.tsv", TableSpec(False, ("p", "q"))).columns == ("p", "q")


def test_rows_know_their_line_on_disk() -> None:
    table = Table(io.BytesIO(b"\xef\xbb\xbfx\r\na\r\nb"), "t.tsv", TableSpec())
    assert [row.line for row in table] == [2, 3]


def test_bad_rows_are_kept_among_the_good_ones_where_asked_for() -> None:
    content = b"x\ty\n1\t2\n3\n4\t\xe9\r\n5\t6\r\n7\t8\n9\t\0\n"
    parts = list(Table(io.BytesIO(content), "t.tsv", TableSpec(), keep_bad=True).blocks())
    assert [(part.first, part.lines) for part in parts if isinstance(part, LineBlock)] == [
        (2, ["1\t2"]),
        (5, ["5\t6", "7\t8"]),
    ]
    assert [(part.line, part.reason, part.raw) for part in parts if isinstance(part, BadRow)] == [
        (3, "columns", b"3"),
        (4, "encoding", b"4\t\xe9"),
        (7, "nul", b"9\t\0"),
    ]


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_a_block_cuts_out_any_cell(width: int) -> None:
    rows = [[f"{row}.{column}" for column in range(width)] for row in range(3)]
    block = LineBlock("t.tsv", 1, ["\t".join(row) for row in rows], width)
    assert (
        block.texts() == [block.column(index) for index in range(width)] == [list(c) for c in zip(*rows, strict=True)]
    )


def test_a_hint_ends_the_error() -> None:
    with pytest.raises(BertlineError, match=r"line 2, column y is missing: .*--format; or not$"):
        list(Table(io.BytesIO(b"x\ty\na\n"), "t.tsv", TableSpec(), hint="; or not"))


def test_what_is_described_wrongly_is_refused_before_a_row_is_asked_for() -> None:
    with pytest.raises(BertlineError, match="line 1, column b is missing"):
        Table(io.BytesIO(b"1\n2\n"), "t.tsv", TableSpec(False, ("a", "b")))
    Table(io.BytesIO(b"1\n2\n"), "t.tsv", TableSpec(False, ("a", "b")), keep_bad=True)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "t.tsv: the file is empty; "),
        (b"a\tb\nc\n", "t.tsv, line 2, column 2 is missing: the row has 1 where 2 are expected"),
        (b"a\tb\n\n", "t.tsv, line 2, column 2 is missing"),
        (b"a\tb\nc\td\te\n", "t.tsv, line 2, column 3 is one too many: the row has 3 where 2 are expected"),
        (b"a\tb\nc\td\xe9\n", "t.tsv, line 2: column 2, byte 4 is not UTF-8; convert the file with iconv"),
        (b"\xff\xfea\x00", "t.tsv, line 1: column 1, byte 1 is not UTF-8"),
        (b"a\tb\nc\td\0\n", "t.tsv, line 2: column 2 holds a NUL character; remove it with tr"),
        (b"a" * (MAX_LINE_BYTES + 1), "t.tsv, line 1: longer than 16 MiB"),
    ],
    ids=["empty", "too few", "blank line", "too many", "Latin-1", "UTF-16", "NUL", "no line ends"],
)
def test_what_is_no_table_is_refused_with_line_column_and_remedy(content: bytes, expected: str) -> None:
    assert expected in refused(content)


def test_a_column_is_found_by_name_then_by_position() -> None:
    table = Table(io.BytesIO(b"2\tx\ty\n"), "t.tsv", TableSpec())
    assert [table.index(column, "--text-column") for column in ("x", "2", "3")] == [1, 0, 2]
    for wrong in ("z", "0", "4", "-1", "01", "²", "9" * 5000, ""):
        with pytest.raises(
            BertlineError, match=r"t\.tsv: no column .*; its columns are '2', 'x', 'y'; .*--text-column"
        ):
            table.index(wrong, "--text-column")


def test_a_name_that_two_columns_have_needs_a_position() -> None:
    table = Table(io.BytesIO(b"x\ty\tx\n"), "t.tsv", TableSpec())
    with pytest.raises(BertlineError, match=r"several columns are called 'x'; give --label-column a position"):
        table.index("x", "--label-column")
    assert table.index("3", "--label-column") == 2


def test_random_cells_come_back_as_they_were() -> None:
    generator = np.random.default_rng(5)
    alphabet = np.array(list('abé"\u2028\x85 😀\\,;'))
    for _ in range(50):
        rows, columns = generator.integers(1, 8, 2)
        cells = [
            ["".join(generator.choice(alphabet, generator.integers(0, 6))) for _ in range(columns)] for _ in range(rows)
        ]
        content = "".join("\t".join(row) + "\n" for row in cells).encode()
        assert read(content) == cells


def test_the_spec_of_options() -> None:
    assert TableSpec.from_options() == TableSpec()
    assert TableSpec.from_options(columns="a, b") == TableSpec(False, ("a", "b"))
    assert TableSpec.from_options(format="cola") == TableSpec(False, COLA_COLUMNS, "sentence", None, "label")
    assert TableSpec.from_options(header=False, text_column="2") == TableSpec(header=False, text_column="2")


@pytest.mark.parametrize(
    "options",
    [
        {"format": "csv"},
        {"format": "cola", "header": True},
        {"format": "cola", "columns": "a"},
        {"columns": "a", "header": True},
    ],
)
def test_options_that_contradict_each_other_are_wrong_usage(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        TableSpec.from_options(**options)  # type: ignore[arg-type]


def test_what_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(BertlineError, match="no such file"):
        open_input(tmp_path / "nowhere.tsv")
    with pytest.raises(BertlineError, match="is a folder; name the file in it"):
        open_input(tmp_path)
