"""What is shown before training: what the notebook shows."""

import io
import re
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from bertline.problems import MULTI_LABEL, REGRESSION
from bertline.tsv import TableSpec
from finetune.base import load_base
from finetune.corpus import Corpus, Example
from finetune.overview import length_bins, show_overview, token_lengths
from finetune.recipe import METRICS, Recipe
from tests import tiny


def corpus(*texts: str, labels: tuple[str, ...] = ("bad", "good"), pair: str | None = None) -> Corpus:
    """Every third row has the label 0."""
    rows = [Example(text, pair, int(row % 3 > 0)) for row, text in enumerate(texts)]
    return Corpus("corpus.tsv", labels, rows, {"dev": rows[:7]}, "", TableSpec())


def overview(shown: Corpus, model_dir: Path, max_length: int = 12, validation_rows: int = 4) -> str:
    recipe = Recipe(model=str(model_dir), max_length=max_length)
    stream = io.StringIO()
    show_overview(Console(file=stream, width=200), recipe, shown, *load_base(recipe, shown.labels), validation_rows)
    return stream.getvalue()


@pytest.fixture(scope="module")
def shown(model_dir: Path) -> str:
    return overview(corpus(*(f"{text} {row}" for row, text in enumerate(tiny.SENTENCES * 5))), model_dir)


def rows_under(title: str, shown: str) -> list[str]:
    """The lines of a table, its title and its head apart."""
    lines = shown.split("\n")
    start = next(number for number, line in enumerate(lines) if line.startswith(title))
    return [line.strip() for line in lines[start + 2 : start + 13] if re.match(r" *(bad|good) ", line)]


def test_sentences_and_labels_are_counted(shown: str) -> None:
    assert (
        "40 sentences in corpus.tsv, 36 to train on, 4 to validate; labels bad: 14 (35.0%), good: 26 (65.0%)" in shown
    )
    assert "holdout dev: 7 sentences" in shown


def test_ten_random_rows_and_five_of_the_first_label_are_shown(shown: str) -> None:
    ten, five = rows_under("ten random rows", shown)[:10], rows_under("five rows labelled bad", shown)
    assert len(set(ten)) == 10 and {row.split()[0] for row in ten} == {"bad", "good"}
    assert len(set(five)) == 5 and {row.split()[0] for row in five} == {"bad"}
    numbers = [int(row.split()[-1]) for row in ten]
    assert numbers != sorted(numbers)  # drawn, not taken from the start


def test_one_sentence_is_shown_with_its_tokens_and_ids(shown: str) -> None:
    lines = shown.split("\n")
    start = lines.index("one sentence  The cat sleeps. 0")
    assert lines[start + 1].split() == ["tokens", "[CLS]", "the", "cat", "sleeps", ".", "0", "[SEP]"]
    assert lines[start + 2].split() == ["ids", "2", "5", "7", "12", "79", "90", "3"]


def test_token_lengths_are_shown_and_how_many_are_cut(shown: str) -> None:
    assert "longest 16; 5 of 40 are cut at 12" in shown
    assert sum(float(share) for share in re.findall(r"█+ (\d+\.\d)%", shown)) == pytest.approx(100)


def test_parameters_are_shown_with_their_shapes_and_count(shown: str) -> None:
    assert "41 named parameters, 23,586 weights" in shown
    for part, name, shape in [
        ("embedding", "bert.embeddings.word_embeddings.weight", "100 × 32"),
        ("first layer", "bert.encoder.layer.0.intermediate.dense.weight", "64 × 32"),
        ("head", "classifier.bias", "2"),
    ]:
        assert re.search(rf"{part} +{re.escape(name)} +{shape}\s", shown)
    assert "encoder.layer.1." not in shown


def test_texts_and_labels_are_shown_as_they_stand(model_dir: Path) -> None:
    text = "[bold]The[/] cat [/x] :warning: \\[red]"
    shown = overview(corpus(*[text] * 6, labels=("[/bad]", ":cat:")), model_dir)
    assert shown.count(text) == 6 + 2 + 1
    assert "five rows labelled [/bad]" in shown and "labels [/bad]: 2" in shown and ":cat:" in shown


