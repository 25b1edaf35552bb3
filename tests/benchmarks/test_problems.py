"""Benchmarks of models of several labels and of numbers: answers are compared as what they are."""

import shutil
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gpu.bench import distance
from benchmarks.runtimes.answers import difference, own_answers, read_answers, write_table
from benchmarks.runtimes.catalogue import KNOWN
from benchmarks.runtimes.consumer import Setting
from benchmarks.throughput.measure import _way
from benchmarks.throughput.turns import Run
from bertline.bundle import Bundle
from bertline.problems import MultiLabel, Problem, Regression, SingleLabel
from export.consumers import SOURCES
from infer.scorer import Scorer
from tests import tiny

TRUTH = np.array([[0.2, -0.1], [0.3, 0.1], [-1.0, 2.0]], np.float32)
OTHER = np.array([[0.2, 0.1], [0.1, 0.3], [-1.0, 2.0]], np.float32)


@pytest.mark.parametrize(
    ("problem", "flips"), [(SingleLabel(("a", "b")), 1), (MultiLabel(("a", "b")), 1), (Regression(("score",)), 0)]
)
def test_flips_are_those_of_the_problem(problem: Problem, flips: int) -> None:
    width = len(problem.labels)
    own, truth = OTHER[:, :width], TRUTH[:, :width]
    assert distance(problem, own, truth)["flips"] == flips
    run = Run(0.1, None, {}, seconds=[1.0, 1.0], logits=own)
    assert (_way("x", ("float32",), run, truth, problem, None).flips, problem.type) == (flips, problem.type)


@pytest.mark.parametrize("kind", ["several", "number"])
def test_a_consumers_answers_are_compared(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(request.getfixturevalue(f"{kind}_bundle"), tmp_path / "bundle"))
    shutil.copytree(SOURCES / "python-lean", bundle / "runtimes" / "python-lean")
    opened, texts = Bundle.open(bundle), [*tiny.SENTENCES, ""]
    with ExitStack() as stack:
        consumer = KNOWN["python-lean"](Setting(opened, bundle / "runtimes/python-lean", tmp_path, 60, stack))
        table = write_table(tmp_path / "t.tsv", opened.manifest.text_columns, texts)
        consumer.score(table, tmp_path / "o.tsv", "fp32")
    expected = own_answers(Scorer.open(opened, device="cpu", variant="fp32", provider="cpu"), texts)
    found = difference(read_answers(tmp_path / "o.tsv", len(texts), opened.manifest.problem), expected)
    assert (found.id_mismatches, found.labels_differ) == (0, 0) and found.max_abs_logit < 1e-4
