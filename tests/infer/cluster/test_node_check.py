"""A machine that would score otherwise is named, with what differs and the remedy."""

from pathlib import Path
from typing import Any

import pytest

from bertline.bundle import Bundle
from bertline.errors import BertlineError
from infer.cluster.node_check import check_node, what_is_there


def test_what_is_there(bundle: Path, tmp_path: Path) -> None:
    found = what_is_there(str(bundle))
    assert found["bundle"] == Bundle.open(bundle).sha256
    assert found["versions"]["numpy"] and found["versions"]["onnxruntime-gpu"] is None
    assert what_is_there(str(tmp_path))["bundle"] is None
    check_node(found, found, str(bundle))


HERE: dict[str, Any] = {"host": "here", "bundle": "abc", "versions": {"bertline": "1.0", "onnxruntime": None}}


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ({"bundle": None}, r"^node far: /b is not there; put the bundle on every machine, at the same path$"),
        ({"bundle": "xyz"}, r"^node far: /b is another bundle than the driver's"),
        (
            {"versions": {"bertline": "0.9", "onnxruntime": None}},
            r"^node far: has bertline 0\.9 where the driver has 1\.0; there, pip install 'bertline==1\.0'$",
        ),
        ({"versions": {"bertline": None}}, r"has no bertline where the driver has 1\.0; there, pip install"),
        (
            {"versions": {"bertline": "1.0", "onnxruntime": "1.30"}},
            r"has onnxruntime 1\.30 where the driver has none; install the same of bertline\[cpu\] and",
        ),
    ],
)
def test_differences(there: dict[str, Any], told: str) -> None:
    with pytest.raises(BertlineError, match=told):
        check_node(HERE | {"host": "far"} | there, HERE, "/b")
