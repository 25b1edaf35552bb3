"""Scored rows: columns in order, and numbers that keep every bit of a float32."""

import io
from pathlib import Path

import numpy as np
import pytest

from bertline.errors import BertlineError
from infer.output import OutputFormat, ScoreWriter, open_output, softmax

LABELS = ("no", "yes")


def written(form: OutputFormat, logits: np.ndarray, cells: list[list[str]]) -> list[list[str]]:
    stream = io.BytesIO()
    writer = ScoreWriter(stream, ["id", "text"], LABELS, form)
    writer.write(cells, logits, logits.argmax(axis=1))
    return [line.split("\t") for line in stream.getvalue().decode().split("\n")]


def test_columns_are_the_inputs_then_label_score_probabilities_logits() -> None:
    logits = np.array([[0.0, np.log(3.0)]], np.float32)
    header, row, end = written(OutputFormat(probabilities=True, logits=True), logits, [["1", ' "é\r']])
    assert header == ["id", "text", "predicted_label", "score", "prob_no", "prob_yes", "logit_no", "logit_yes"]
    assert row == ["1", ' "é\r', "yes", "0.75", "0.25", "0.75", "0", "1.09861231"]
    assert end == [""]


def test_the_header_can_be_left_out() -> None:
    assert written(OutputFormat(header=False), np.zeros((1, 2), np.float32), [["1", "a"]])[0][:2] == ["1", "a"]


def test_numbers_come_back_as_the_same_float32() -> None:
    generator = np.random.default_rng(1)
    logits = (generator.normal(size=(2000, 2)) * 10.0 ** generator.integers(-8, 8, (2000, 2))).astype(np.float32)
    rows = written(OutputFormat(logits=True, probabilities=True), logits, [["", ""]] * len(logits))[1:-1]
    numbers = np.array([row[3:] for row in rows], np.float32)
    probabilities = softmax(logits)
    assert (numbers[:, 3:] == logits).all()
    assert (numbers[:, 1:3] == probabilities).all()
    assert (numbers[:, 0] == probabilities.max(axis=1)).all()


def test_softmax_of_large_logits_neither_overflows_nor_loses_its_sum() -> None:
    probabilities = softmax(np.array([[1e30, -1e30], [3e38, 3e38], [-500, -501]], np.float32))
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert probabilities[0].tolist() == [1, 0] and probabilities[1].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("taken", ["predicted_label", "score", "prob_yes"])
def test_a_column_that_scoring_would_add_again_is_refused_where_a_header_names_it(taken: str) -> None:
    with pytest.raises(BertlineError, match=f"in.tsv, line 1, column 2: '{taken}' is what the scores are called"):
        OutputFormat(probabilities=True).refuse_twice(["id", taken], LABELS, "in.tsv")
    OutputFormat(header=False, probabilities=True).refuse_twice(["id", taken], LABELS, "in.tsv")
    OutputFormat().refuse_twice(["id", "prob_yes"], LABELS, "in.tsv")


def test_stdout_is_left_open(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with open_output(Path("-"), force=False) as stream:
        stream.write(b"a\tb\n")
    print("more", flush=True)
    assert capfdbinary.readouterr().out == b"a\tb\nmore\n"
