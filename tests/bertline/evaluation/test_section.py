"""An evaluation's section of a page: it says what it shows, and shows users' texts as texts."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from bertline.evaluation import AnyEvaluation, Evaluation
from bertline.evaluation.section import evaluation_section, main_tiles
from bertline.report import Report, render_html
from tests.bertline.evaluation.streams import Rows, Stream
from tests.bertline.test_report import EVIL, Page


def page_of(evaluation: AnyEvaluation) -> str:
    return render_html(Report("t", "", [], [evaluation_section("Metrics", evaluation)]))


def charts_of(page: str) -> list[str | None]:
    return [svg["aria-label"] for svg in Page(page).all("svg")]


def test_two_labels_have_scores_by_label_and_a_threshold_with_its_caveat() -> None:
    page = page_of(Stream.drawn(600).evaluated())
    assert charts_of(page) == [
        "Confusion matrix", "MCC per batch of 32 rows", "Scores by true label", "Threshold", "Accuracy by length",
    ]  # fmt: skip
    assert "(95% bootstrap interval)" in page and "flatters itself" in page and "probability of label 1" in page
    assert re.search(r"mean 0\.\d+, median 0\.\d+ \(thin line\); half of them lie between", page)


def test_more_labels_have_right_and_wrong_scores_and_coverage() -> None:
    page = page_of(Stream.drawn(600, 3).evaluated())
    assert charts_of(page) == [
        "Confusion matrix", "MCC per batch of 32 rows", "Scores of right and wrong answers",
        "Answering only where sure", "Accuracy by length",
    ]  # fmt: skip
    assert "flatters" not in page


@pytest.mark.parametrize("pairs", [False, True])
def test_the_mistakes_stand_there_with_their_texts(pairs: bool) -> None:
    evaluation = Stream.drawn(600, pairs=pairs).evaluated()
    page = Page(page_of(evaluation))
    heads = ["row", "text", *(["second text"] if pairs else []), "true", "predicted", "probability", "line"]
    assert page.said("th") == ["label", "precision", "recall", "F1", "rows", *heads]
    for mistake in evaluation.mistakes.rows:
        assert {*mistake.texts, str(mistake.line)} <= set(page.said("td"))


def test_hostile_texts_labels_and_file_names_are_texts() -> None:
    evaluation = Evaluation((EVIL, "<b>"))
    true, logits = np.arange(40) % 2, np.tile([0.0, 9.0], (40, 1))
    evaluation.add(true, logits, true + 5, [EVIL] * 40, lambda row: (f"{row} {EVIL}", row))
    evaluation.finish()
    page = Page(page_of(evaluation))
    assert not page.all("script") and not page.all("b")
    assert any("<script>alert('x')</script>" in text for text in page.said("td"))
    assert "file" in page.said("th")  # there are several


@pytest.mark.parametrize("labels", [1, 2, 3])
@pytest.mark.parametrize("rows", [0, 1])
def test_next_to_no_rows_make_a_page_that_says_so(rows: int, labels: int) -> None:
    page = page_of(Stream.drawn(rows, labels).evaluated())
    assert "0 by definition" in page and (rows > 0 or "no data" in page)


def test_rows_that_are_no_numbers_are_mentioned() -> None:
    stream = Stream.drawn(50)
    stream.logits[:] = np.nan
    page = page_of(stream.evaluated())
    assert "50 rows have logits that are no numbers" in page and "Threshold" not in page


def test_a_probability_that_rounds_to_one_is_not_called_one() -> None:
    evaluation = Evaluation(("0", "1"))
    evaluation.add(np.array([0, 0, 1]), np.array([[0.0, 30.0], [0.0, 2.0], [0.0, 1.0]]), np.full(3, 4), list("abc"))
    assert {"> 0.9999", "0.8808"} <= set(Page(page_of(evaluation)).said("td"))


def test_the_headline_has_the_interval_where_there_is_one() -> None:
    evaluation = Stream.drawn(600).evaluated()
    (figure, name), accuracy = main_tiles(evaluation, "on dev")
    interval = evaluation.mcc_interval
    assert interval is not None
    assert (figure, name) == (f"{evaluation.mcc:.3f}", f"MCC on dev (95%: {interval[0]:.3f} to {interval[1]:.3f})")
    assert accuracy == (f"{evaluation.accuracy:.1%}", "accuracy on dev")
    assert main_tiles(Stream.drawn(1).evaluated())[0] == ("0.000", "MCC")


def test_several_labels_have_a_table_bars_and_one_threshold_for_all() -> None:
    evaluation = Rows.several(500).part(0, 500)
    page = page_of(evaluation)
    assert charts_of(page) == ["F1 by label", "One threshold for all labels", "Subset accuracy by length"]
    heads = ["label", "precision", "recall", "F1", "rows", "threshold", "best threshold", "F1 there"]
    assert Page(page).said("th")[: len(heads)] == heads
    assert "flatters itself" in page and "(95% interval)" in page
    (figure, name), (_, beside) = main_tiles(evaluation, "on dev")
    assert (figure, beside) == (f"{evaluation.main_metric[1]:.3f}", "subset accuracy on dev")
    assert name.startswith("micro F1 on dev (95%: ")


def test_numbers_have_a_grid_their_errors_and_the_largest() -> None:
    evaluation = Rows.numbers(500).part(0, 500)
    page = page_of(evaluation)
    assert charts_of(page) == ["Predicted against true", "Errors", "Error by length"]
    assert Page(page).said("th") == ["row", "text", "true", "predicted", "error", "line"]
    assert "by Fisher" in page and main_tiles(evaluation)[1][1] == "Spearman"


@pytest.mark.parametrize("rows", [0, 1, 2])
@pytest.mark.parametrize("make", [Rows.several, Rows.numbers])
def test_few_rows_of_other_problems_make_a_page_too(make: Callable[..., Rows], rows: int) -> None:
    evaluation = make(rows).part(0, rows)
    page = page_of(evaluation)
    assert "F1" in page or "correlation" in page
    assert len(main_tiles(evaluation)) == 2


def test_logits_that_are_no_numbers_are_mentioned_whatever_the_problem() -> None:
    for rows, said in ((Rows.several(40), "40 logits are no numbers"), (Rows.numbers(40), "1 predictions are no")):
        rows.logits[:, :1] = np.where(
            np.arange(40)[:, None] < (40 if rows.problem.type != "regression" else 1), np.nan, 1
        )
        assert said in page_of(rows.part(0, 40))


def test_of_very_many_labels_those_of_the_lowest_f1_are_shown() -> None:
    page = page_of(Rows.several(200, 60).part(0, 200))
    assert "The 50 of 60 labels with the lowest F1" in page and "The 24 labels of the lowest F1" in page


def test_the_threshold_that_was_used_is_marked() -> None:
    stream = Stream.drawn(300)
    evaluation = Evaluation(stream.labels, 0.25)
    stream.feed(evaluation, 0, 300)
    page = page_of(evaluation)
    assert "0.25, as used" in page and "Right of 0.25 the model says" in page and "at 0.25, and" in page
