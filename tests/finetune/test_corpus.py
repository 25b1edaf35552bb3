"""Tables, folders and archives become labelled rows; what is none is refused by file, line and column."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from bertline.errors import BertlineError, UsageError
from bertline.problems import MULTI_LABEL, REGRESSION, MultiLabel, Regression
from bertline.tsv import TableSpec
from finetune import cola
from finetune.corpus import Corpus, Example, load_corpus
from finetune.label_names import MAX_LABELS


def table(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def load(path: Path, **spec: str) -> Corpus:
    return load_corpus(str(path), TableSpec(**spec))  # type: ignore[arg-type]


def cola_folder(folder: Path, **rows: int) -> Path:
    """CoLA's layout made small: `rows` of each file, by default 6, 4 and 2."""
    sizes = {"in_domain_train": 6, "in_domain_dev": 4, "out_of_domain_dev": 2} | rows
    for name, size in sizes.items():
        lines = [f"gj04\t{row % 2}\t{'' if row % 2 else '*'}\tSentence {row} of {name}." for row in range(size)]
        table(folder / "raw" / f"{name}.tsv", *lines)
    return folder


def archive_of(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as zipped:
        for file in sorted(folder.rglob("*.tsv")):
            zipped.write(file, Path("cola_public", file.relative_to(folder)))
    return archive


def test_labels_are_the_distinct_values_sorted(tmp_path: Path) -> None:
    corpus = load(table(tmp_path / "t.tsv", "label\tsentence", "no\ta", "yes\tb", "maybe\tc", "no\td"))
    assert corpus.labels == ("maybe", "no", "yes")
    assert corpus.train[0] == Example("a", None, 1)
    assert corpus.holdouts == {}


def test_numbers_sort_by_value_and_before_words(tmp_path: Path) -> None:
    lines = [f"{label}\ttext" for label in ("10", "nan", "9", "-1", "inf", "1.5")]
    assert load(table(tmp_path / "t.tsv", "label\tsentence", *lines)).labels == ("-1", "1.5", "9", "10", "inf", "nan")


def test_labels_named_stand_in_their_order_and_may_be_given_as_ids(tmp_path: Path) -> None:
    path = table(tmp_path / "t.tsv", "label\tsentence", "yes\ta", "0\tb", "1\tc")
    corpus = load_corpus(str(path), TableSpec(), labels=["yes", "no"])
    assert corpus.labels == ("yes", "no")
    assert [example.label for example in corpus.train] == [0, 0, 1]


@pytest.mark.parametrize("names", [["yes"], ["a", "a"], ["a", ""]])
def test_label_names_must_differ(names: list[str]) -> None:
    with pytest.raises(UsageError, match="two or more different names"):
        load_corpus("t.tsv", TableSpec(), labels=names)


def test_several_labels_of_a_row_are_ids_in_order(tmp_path: Path) -> None:
    path = table(tmp_path / "t.tsv", "label\tsentence", "joy,anger\ta", "\tb", "fear, joy\tc")
    corpus = load_corpus(str(path), TableSpec(), problem_type=MULTI_LABEL)
    assert corpus.labels == ("anger", "fear", "joy") and corpus.problem == MultiLabel(corpus.labels)
    assert [example.label for example in corpus.train] == [(0, 2), (), (1, 2)]
    named = load_corpus(str(path), TableSpec(), problem_type=MULTI_LABEL, labels=["joy", "anger", "fear"])
    assert [example.label for example in named.train] == [(0, 1), (), (0, 2)]
    with pytest.raises(BertlineError, match=r"line 4, column label: 'fear, joy' holds what is not a label \(joy"):
        load_corpus(str(path), TableSpec(), problem_type=MULTI_LABEL, labels=["joy", "anger"])


def test_numbers_are_named_as_their_column(tmp_path: Path) -> None:
    path = table(tmp_path / "t.tsv", "stars\tsentence", "4.5\ta", "-1\tb")
    corpus = load_corpus(str(path), TableSpec(label_column="1"), problem_type=REGRESSION)
    assert corpus.labels == ("stars",) and corpus.problem == Regression(("stars",))
    assert [example.label for example in corpus.train] == [4.5, -1.0]


def test_words_are_no_numbers(tmp_path: Path) -> None:
    path = table(tmp_path / "t.tsv", "label\tsentence", "4.5\ta", "good\tb")
    with pytest.raises(BertlineError) as refusal:
        load_corpus(str(path), TableSpec(), problem_type=REGRESSION)
    assert f"{path}, line 3, column label: 'good' is not a number" in str(refusal.value)
    assert str(refusal.value).endswith("or train with --problem single")


def test_equal_numbers_teach_nothing(tmp_path: Path) -> None:
    path = table(tmp_path / "t.tsv", "label\tsentence", "3\ta", "3.0\tb")
    with pytest.raises(BertlineError, match="every row has the label 3, of which nothing can be learned"):
        load_corpus(str(path), TableSpec(), problem_type=REGRESSION)


def test_colas_problem_is_its_own(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a row of CoLA has one of two labels; leave out --problem"):
        load_corpus(str(cola_folder(tmp_path / "small")), TableSpec(), problem_type=REGRESSION)


def test_columns_are_found_by_name_and_by_position(tmp_path: Path) -> None:
    path = table(tmp_path / "t.tsv", "y\tleft\tright", "0\ta\tb", "1\tc\td")
    corpus = load(path, text_column="left", pair_column="3", label_column="y")
    assert corpus.train == [Example("a", "b", 0), Example("c", "d", 1)]
    assert corpus.spec.pair_column == "right"  # the next file may have it elsewhere
    twice = table(tmp_path / "twice.tsv", "x\tx\tlabel", "a\tb\t0", "c\td\t1")
    assert load(twice, text_column="2").spec.text_column == "2"


def test_a_named_holdout_is_read_as_the_corpus_is(tmp_path: Path) -> None:
    path = table(tmp_path / "t.tsv", "label\tsentence", "no\ta", "yes\tb")
    dev = table(tmp_path / "dev.tsv", "label\tsentence", "yes\tc")
    corpus = load_corpus(str(path), TableSpec(), holdout=dev)
    assert corpus.holdouts == {"dev": [Example("c", None, 1)]}


def test_a_holdout_of_the_training_files_name_does_not_replace_it(tmp_path: Path) -> None:
    folder = cola_folder(tmp_path / "cola")
    dev = table(tmp_path / "in_domain_train.tsv", "x\t1\t\tAnother sentence.")
    corpus = load_corpus(str(folder), TableSpec(), holdout=dev)
    assert len(corpus.train) == 6
    assert corpus.holdouts == {"in_domain_train": [Example("Another sentence.", None, 1)]}


def test_the_hash_covers_every_file(tmp_path: Path) -> None:
    head, dev = "label\tsentence", table(tmp_path / "dev" / "t.tsv", "label\tsentence", "0\ta")
    hashes = set()
    for text in ("a", "b"):
        path = table(tmp_path / "t.tsv", head, f"0\t{text}", "1\tc")
        hashes |= {load(path).sha256, load_corpus(str(path), TableSpec(), holdout=dev).sha256}
    assert len(hashes) == 4


def test_colas_layout_is_found_in_a_folder_its_raw_folder_or_an_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERTLINE_CACHE", str(tmp_path / "cache"))
    folder = cola_folder(tmp_path / "small")
    archive = archive_of(folder, tmp_path / "small.zip")
    corpora = [load(source) for source in (folder, folder / "raw", archive, archive)]
    for corpus in corpora:
        assert corpus.labels == ("0", "1")
        assert corpus.train[0] == Example("Sentence 0 of in_domain_train.", None, 0)
        assert {name: len(rows) for name, rows in corpus.holdouts.items()} == {
            "in_domain_dev": 4,
            "out_of_domain_dev": 2,
        }
        assert corpus.sha256 == corpora[0].sha256


def test_colas_columns_are_its_own(tmp_path: Path) -> None:
    folder = cola_folder(tmp_path / "small")
    assert len(load_corpus(str(folder), TableSpec.from_options(format="cola")).train) == 6
    with pytest.raises(UsageError, match="leave out the options about columns"):
        load(folder, text_column="notes")


def test_the_published_archive_must_have_the_published_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BERTLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cola, "ROWS", {"in_domain_train": 6, "in_domain_dev": 4, "out_of_domain_dev": 3})
    cached = cola_folder(tmp_path / "cache" / "cola_public_1.1" / "cola_public")
    with pytest.raises(BertlineError, match=r"out_of_domain_dev\.tsv: has 2 rows instead of 3; delete the cache"):
        load_corpus("cola", TableSpec())
    cola_folder(cached, out_of_domain_dev=3)
    assert len(load_corpus("cola", TableSpec()).train) == 6


def test_a_folder_without_colas_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BertlineError, match=r"holds no raw/in_domain_train\.tsv"):
        load(tmp_path)


