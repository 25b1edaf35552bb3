"""PyTorch's ways: the same answers, and one line where they cannot."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from torch._dynamo.utils import counters

from benchmarks.latency.measure import ids_feeds
from benchmarks.latency.pytorch_ways import BF16, COMPILED, pytorch_ways
from benchmarks.latency.result import PYTORCH
from benchmarks.latency.ways import Feeds, Loaded
from bertline.errors import BertlineError


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    counters.clear()
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def ways(model_dir: Path, stack: ExitStack) -> dict[str, Loaded]:
    return {way.title: way.load(stack) for way in pytorch_ways(model_dir)}


def feeds(batch: int, sequence: int) -> Feeds:
    return ids_feeds(np.random.default_rng(0).integers(5, 60, (batch, sequence)))


def test_bf16_answers_nearly_the_same(ways: dict[str, Loaded]) -> None:
    exact, rounded = (ways[title].run(feeds(3, 8)) for title in (PYTORCH, BF16))
    assert exact.shape == rounded.shape == (3, 2) and rounded.dtype == np.float32
    assert 0 < np.abs(exact - rounded).max() < 0.1


def test_compiled_answers_the_same_by_kernels_of_its_own(ways: dict[str, Loaded]) -> None:
    if not any(map(shutil.which, ("g++", "clang++"))):
        pytest.skip("torch.compile needs a C++ compiler, and neither g++ nor clang++ is here")
    for shape in ((2, 8), (3, 8), (3, 20)):
        exact, compiled = (ways[title].run(feeds(*shape)) for title in (PYTORCH, COMPILED))
        assert np.abs(exact - compiled).max() < 1e-5
    assert counters["stats"]["unique_graphs"] == 1  # whatever the shape
    assert counters["inductor"]["fxgraph_cache_hit"] == 0  # nothing of an earlier run


def test_what_pytorch_raises_is_one_line(ways: dict[str, Loaded]) -> None:
    with pytest.raises(BertlineError) as refusal:
        ways[PYTORCH].run(ids_feeds(np.full((1, 2**8), 5)))  # more positions than the model has
    assert "\n" not in str(refusal.value)
