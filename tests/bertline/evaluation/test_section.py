"""An evaluation's section of a page: it says what it shows, and shows users' texts as texts."""

import re

import numpy as np
import pytest

from bertline.evaluation import Evaluation
from bertline.evaluation.section import evaluation_section, main_tiles
from bertline.report import Report, render_html
from tests.bertline.evaluation.streams import Stream
from tests.bertline.test_report import EVIL, Page


def page_of(evaluation: Evaluation) -> str:
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
