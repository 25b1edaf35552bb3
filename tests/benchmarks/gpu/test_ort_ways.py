"""Our own ways: the scorer with the options asked for."""

from typing import Any

import numpy as np
import pytest

from benchmarks.gpu import ort_ways
from benchmarks.gpu.bench import Bench
from benchmarks.gpu.ort_ways import EFFICIENT, FP32_PORTABLE, PACKED, open_scorer
from bertline.errors import BertlineError
from infer.cuda import CudaOptions
from infer.session import OutOfMemoryError


def test_packed_ways_are_every_kernel_with_and_without_graphs() -> None:
    assert [(spec.sdpa_kernel, spec.graphs) for spec in PACKED] == [
        (kernel, graphs) for kernel in (None, 1, 2) for graphs in (False, True)
    ]
    assert len({spec.name for spec in PACKED}) == 6 and {spec.variant for spec in PACKED} == {"cuda-fp16"}


def test_on_cuda_the_options_reach_the_scorer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(ort_ways.Scorer, "open", lambda bundle, **how: asked.update(how))
    open_scorer(bench.bundle, "cuda:0", PACKED[-1], 4096)
    assert asked["cuda"] == CudaOptions(sdpa_kernel=EFFICIENT, graphs=True)
    assert (asked["device"], asked["variant"], asked["batch_tokens"]) == ("cuda:0", "cuda-fp16", 4096)


@pytest.mark.parametrize("spec", [FP32_PORTABLE, PACKED[0], PACKED[1]], ids=lambda spec: spec.name)
def test_each_way_answers_as_pytorch_does(spec: ort_ways.OrtSpec, bench: Bench) -> None:
    way, expected = bench.ort_way(spec), bench.expected(bench.real)
    within = 1e-5 if spec is FP32_PORTABLE else 5e-3
    for found in (
        way.ready(bench.real.encoded, 40)(),
        way.ready(bench.real.encoded, 1000)(),
        way.one(bench.real.encoded),
    ):
        np.testing.assert_allclose(found, expected, atol=within)


def test_a_plain_cpu_has_no_packed_ways(bench: Bench) -> None:
    with pytest.raises(BertlineError, match="is packed and runs on CUDAExecutionProvider only"):
        open_scorer(bench.bundle, "cpu", PACKED[0], 64)


def test_a_budget_that_does_not_fit_is_not_timed_as_another(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    way = bench.ort_way(FP32_PORTABLE)
    run = way.scorer.runner.run

    def full(plan: Any) -> Any:
        if plan.batch_tokens > 32:
            raise OutOfMemoryError("no room")
        return run(plan)

    monkeypatch.setattr(way.scorer.runner, "run", full)
    assert len(way.ready(bench.real.encoded, 32)()) == bench.real.rows
    with pytest.raises(BertlineError, match="no room"):
        way.ready(bench.real.encoded, 128)()
