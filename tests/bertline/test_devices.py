"""The words of --device."""

import pytest

from bertline.devices import parse_device
from bertline.errors import UsageError


@pytest.mark.parametrize("device", ["", "gpu", "cpu:0", "cuda:", "cuda:x", "cuda:-1", "cuda:²", "cuda:" + "9" * 5000])
def test_a_device_that_is_none_is_wrong_usage(device: str) -> None:
    with pytest.raises(UsageError, match="give auto, cpu, cuda, or cuda:N"):
        parse_device(device)


def test_devices() -> None:
    assert [parse_device(device) for device in ("cpu", "cuda", "cuda:1")] == [("cpu", 0), ("cuda", 0), ("cuda", 1)]
