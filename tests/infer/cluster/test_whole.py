"""Parts put together in any order give one whole."""

import random
from dataclasses import asdict

import numpy as np
import pytest

from bertline.evaluation import Evaluation
from bertline.problems import SingleLabel
from infer.cluster.part import PartDone, Written
from infer.cluster.whole import Whole
from infer.facts import Facts
from infer.scorer import WorkDone

FACTS = Facts("cpu", "a CPU", "CPUExecutionProvider", "fp32", 2, 2048, None, 64, "abc")
PROBLEM = SingleLabel(("no", "yes"))


def make(number: int, rows: int, evaluation: Evaluation, facts: Facts = FACTS) -> PartDone:
    work = asdict(WorkDone(rows, rows - 1, 1, 5 * rows, 6 * rows, {"run": 0.5}))
    scored = Written(f"part-{number:06}.tsv", 10, "f" * 64)
    return PartDone(number, rows, scored, None, {"label": 1}, 2, work, facts, evaluation.state(), 1.5, 100.0, "host")


def test_in_any_order() -> None:
    generator = np.random.default_rng(1)
    sizes = [50, 33, 1, 64, 7]
    true, logits = generator.integers(0, 2, sum(sizes)), generator.normal(size=(sum(sizes), 2)).astype(np.float32)
    tokens, texts = generator.integers(3, 30, sum(sizes)), [f"text {row}" for row in range(sum(sizes))]
    whole_evaluation, parts, start = Evaluation(PROBLEM.labels), [], 0
    for number, size in enumerate(sizes):
        evaluation, rows = Evaluation(PROBLEM.labels), slice(start, start + size)
        for one in (evaluation, whole_evaluation):
            one.add(true[rows], logits[rows], tokens[rows], texts[rows])
        parts.append(make(number, size, evaluation))
        start += size
    whole_evaluation.finish()
    random.Random(2).shuffle(parts)
    whole = Whole(PROBLEM, FACTS)
    for count, part in enumerate(parts, 1):
        whole.add(PartDone.from_json(part.to_json()))
        assert whole.parts == count and whole.rows == sum(part.rows for part in parts[:count])
        assert whole.numbers == {part.number for part in parts[:count]}
    assert whole.evaluation is not None
    whole.evaluation.finish()
    assert whole.evaluation.to_json() == whole_evaluation.to_json()
    assert whole.totals.work == WorkDone(155, 150, 5, 775, 930, {"tokenize": 0.0, "run": 2.5})
    assert whole.totals.rejected == {"label": 5} and whole.totals.blanked == 10
    assert [part["file"] for part in whole.manifest()] == [f"part-{number:06}.tsv" for number in range(5)]


def test_what_differs_between_workers_is_told() -> None:
    whole = Whole(PROBLEM, FACTS)
    low = Facts(**asdict(FACTS) | {"device_name": "another", "batch_tokens": 512, "out_of_memory_at": 1024})
    for number, facts in enumerate((FACTS, low, FACTS)):
        whole.add(make(number, 2, Evaluation(PROBLEM.labels), facts))
    assert (whole.facts.device_name, whole.facts.batch_tokens) == ("a CPU, another", 512)
    assert whole.facts.out_of_memory_at == 1024


@pytest.mark.parametrize("content", [b"", b"{}", b'{"schema": 0}', b"[]", b'{"schema": 1, "rejects": 1}'])
def test_a_record_that_is_none(content: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        PartDone.from_json(content)