def test_a_whole_table_of_one_label_cannot_be_learned(tmp_path: Path) -> None:
    with pytest.raises(BertlineError, match="every row has the label '1'"):
        load(table(tmp_path / "t.tsv", "label\tsentence", "1\ta", "1\tb"))


def test_a_column_of_too_many_values_holds_no_labels(tmp_path: Path) -> None:
    path = table(tmp_path / "t.tsv", "label\tsentence", *(f"{row}\ttext" for row in range(MAX_LABELS + 1)))
    with pytest.raises(BertlineError, match=rf"line {MAX_LABELS + 2}, column label: over {MAX_LABELS} different"):
        load(path)


HEAD = b"label\tsentence\n"
BAD_TABLES = {
    "no such file": (None, "no such file"),
    "empty": (b"", "is empty"),
    "header only": (HEAD, "has a header and no rows"),
    "too few columns": (HEAD + b"1\ta\n0\n", "line 3, column sentence is missing"),
    "too many columns": (HEAD + b"1\ta\tb\n", "line 2, column 3 is one too many"),
    "not UTF-8": (HEAD + b"1\tna\xefve\n", "line 2: column 2, byte 5 is not UTF-8"),
    "a NUL": (HEAD + b"1\ta\n0\ta\0b\n", "line 3: column 2 holds a NUL"),
    "an empty label": (HEAD + b"1\ta\n\tb\n", "line 3, column label: '': is no label; correct the row"),
    "no text column": (b"label\ttext\n1\ta\n0\tb\n", "no column 'sentence'; its columns are 'label', 'text'"),
    "no label column": (b"y\tsentence\n1\ta\n0\tb\n", "no column 'label'"),
}


