"""The INPUT arguments: what a folder and a glob stand for, in which order, and what stands for nothing."""

from pathlib import Path

import pytest

from bertline.errors import BertlineError
from infer.inputs import STDIN, expand

TABLES = ["a.tsv", "b.txt", "c.tab", "d.parquet", "e.tsv.gz", "f.TXT.ZST", "z.tsv"]
OTHERS = [".hidden.tsv", "a.csv", "a.tsv.report.json", "a.tsv.rejects.tsv", "a.tsv.partial", "g.gz", "h.parquet.gz"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deeper.tsv").mkdir(parents=True)
    for name in (*reversed(TABLES), *OTHERS, "deeper.tsv/x.tsv"):
        (folder / name).write_text("sentence\n")
    return folder


def test_a_folder_stands_for_the_tables_in_it_sorted(folder: Path) -> None:
    assert [path.name for path in expand([folder])] == TABLES


def test_a_glob_stands_for_files_sorted_and_not_for_what_runs_left(folder: Path) -> None:
    assert [path.name for path in expand([folder / "*.tsv"])] == ["a.tsv", "z.tsv"]
    assert [path.name for path in expand([folder / "[ab].*"])] == ["a.csv", "a.tsv", "b.txt"]


def test_arguments_keep_their_order_and_a_file_may_have_any_name(folder: Path) -> None:
    odd = folder / "what*[is]?.csv"
    odd.write_text("sentence\n")
    assert expand([folder / "z.tsv", odd, STDIN, folder / "a.tsv"]) == [
        folder / "z.tsv",
        odd,
        STDIN,
        folder / "a.tsv",
    ]


def test_what_stands_for_nothing_is_named(folder: Path) -> None:
    (folder / "none").mkdir()
    with pytest.raises(BertlineError, match=r"in/none: the folder holds no table"):
        expand([folder / "none"])
    with pytest.raises(BertlineError, match=r"in/\*\.json: no file has such a name"):
        expand([folder / "a.tsv", folder / "*.json"])
    with pytest.raises(BertlineError, match=r"in/x\.tsv: no such file"):
        expand([folder / "x.tsv"])
