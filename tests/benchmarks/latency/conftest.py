"""What tests of latency share."""

from collections.abc import Iterator

import pytest
import torch._inductor.config


@pytest.fixture
def no_compiler() -> Iterator[None]:
    """torch.compile looks for a C++ compiler of a long name that is not there."""
    with torch._inductor.config.patch({"cpp.cxx": (None, f"/nowhere/{'g' * 200}")}):
        yield
