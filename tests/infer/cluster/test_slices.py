"""A slice holds the rows it says, numbered as in their file, wherever it was cut."""

import io
import random
from pathlib import Path

import pytest

from bertline.blocks import LineBlock
from bertline.errors import BertlineError
from bertline.tsv import TableSpec
from infer.cluster.places import LocalPlace
from infer.cluster.slices import LineRange, Lines
from infer.report import InputChangedError

SEED = 5


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_range_of_lines_is_what_splitting_gives(end: str) -> None:
    generator = random.Random(SEED)
    lines = ["x" * generator.randrange(0, 50) for _ in range(500)] + ["the last"]
    content = ("\n".join(lines) + end).encode()
    whole = content.splitlines(keepends=True)
    for _ in range(300):
        skip, count = generator.randrange(0, 502), generator.randrange(0, 502)
        stream = io.BufferedReader(LineRange(io.BytesIO(content), skip, count), generator.randrange(1, 300))
        assert stream.read() == b"".join(whole[skip : skip + count])


def lines_of(path: Path, first: int, count: int, known: int = 1, offset: int = 0, **options: object) -> Lines:
    place = LocalPlace(path, options.get("told", ""))  # type: ignore[arg-type]
    state = place.state()
    assert state is not None
    return Lines(place, state, ("id", "text"), first, count, known, offset)


def test_rows_in_the_middle_have_their_line_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("id\ttext\n" + "".join(f"{row}\tt{row}\n" for row in range(100)))
    offset = path.read_bytes().index(b"48\tt48")
    source = lines_of(path, 52, 10, known=50, offset=offset).open(TableSpec(), keep_bad=False, hint="")
    (block,) = source.blocks()
    assert isinstance(block, LineBlock)
    assert block.first == 52 and block.lines == [f"{row}\tt{row}" for row in range(50, 60)]


def test_a_bad_row_is_named_as_the_user_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("id\ttext\n1\ta\n2\n3\tc\n")
    with pytest.raises(BertlineError, match=r"^t\.tsv, line 3, column text is missing: .*; hint$"):
        lines_of(path, 3, 2, told="t.tsv").open(TableSpec(), keep_bad=False, hint="; hint")


def test_a_mark_at_the_start_of_a_file_is_none_in_its_middle(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_bytes(b"\xef\xbb\xbf1\ta\n\xef\xbb\xbf2\tb\n")
    blocks = [lines_of(path, first, 1).open(TableSpec(), keep_bad=True, hint="").blocks() for first in (1, 2)]
    assert [next(iter(found)).lines for found in blocks] == [["1\ta"], ["\ufeff2\tb"]]  # type: ignore[union-attr]


def test_a_file_that_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("id\ttext\n1\ta\n")
    piece = lines_of(path, 2, 1)
    piece.check()
    path.write_text("id\ttext\n1\tabc\n")
    with pytest.raises(InputChangedError, match="was changed while it was being scored, or is a copy of its own on"):
        piece.check()
    path.unlink()
    with pytest.raises(InputChangedError, match=r"is not there on node .*; put inputs where all machines see them"):
        piece.check()
