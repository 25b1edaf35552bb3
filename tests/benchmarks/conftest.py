"""What tests of the benchmarks share."""

from collections.abc import Iterator

import pytest

from tests import tiny


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    with tiny.one_thread():
        yield