@pytest.mark.parametrize(("content", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_bad_table_is_refused_by_file_line_and_column(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.tsv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BertlineError) as refusal:
        load(path)
    assert str(path) in str(refusal.value) and message in str(refusal.value)


def test_a_label_that_is_none_is_refused_by_line_and_column(tmp_path: Path) -> None:
    path = table(tmp_path / "t.tsv", "label\tsentence", "yes\ta", "perhaps\tb")
    with pytest.raises(BertlineError, match=r"t\.tsv, line 3, column label: 'perhaps' is not a label \(yes, no\)"):
        load_corpus(str(path), TableSpec(), labels=["yes", "no"])


def test_the_text_is_taken_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_bytes(b'\xef\xbb\xbflabel\tsentence\r\n1\t"Go!" she said\r\n0\t')
    assert [example.text for example in load(path).train] == ['"Go!" she said', ""]


def test_the_archive_is_unpacked_once_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTLINE_CACHE", str(tmp_path / "cache"))
    archive = archive_of(cola_folder(tmp_path / "small"), tmp_path / "small.zip")
    load(archive)
    unpacked = tmp_path / "cache" / "archives" / hashlib.sha256(archive.read_bytes()).hexdigest()
    assert [path.name for path in unpacked.parent.iterdir()] == [unpacked.name]
    before = unpacked.stat().st_mtime_ns
    load(archive)
    assert unpacked.stat().st_mtime_ns == before
