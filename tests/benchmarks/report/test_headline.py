"""The headline says what was found: a peer that wins, and a difference that is none."""

from dataclasses import replace

from benchmarks.report.headline import headline
from benchmarks.throughput.candidates import PIPELINE
from benchmarks.throughput.result import BARE, NOTEBOOK, OURS, Throughput, Way
from tests.benchmarks.made import result, way

FP32, INT8 = f"{OURS} fp32", f"{OURS} int8"


def figures(found: Throughput) -> list[str]:
    return [figure for figure, _ in headline(found)]


def exact(title: str, *seconds: float) -> Way:
    return replace(way(title, *seconds, *seconds), flips=0)


def test_ours_against_the_fastest_that_flips_no_more() -> None:
    wrong = replace(way("wrong", 0.1, 0.1), flips=50, max_abs_logit=3.0)
    lossy = replace(way(INT8, 0.5, 0.5), flips=9, max_abs_logit=0.2)
    found = result(exact(NOTEBOOK, 4.0), exact(PIPELINE, 2.0), exact(FP32, 1.0), lossy, wrong)
    assert figures(found) == ["200", "4.00×", "100", "2.00×"]
    told = [text for _, text in headline(found)]
    assert "9 of 100 labels flipped" in told[0] and PIPELINE in told[1] and "no label flipped" in told[2]


def test_a_peer_that_wins_is_said_to() -> None:
    assert figures(result(exact("peer", 1.0), exact(FP32, 2.0))) == ["50", "0.50×"]


def test_a_difference_within_the_noise_is_none() -> None:
    found = result(exact("peer", 1.0, 1.3, 0.8), exact(FP32, 1.1, 1.0, 0.9))
    assert figures(found)[1] == "no difference found"


def test_the_session_alone_is_nobodys_way_to_score_a_file() -> None:
    assert figures(result(exact(NOTEBOOK, 4.0), exact(f"{BARE}, fp32", 0.1))) == []
