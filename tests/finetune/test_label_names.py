"""Label names from a column, and what is said of columns that hold something else."""

from pathlib import Path

import pytest

from bertline.errors import BertlineError, UsageError
from bertline.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from bertline.tsv import TableSpec
from finetune.label_names import MAX_LABELS, check_given, label_names, remark_on


def names(folder: Path, problem_type: str, *cells: str) -> tuple[str, ...]:
    path = folder / "t.tsv"
    path.write_text("".join(f"{cell}\ttext\n" for cell in ("y", *cells)), encoding="utf-8")
    return label_names(path, TableSpec(label_column="y"), problem_type)


def test_names_are_distinct_and_sorted(tmp_path: Path) -> None:
    assert names(tmp_path, SINGLE_LABEL, "no", "yes", "10", "9", "no") == ("9", "10", "no", "yes")
    assert names(tmp_path, SINGLE_LABEL, "a,b", "a") == ("a", "a,b")
    assert names(tmp_path, MULTI_LABEL, "joy, anger", "", "fear", " ", "joy") == ("anger", "fear", "joy")
    assert names(tmp_path, MULTI_LABEL, "joy", "") == ("joy",)
    assert names(tmp_path, MULTI_LABEL, '["joy", "fear"]', "[]", "joy", "[7]") == ("7", "fear", "joy")
    assert names(tmp_path, REGRESSION, "5.0", "whatever") == ("y",)


@pytest.mark.parametrize(
    ("problem_type", "cells", "message"),
    [
        (SINGLE_LABEL, ["a", ""], "t.tsv, line 3, column y: '': is no label; correct the row"),
        (SINGLE_LABEL, ["a", "a"], "t.tsv: every row has the label 'a'; training needs two, or name --labels"),
        (SINGLE_LABEL, [], "t.tsv: has a header and no rows"),
        (MULTI_LABEL, ["a", "a,,b"], "t.tsv, line 3, column y: 'a,,b': a name is empty; take it out"),
        (
            MULTI_LABEL,
            ["a", '["b\\tc"]'],
            r"""line 3, column y: '["b\\tc"]': a name holds a tab, a line end or the like""",
        ),
        (MULTI_LABEL, ["a", '["\\ud800"]'], r"""'["\\ud800"]': a name holds a tab, a line end or the like"""),
        (SINGLE_LABEL, ["a", "b\rc"], r"'b\rc': a name holds a tab, a line end or the like"),
        (MULTI_LABEL, ["a", "['a', 'b']"], "column y: \"['a', 'b']\": is no list of names; write names with commas"),
        (MULTI_LABEL, ["a", '["b", null]'], "line 3, column y: '[\"b\", null]': is no list of names; write"),
        (MULTI_LABEL, ["a", '["b,c"]'], "a name that stands among others holds no comma, and does not begin with ["),
        (MULTI_LABEL, ["", ""], "t.tsv: no row has a label; name another --label-column, or --labels"),
        (MULTI_LABEL, [], "t.tsv: has a header and no rows"),
    ],
)
def test_a_column_without_names_is_refused(problem_type: str, cells: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(BertlineError) as refusal:
        names(tmp_path, problem_type, *cells)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("problem_type", "cell", "remedy"),
    [
        (SINGLE_LABEL, "{}.25", "they are numbers, which --problem regression learns; else name another"),
        (SINGLE_LABEL, "a{0},b{0}", "names joined by commas are learned with --problem multi-label; else name another"),
        (SINGLE_LABEL, "word {}", "name another --label-column"),
        (MULTI_LABEL, "{}", "name another --label-column"),
    ],
)
def test_too_many_names_hint_at_what_they_look_like(problem_type: str, cell: str, remedy: str, tmp_path: Path) -> None:
    cells = [cell.format(row) for row in range(MAX_LABELS + 1)]
    with pytest.raises(BertlineError) as refusal:
        names(tmp_path, problem_type, *cells)
    message = f"t.tsv, line {MAX_LABELS + 2}, column y: over {MAX_LABELS} different labels; {remedy}"
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("problem_type", "labels", "message"),
    [
        (SINGLE_LABEL, ["a"], "--labels a: give two or more different names"),
        (SINGLE_LABEL, ["a", "a"], "--labels a,a: give two or more different names"),
        (MULTI_LABEL, ["a", ""], "--labels a,: give one or more different names"),
        (MULTI_LABEL, ["a", " b"], "--labels a, b: a name that stands among others holds no comma"),
        (SINGLE_LABEL, ["a", "b\r"], r"'a,b\\r': a name holds a tab"),
        (MULTI_LABEL, ["a", "a"], "--labels a,a: give one or more different names"),
        (REGRESSION, ["a"], "--labels a: regression predicts a number, named as its column; leave out --labels"),
    ],
)
def test_given_names_fit_the_problem(problem_type: str, labels: list[str], message: str) -> None:
    check_given(["a", "b"], SINGLE_LABEL)
    check_given(["a"], MULTI_LABEL)
    with pytest.raises(UsageError, match=f"^{message}"):
        check_given(labels, problem_type)


def test_labels_that_look_like_another_problem_are_remarked_on() -> None:
    amounts = [f"{number}.5" for number in range(11)]
    assert remark_on(amounts, SINGLE_LABEL) == (
        "the 11 labels are all numbers; --problem regression would learn them as amounts"
    )
    assert "labels such as 'a,b' are taken as one" in (remark_on(["a", "b", "a,b"], SINGLE_LABEL) or "")
    for labels in (["0", "1"], amounts[:10], ["a", "yes, please"]):
        assert remark_on(labels, SINGLE_LABEL) is None
    assert remark_on(amounts, MULTI_LABEL) is None
