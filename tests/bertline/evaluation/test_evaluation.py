"""What is counted is the same in any pieces, stored and restored between them, and is valid JSON whatever comes."""

import json

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef

from bertline.evaluation import Evaluation
from tests.bertline.evaluation.streams import Stream


@pytest.mark.parametrize(("labels", "pairs"), [(2, False), (2, True), (3, False)])
def test_any_pieces_stored_and_restored_between_them_give_the_same(labels: int, pairs: bool) -> None:
    stream, generator = Stream.drawn(1000, labels, pairs=pairs), np.random.default_rng(3)
    pieces, start = Evaluation(stream.labels), 0
    while start < 1000:
        stop = min(1000, start + int(generator.integers(1, 90)))
        stream.feed(pieces, start, stop)
        state = json.loads(json.dumps(pieces.state()))
        pieces = Evaluation(stream.labels)
        pieces.restore(state)
        start = stop
    pieces.finish()
    whole = stream.evaluated()
    assert whole.to_json() == pieces.to_json()
    assert whole.state() == pieces.state()
    batches = [matthews_corrcoef(stream.true[i : i + 32], stream.predicted[i : i + 32]) for i in range(0, 1000, 32)]
    assert whole.batches.mcc == pytest.approx(batches, abs=1e-12)


def test_the_state_does_not_grow_with_the_rows() -> None:
    stream, evaluation, sizes = Stream.drawn(20_000), Evaluation(("0", "1")), []
    for _ in range(4):
        stream.feed(evaluation, 0, 20_000)
        sizes.append(len(json.dumps(evaluation.state())))
    assert sizes[3] < sizes[0] * 1.3  # digits


@pytest.mark.parametrize("labels", [1, 2, 3])
@pytest.mark.parametrize("rows", [0, 1, 31, 33])
def test_few_rows_give_json_that_any_reader_takes(rows: int, labels: int) -> None:
    metrics = Stream.drawn(rows, labels).evaluated().to_json()
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert metrics["rows"] == rows


def test_rows_that_are_no_numbers_are_counted_and_stand_in_no_curve() -> None:
    stream = Stream.drawn(100)
    stream.logits[::4] = np.nan
    evaluation = stream.evaluated()
    json.dumps(evaluation.to_json(), allow_nan=False)
    assert (evaluation.rows, evaluation.unscored, evaluation.scores.counts.sum()) == (100, 25, 75)
    assert not {mistake.row % 4 for mistake in evaluation.mistakes.rows} & {1}


def test_the_summary_names_the_share_of_the_positives() -> None:
    logits = np.array([[1, 0], [1, 0], [0, 1], [0, 1]])
    evaluation = Evaluation(("no", "yes"))
    evaluation.add(np.array([0, 0, 0, 1]), logits, np.full(4, 5), list("abcd"))
    assert evaluation.summary() == "4 rows, 1 labelled yes (25.0%), accuracy 0.7500, MCC 0.5774"
    assert Evaluation(("a", "b", "c")).summary().startswith("0 rows, 0 labelled b (0.0%), 0 labelled c (0.0%)")
    assert Evaluation(tuple(map(str, range(77)))).summary() == "0 rows of 77 labels, accuracy 0.0000, MCC 0.0000"
