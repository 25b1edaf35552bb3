"""The lines a run ends with: figures by label in columns, cut where there are too many, and harmless."""

from typing import Any

from infer.summary import MAX_LABELS, columns_of, label_table, metrics_in_words, thresholds_in_words
from tests.bertline.evaluation.streams import Rows


def figures(label: str, f1: float = 0.5, support: int = 1234) -> dict[str, Any]:
    return {"label": label, "precision": 1.0, "recall": 0.3333333, "f1": f1, "support": support}


def test_figures_stand_in_columns() -> None:
    assert list(label_table([figures("no"), figures("maybe", 0.25, 7)])) == [
        "  label  precision  recall      F1   rows",
        "  no        1.0000  0.3333  0.5000  1,234",
        "  maybe     1.0000  0.3333  0.2500      7",
    ]


def test_of_many_labels_the_weakest_are_told() -> None:
    told = list(label_table([figures(f"label {n}", n / 100) for n in range(90, 0, -1)]))
    assert told[0] == f"the {MAX_LABELS} of 90 labels with the lowest F1; the report has them all:"
    assert len(told) == MAX_LABELS + 2 and told[2].startswith("  label 1 ")


def test_names_are_cut_and_cannot_command_a_terminal() -> None:
    assert list(columns_of(["label", "rows"], [["\x1b[31m" + "x" * 100, "1"]]))[1] == (
        "  \ufffd[31m" + "x" * 24 + "…" + "     1"
    )


def test_every_problem_has_its_words() -> None:
    several = list(metrics_in_words(Rows.several(90).part(0, 90).to_json()))
    assert several[0].startswith("micro F1 0.") and "Hamming loss" in several[0] and len(several) == 6
    (numbers,) = metrics_in_words(Rows.numbers(90).part(0, 90).to_json())
    assert numbers.startswith("Pearson 0.") and ", Spearman 0." in numbers and "mean absolute error" in numbers
    (none,) = metrics_in_words(Rows.numbers(0).part(0, 0).to_json())
    assert none == "Pearson undefined, Spearman undefined, mean squared error undefined, mean absolute error undefined"
    single = list(metrics_in_words(Rows.single(90, 3).part(0, 90).to_json()))
    assert single[1] == "confusion, rows true, columns predicted:" and single[-1].startswith("macro F1 0.")
    many = list(metrics_in_words(Rows.single(90, 30).part(0, 90).to_json()))
    assert "confusion" not in " ".join(many)


def test_thresholds_in_words() -> None:
    assert thresholds_in_words({"joy": 0.31, "fear": 0.5}) == "joy 0.31, fear 0.5"
    assert thresholds_in_words({f"{n}": n / 100 for n in range(1, 31)}) == "0.01 to 0.3 for 30 labels"
