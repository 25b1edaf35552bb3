"""Latency over a grid of shapes, and only of a bundle with its own model."""

import time
from itertools import product
from pathlib import Path

import pytest

from benchmarks.latency.measure import measure_latency
from benchmarks.latency.pytorch_ways import pytorch_fp32
from benchmarks.latency.result import PYTORCH, Latency, Plan
from benchmarks.latency.ways import Feeds, Way, bertline_ways
from benchmarks.timing import BURST
from bertline.bundle import Bundle
from bertline.errors import BertlineError
from infer.runners import Logits
from tests import tiny
from tests.benchmarks.latency import fakes

PLAN = Plan(batches=(1, 3), sequences=(2, 64, 65), seconds=0, min_runs=BURST)
SHAPES = list(product((1, 3), (2, 64)))


@pytest.fixture
def measured(bundle: Path, model_dir: Path) -> "Measure":
    return Measure(bundle, model_dir)


class Measure:
    """Times these ways on the grid, and keeps what it is told."""

    def __init__(self, bundle: Path, model_dir: Path) -> None:
        self._bundle, self._model_dir = bundle, model_dir
        self.told: list[str] = []

    def __call__(self, *ways: Way) -> Latency:
        return measure_latency(self._bundle, self._model_dir, ways, PLAN, threads=1, progress=self.told.append)


def shapes(result: Latency, title: str) -> list[tuple[int, int]]:
    return [(cell.batch, cell.sequence) for cell in result.cells if cell.way == title]


def test_every_shape_within_the_positions_is_timed_by_every_way(
    bundle: Path, model_dir: Path, measured: Measure
) -> None:
    result = measured(pytorch_fp32(model_dir), *bertline_ways(Bundle.open(bundle), ["fp32"], 1))
    found = [(cell.batch, cell.sequence, cell.way) for cell in result.cells]
    assert found == [(*shape, way) for shape in SHAPES for way in (PYTORCH, "bertline fp32")]
    assert all(cell.timing.runs >= BURST and 0 < cell.timing.p50_ms <= cell.timing.p99_ms for cell in result.cells)
    assert all(cell.max_abs_logit < 1e-5 and cell.first_ms > 0 for cell in result.cells)
    assert measured.told[-4:] == [f"timing batch × sequence {batch} × {sequence}" for batch, sequence in SHAPES]
    assert [(way.title, way.provider) for way in result.ways] == [
        (PYTORCH, "PyTorch, eager"),
        ("bertline fp32", "CPUExecutionProvider"),
    ]
    assert result.threads == 1 and all(way.load_seconds > 0 for way in result.ways)
    assert not result.failures and not result.interrupted


def test_flop_and_weights_are_the_models_own(measured: Measure) -> None:
    result = measured(fakes.way())
    layers, hidden, middle, labels = 2, 32, 64, 2
    norms = 2 * layers * 2 * hidden + 2 * hidden  # two in a layer, and one over the embeddings
    biases = layers * (5 * hidden + middle) + hidden + labels
    products = layers * (4 * hidden * hidden + 2 * hidden * middle)
    assert result.weights == products + norms + biases + hidden * hidden + hidden * labels
    cell = result.cells[-1]
    attention = layers * 4 * cell.sequence**2 * hidden
    assert cell.flop == cell.batch * (2 * cell.sequence * products + attention)


def test_the_first_call_of_a_shape_is_kept_apart(measured: Measure) -> None:
    seen: set[tuple[int, ...]] = set()

    def slow_at_first(feeds: Feeds) -> Logits:
        shape = feeds["input_ids"].shape
        if shape not in seen:
            seen.add(shape)
            time.sleep(0.1)
        return fakes.zeros(feeds)

    result = measured(fakes.way(), fakes.way("planner", slow_at_first))
    cells = [cell for cell in result.cells if cell.way == "planner"]
    assert len(cells) == 4 and all(cell.first_ms > 100 > cell.timing.p50_ms for cell in cells)


def test_a_way_that_cannot_be_loaded_or_run_says_why_and_keeps_what_it_has(measured: Measure) -> None:
    result = measured(
        fakes.way(),
        fakes.missing("absent", "no such device"),
        fakes.way("choosy", fakes.failing("too long", shape=(1, 64))),
        fakes.way("other"),
    )
    assert result.failures == {"absent": "no such device", "choosy": "1 × 64: too long"}
    assert shapes(result, "choosy") == [(1, 2)] and shapes(result, "other") == SHAPES
    assert [way.title for way in result.ways] == [PYTORCH, "choosy", "other"]
    assert "absent: no such device" in measured.told


def test_exact_ways_have_to_answer_as_pytorch_does_and_others_say_how_far_they_are_away(measured: Measure) -> None:
    result = measured(
        fakes.way(),
        fakes.way("wrong", fakes.by(0.01, shape=(3, 2))),
        fakes.way("lossy", fakes.by(-0.5), exact=False),
        fakes.way("nothing", fakes.by(float("nan")), exact=False),
    )
    assert result.failures == {
        "wrong": "3 × 2: answers otherwise than PyTorch fp32: max |Δlogit| 1.0e-02",
        "nothing": "1 × 2: gives a logit that is no number",
    }
    assert {cell.max_abs_logit for cell in result.cells if cell.way == "lossy"} == {0.5}


def test_without_pytorch_there_is_nothing_to_compare_with(measured: Measure) -> None:
    with pytest.raises(BertlineError, match="PyTorch fp32, which all are compared with: no memory"):
        measured(fakes.missing(PYTORCH, "no memory"), fakes.way("other"))


def test_where_pytorch_fails_later_finished_shapes_are_kept(measured: Measure) -> None:
    result = measured(fakes.way(run=fakes.failing("no memory", shape=(3, 2))), fakes.way("other"))
    assert result.failures == {PYTORCH: "3 × 2: no memory"}
    assert shapes(result, PYTORCH) == shapes(result, "other") == [(1, 2), (1, 64)]


def test_ctrl_c_keeps_finished_shapes_and_undoes_what_was_loaded(measured: Measure) -> None:
    undone: list[str] = []

    def interrupted(feeds: Feeds) -> Logits:
        if feeds["input_ids"].shape == (3, 2):
            raise KeyboardInterrupt
        return fakes.zeros(feeds)

    result = measured(fakes.way(undo=lambda: undone.append("done")), fakes.way("other", interrupted))
    assert result.interrupted and undone == ["done"]
    assert shapes(result, PYTORCH) == shapes(result, "other") == SHAPES[:2]


def test_ctrl_c_before_the_first_shape_leaves_nothing(measured: Measure) -> None:
    def interrupted(feeds: Feeds) -> Logits:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="nothing was measured yet"):
        measured(fakes.way(), fakes.way("other", interrupted))


def test_sequences_all_beyond_the_model_are_refused(bundle: Path, model_dir: Path) -> None:
    with pytest.raises(BertlineError, match="--sequences 65,128: the model takes 64 tokens at most"):
        measure_latency(bundle, model_dir, [fakes.way()], Plan(sequences=(65, 128)))


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"labels": ("a", "b", "c")}, {"family": "roberta"}], ids=["weights", "labels", "family"]
)
def test_a_bundle_of_another_model_is_refused(other: dict[str, object], bundle: Path, tmp_path: Path) -> None:
    stranger = tiny.write_model(tmp_path / "model", **other)  # type: ignore[arg-type]
    with pytest.raises(BertlineError, match=r"does not answer as .* does; give --model the folder"):
        measure_latency(bundle, stranger, [fakes.way()], PLAN, threads=1)
