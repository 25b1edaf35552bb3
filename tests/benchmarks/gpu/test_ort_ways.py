"""Our own ways: the scorer with the options asked for."""

from typing import Any

import numpy as np
import pytest

from benchmarks.gpu import ort_ways
from benchmarks.gpu.bench import Bench
from benchmarks.gpu.ort_ways import EFFICIENT, FP32_PORTABLE, PACKED, OrtWay, open_scorer
from bertline.errors import BertlineError


def test_packed_ways_are_every_kernel_with_and_without_graphs() -> None:
    assert [(spec.sdpa_kernel, spec.graphs) for spec in PACKED] == [
        (kernel, graphs) for kernel in (None, 1, 2) for graphs in (False, True)
    ]
    assert len({spec.name for spec in PACKED}) == 6 and {spec.variant for spec in PACKED} == {"cuda-fp16"}


def test_on_cuda_the_options_reach_the_scorer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}
    monkeypatch.setattr(ort_ways.session, "CudaOptions", lambda **how: how, raising=False)
    monkeypatch.setattr(ort_ways.Scorer, "open", lambda bundle, **how: asked.update(how))
    open_scorer(bench.bundle, "cuda", PACKED[-1], 4096)
    assert asked["cuda"] == {"sdpa_kernel": EFFICIENT, "graphs": True}
    assert (asked["device"], asked["variant"], asked["batch_tokens"]) == ("cuda", "cuda-fp16", 4096)


def test_the_cpu_runs_the_portable_graph_alone(bench: Bench) -> None:
    way = OrtWay(FP32_PORTABLE, open_scorer(bench.bundle, "cpu", FP32_PORTABLE, 64, threads=1))
    expected = bench.expected(bench.real)
    for found in (way(bench.real.encoded, 40), way.one(bench.real.encoded)):
        np.testing.assert_allclose(found, expected, atol=1e-5)
    with pytest.raises(BertlineError, match="is packed and runs on CUDAExecutionProvider only"):
        open_scorer(bench.bundle, "cpu", PACKED[0], 64)


def test_one_batch_is_the_runners_where_there_is_one() -> None:
    class Runner:
        def run_batch(self, encoded: Any, rows: Any) -> Any:
            return encoded, rows.tolist()

    class Scorer:
        runner = Runner()

    class Encoded:
        lengths = np.array([3, 4])

    encoded = Encoded()
    found: Any = OrtWay(PACKED[0], Scorer()).one(encoded)  # type: ignore[arg-type]
    assert found == (encoded, [0, 1])