def test_pairs_are_shown_together(model_dir: Path) -> None:
    assert "one sentence  The cat sleeps. ⟷ A dog." in overview(corpus("The cat sleeps.", pair="A dog."), model_dir)


def of_problem(problem_type: str, labels: tuple[str, ...], values: list[Any], model_dir: Path) -> str:
    """The overview of rows with these labels."""
    rows = [Example(f"{tiny.SENTENCES[row % 8]} {row}", None, value) for row, value in enumerate(values)]
    shown = Corpus("corpus.tsv", labels, rows, {}, "", TableSpec(), problem_type)
    recipe = Recipe(model=str(model_dir), problem_type=problem_type, metric=METRICS[problem_type][0])
    stream = io.StringIO()
    show_overview(Console(file=stream, width=200), recipe, shown, *load_base(recipe, labels), 4)
    return stream.getvalue()


def test_numbers_are_shown_as_they_are_distributed(model_dir: Path) -> None:
    values = [*(float(row % 5) for row in range(40)), 5.0]
    shown = of_problem(REGRESSION, ("score",), values, model_dir)
    assert f"score 0 to 5, median 2, mean 2.073, standard deviation {statistics.pstdev(values):.4g}" in shown
    lines = shown.split("\n")
    bars = lines[lines.index("score") + 1 :][:10]
    assert [line.split()[:3] for line in (bars[0], bars[-1])] == [["0", "to", "0.5"], ["4.5", "to", "5"]]
    assert sum(float(line.split()[-1][:-1]) for line in bars) == pytest.approx(100, abs=0.5)
    start = next(number for number, line in enumerate(lines) if line.startswith("five rows of the lowest score"))
    assert {line.split()[0] for line in lines[start + 2 : start + 7]} == {"0"}


def test_rows_are_counted_by_each_of_their_labels(model_dir: Path) -> None:
    values: list[tuple[int, ...]] = [(0, 1), (), (1,), (0,)]
    shown = of_problem(MULTI_LABEL, ("joy", "anger"), values * 10, model_dir)
    assert "labels joy: 20 (50.0%), anger: 20 (50.0%); none: 10" in shown
    lines = shown.split("\n")
    start = lines.index(next(line for line in lines if line.startswith("five rows labelled joy")))
    assert {line.split()[0] for line in lines[start + 2 : start + 7]} == {"joy", "joy,anger"}


def test_token_lengths_count_markers_and_are_uncut(model_dir: Path) -> None:
    _, tokenizer = load_base(Recipe(model=str(model_dir)), ("0", "1"))
    texts = ["", "the cat", "the " * 100]
    assert token_lengths([Example(text, None, 0) for text in texts], tokenizer).tolist() == [2, 4, 102]
    assert token_lengths([Example(text, "a dog", 0) for text in texts], tokenizer).tolist() == [5, 7, 105]


@pytest.mark.parametrize(
    ("lengths", "bins"),
    [
        ([2, 3, 3], [(0, 1, 0), (1, 2, 1), (2, 3, 2)]),
        ([2, 3, 33, 34], [(0, 2, 1), (2, 4, 1), *((low, low + 2, 0) for low in range(4, 32, 2)), (32, 34, 2)]),
    ],
)
def test_a_bin_holds_the_lengths_over_its_low_end_up_to_its_high_one(
    lengths: list[int], bins: list[tuple[int, int, int]]
) -> None:
    assert length_bins(np.array(lengths)) == bins


@pytest.mark.parametrize(("longest", "width"), [(1, 1), (32, 1), (33, 2), (64, 2), (512, 16), (5000, 256)])
def test_bins_are_few_and_end_at_the_usual_limits(longest: int, width: int) -> None:
    bins = length_bins(np.arange(1, longest + 1))
    assert len(bins) <= 32 and bins[0][:2] == (0, width)
    assert sum(rows for _, _, rows in bins) == longest
