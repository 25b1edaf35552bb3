"""What tests of the benchmarks share."""

from collections.abc import Iterator
from functools import partial

import pytest

from benchmarks import ceiling
from tests import tiny


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    with tiny.one_thread():
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_ceiling() -> Iterator[None]:
    """The machine's ceiling from small arrays; the large ones take a minute where bf16 is emulated."""
    with pytest.MonkeyPatch.context() as patch:
        quick = partial(ceiling.measure_ceiling, shapes=((8, 64, 64),), read_bytes=2**16)
        patch.setattr(ceiling, "measure_ceiling", quick)
        yield
