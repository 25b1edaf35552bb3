"""Every threshold's figures are those that the rows themselves give."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from bertline.evaluation.scores import AtThreshold, Scores, best_of
from bertline.metrics import softmax
from tests.bertline.evaluation.streams import Stream


def scores_of(stream: Stream) -> Scores:
    return stream.evaluated().scores


def test_the_threshold_curve_is_scikit_learns_on_the_rows() -> None:
    stream = Stream.drawn(3000)
    curve = scores_of(stream).threshold_curve()
    assert [point.threshold for point in curve] == [number / 1000 for number in range(1, 1000)]
    above = softmax(stream.logits)[:, 1]
    for point in curve:
        predicted = above > point.threshold
        assert point.mcc == pytest.approx(matthews_corrcoef(stream.true, predicted), abs=1e-12)
        assert point.accuracy == pytest.approx(accuracy_score(stream.true, predicted), abs=1e-12)
        assert point.f1 == pytest.approx(f1_score(stream.true, predicted, zero_division=0), abs=1e-12)
    assert [point.f1 for point in curve] == scores_of(stream).f1_curve().tolist()
    best = best_of(curve, "f1")
    assert scores_of(stream).best_f1() == (best.threshold, best.f1)


def test_a_score_that_is_a_threshold_is_not_above_it_however_it_is_rounded() -> None:
    thresholds = np.arange(1, 1000) / 1000
    for score, above in ((thresholds, 0), (np.nextafter(thresholds, 1), 1), (np.nextafter(thresholds, 0), 0)):
        for number, value in enumerate(score.tolist(), 1):
            scores = Scores()
            scores.add(np.array([value]), np.array([1]))
            assert int(scores.counts[1, number:].sum()) == above


def test_at_one_half_the_curve_is_the_confusion_matrix_also_where_rounding_decides() -> None:
    tiny = np.float32(1e-45)
    logits = np.array([[0, 0], [0, tiny], [tiny, 0], [1, 1 + 2e-7], [0, 90], [90, 0], [0, 900], [900, 0]], np.float32)
    scores = Scores()
    scores.add(softmax(logits)[:, 1], np.array([0, 1, 0, 1, 1, 0, 1, 0]), logits.argmax(axis=1) == 1)
    assert scores.threshold_curve()[499] == AtThreshold(0.5, 1.0, 1.0, 1.0)
    assert scores.counts.sum() == 8


def test_the_histogram_counts_rows_by_true_label_or_by_right_and_wrong() -> None:
    for labels in (2, 5):
        stream = Stream.drawn(2000, labels)
        probabilities, right = softmax(stream.logits), stream.predicted == stream.true
        score = probabilities[:, 1] if labels == 2 else probabilities.max(axis=1)
        group = stream.true if labels == 2 else right
        expected = [np.histogram(score[group == side], np.linspace(0, 1, 21))[0].tolist() for side in (0, 1)]
        assert scores_of(stream).histogram(20).tolist() == expected


def test_coverage_and_accuracy_are_those_of_the_rows_above() -> None:
    stream = Stream.drawn(2000, 4)
    sure, right = softmax(stream.logits).max(axis=1), stream.predicted == stream.true
    curve = scores_of(stream).coverage_curve()
    for point in curve[::7]:
        answered = sure > point.threshold
        assert point.coverage == pytest.approx(answered.mean())
        if point.accuracy is None:
            assert not answered.any()
        else:
            assert point.accuracy == pytest.approx(right[answered].mean())
    assert curve[0].coverage == 1 and curve[0].accuracy == pytest.approx(right.mean())
    assert Scores().coverage_curve()[0].accuracy is None


def test_the_best_threshold_is_the_highest_and_of_equal_ones_the_nearest_to_one_half() -> None:
    high = {100: 0.5, 300: 0.7, 600: 0.7, 400: 0.7, 900: 0.6}
    curve = [AtThreshold(n / 1000, high.get(n, 0), 0.5, 1 - high.get(n, 1)) for n in range(1, 1000)]
    assert [best_of(curve, metric).threshold for metric in ("mcc", "accuracy", "f1")] == [0.4, 0.5, 0.1]
    assert best_of(curve) == best_of(curve, "mcc")
    assert best_of(Scores().threshold_curve()).threshold == 0.5  # of no rows
