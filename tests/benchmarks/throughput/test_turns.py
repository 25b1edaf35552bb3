"""Turns: each way its own process, the first pass apart, and one that fails does not take the others along."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.throughput.candidates import Candidate
from benchmarks.throughput.turns import Measured, Task, take_turns
from tests.benchmarks.peers import fakes

TEXTS = ["short", "a longer sentence", "and the third"]
CHOKES = """
calls = []

def load(request):
    def score(texts):
        calls.append(1)
        if len(calls) == 2:
            raise MemoryError("no room left")
        return [[0.0, 1.0] for _ in texts]
    return score
"""
WRONG_SHAPE = "def load(request):\n    return lambda texts: [[0.0, 1.0, 2.0] for _ in texts]"
NO_NUMBER = "def load(request):\n    return lambda texts: [[0.0, float('nan')] for _ in texts]"

Race = Callable[..., Measured]


@pytest.fixture
def race(tmp_path: Path) -> Race:
    """Let candidates take turns on three rows."""
    file = tmp_path / "rows.tsv"
    file.write_text("".join(f"{text}\n" for text in TEXTS))

    def run(*candidates: Candidate, passes: int = 2, progress: Callable[[str], None] = lambda line: None) -> Measured:
        task = Task(tmp_path, tmp_path, file, (len(TEXTS), 2), 1, 64, 32, timeout_seconds=60)
        return take_turns(candidates, task, tmp_path, passes, progress)

    return run


def test_all_take_turns_back_and_forth(race: Race, tmp_path: Path) -> None:
    peer, said = fakes.script(tmp_path, fakes.LENGTHS), []
    measured = race(
        fakes.candidate("a", peer, prepares=True), fakes.candidate("b", peer, way="short"), progress=said.append
    )
    assert measured.failures == {} and not measured.interrupted
    assert [line.split(": ")[1] for line in said if line.startswith("pass")] == ["a", "b", "b", "a", "a", "b"]
    a, b = measured.runs["a"], measured.runs["b"]
    assert len(a.seconds) == len(b.seconds) == 3 and a.startup_seconds > 0 and a.peak_memory_mib > 1
    assert a.prepare_seconds is not None and b.prepare_seconds is None
    assert a.logits is not None and b.logits is not None and np.array_equal(a.logits, -b.logits)
    assert "python" in a.versions


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (fakes.IMPORTS_NOTHING_THERE, "No module named 'surely_not_installed'"),
        (CHOKES, "MemoryError: no room left"),
        (WRONG_SHAPE, "logits of the shape (3, 3) for 3 rows of 2 labels"),
        (NO_NUMBER, "a logit that is no number"),
    ],
)
def test_one_that_fails_is_a_reason_and_the_others_go_on(text: str, reason: str, race: Race, tmp_path: Path) -> None:
    good, bad = fakes.script(tmp_path, fakes.LENGTHS), fakes.script(tmp_path / "bad", text)
    measured = race(fakes.candidate("bad", bad), fakes.candidate("good", good))
    assert measured.runs.keys() == {"good"} and len(measured.runs["good"].seconds) == 3
    assert measured.failures.keys() == {"bad"} and reason in measured.failures["bad"]


def test_programs_that_know_no_protocol_are_reasons(race: Race) -> None:
    crashes = Candidate("crashes", "x", fakes.program(fakes.CRASHES))
    says_nothing = Candidate("lies", "x", fakes.program('while input(): print(\'{"done": "load"}\', flush=True)'))
    measured = race(crashes, says_nothing, Candidate("absent", "x", missing="not installed; do this"))
    assert measured.runs == {}
    assert measured.failures["crashes"].endswith("out of luck")
    assert measured.failures["lies"].startswith("its answer to warm is not understood")
    assert measured.failures["absent"] == "not installed; do this"


def test_ctrl_c_keeps_what_has_two_passes(race: Race, tmp_path: Path) -> None:
    peer = fakes.script(tmp_path, fakes.LENGTHS)

    def stop_after_one_of_pass_1(line: str) -> None:
        if line.startswith("pass 1"):
            raise KeyboardInterrupt

    measured = race(fakes.candidate("a", peer), fakes.candidate("b", peer), progress=stop_after_one_of_pass_1)
    assert measured.interrupted
    assert measured.runs.keys() == {"b"} and len(measured.runs["b"].seconds) == 2
    assert measured.failures == {"a": "interrupted before its second pass"}


def test_ctrl_c_at_the_start_keeps_nothing(race: Race, tmp_path: Path) -> None:
    def stop(line: str) -> None:
        raise KeyboardInterrupt

    measured = race(fakes.candidate("a", fakes.script(tmp_path, fakes.LENGTHS)), progress=stop)
    assert measured.interrupted and measured.runs == {}
