"""Label cells: names and ids, several in one cell, numbers; and what is said of any other."""

import io

import pytest

from bertline.errors import BertlineError
from bertline.labels import CellParser, LabelParser, LabelSetParser, NumberParser, parse_cell
from bertline.tsv import Table, TableSpec


@pytest.fixture
def table() -> Table:
    return Table(io.BytesIO(b"label\n"), "t.tsv", TableSpec())


def test_labels_are_understood_by_name_and_by_id_and_names_win(table: Table) -> None:
    named, swapped = LabelParser(["no", "yes"]), LabelParser(["1", "0"])
    assert [parse_cell(named, cell, table, 2, 0) for cell in ("no", "yes", "0", "1")] == [0, 1, 0, 1]
    assert swapped.values_of(["1", "0"]) == [0, 1]
    with pytest.raises(BertlineError, match=r"'0' is not a label \(1, 2, 3\)"):
        parse_cell(LabelParser(["1", "2", "3"]), "0", table, 2, 0)
    for wrong in ("maybe", "2", "-1", "", " yes", "YES"):
        with pytest.raises(
            BertlineError, match=r"t\.tsv, line 2, column label: .* is not a label \(no, yes\); correct"
        ):
            parse_cell(named, wrong, table, 2, 0)


def test_several_labels_stand_in_one_cell_in_any_order() -> None:
    parser = LabelSetParser(["joy", "anger", "fear"])
    assert parser.values_of(["", "joy", "fear,joy", "anger, fear", "2", "joy,joy"]) == [
        (),
        (0,),
        (0, 2),
        (1, 2),
        (2,),
        (0,),
    ]
    assert parser.values_of(["joy,", "joy fear", "3", ",", "Joy", None]) == [None] * 6  # type: ignore[list-item]


def test_a_list_as_parquet_has_it_is_several_labels() -> None:
    parser = LabelSetParser(["joy", "anger", "[sic]"])
    cells = ["[]", '["joy", "anger"]', "[1, 0]", '["[sic]"]']
    assert parser.values_of(cells) == [(), (0, 1), (0, 1), (2,)]
    assert parser.values_of(['["joy"', "[joy]", "[7]", "[null]", "[[0]]", '{"joy": 1}', "[1.5]"]) == [None] * 7


def test_numbers_are_finite_and_decimal() -> None:
    assert NumberParser().values_of(["3.8", "-1", ".5", "2.", "1e-3", " 4 "]) == [3.8, -1.0, 0.5, 2.0, 0.001, 4.0]
    wrong = ["", "nan", "inf", "1e999", "-1e39", "1_0", "0x1", "3,8", "٣", None]
    assert NumberParser().values_of(wrong) == [None] * len(wrong)  # type: ignore[arg-type]
    assert NumberParser().values_of(["3.4028234e38"]) == [3.4028234e38]
    assert NumberParser().values_of(["1e-165", "-1e-400", "1e-45", "2e-45"]) == [0.0, 0.0, 0.0, 2e-45]


@pytest.mark.parametrize(
    ("parser", "said"),
    [
        (LabelParser(["a", "b"]), "null is not a label (a, b)"),
        (LabelSetParser(["a", "b"]), "null is no list of labels: a row without any has an empty one"),
        (NumberParser(), "null is not a number"),
    ],
)
def test_a_fault_shows_the_cell(parser: CellParser, said: str) -> None:
    assert parser.fault(None).startswith(said)
    assert repr("x" * 40) in parser.fault("x" * 50)
