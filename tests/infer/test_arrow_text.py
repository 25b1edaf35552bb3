"""Arrow values as text and as JSON, of every kind of column, sliced or not."""

import datetime
import decimal
import sys
from typing import Any

import pyarrow as pa
import pytest

from infer.arrow_text import json_values, texts

MOMENT = datetime.datetime(2024, 2, 29, 12, 30, 0, 5)
NESTED = pa.struct({"a": pa.int8(), "b": pa.list_(pa.string())})
PAIRS = pa.map_(pa.string(), pa.int8())
CASES: list[tuple[Any, Any, str, Any]] = [  # type, value, as text, as JSON
    (pa.string(), "a\tb", "a\tb", "a\tb"),
    (pa.large_string(), "é", "é", "é"),
    (pa.string_view(), "é", "é", "é"),
    (pa.dictionary(pa.int8(), pa.string()), "x", "x", "x"),
    (pa.int64(), -(2**62) - 1, "-4611686018427387905", -4611686018427387905),
    (pa.uint64(), 2**64 - 1, "18446744073709551615", 2**64 - 1),
    (pa.float64(), 0.1, "0.1", 0.1),
    (pa.float64(), 1e300, "1e+300", 1e300),
    (pa.float64(), float("nan"), "nan", None),
    (pa.float32(), 0.1, "0.1", 0.1),
    (pa.float16(), 1.5, "1.5", 1.5),
    (pa.bool_(), True, "true", True),
    (pa.decimal128(5, 2), decimal.Decimal("1.50"), "1.50", "1.50"),
    (pa.timestamp("us"), MOMENT, "2024-02-29T12:30:00.000005", "2024-02-29T12:30:00.000005"),
    (pa.timestamp("ns", "Europe/Berlin"), 1, "1970-01-01T00:00:00.000000001Z", "1970-01-01T00:00:00.000000001Z"),
    (pa.date32(), MOMENT.date(), "2024-02-29", "2024-02-29"),
    (pa.time64("us"), MOMENT.time(), "12:30:00.000005", "12:30:00.000005"),
    (pa.binary(), b"\0\xff", "AP8=", "AP8="),
    (pa.null(), None, None, None),
    (pa.list_(pa.int32()), [1, None], "[1, null]", [1, None]),
    (pa.large_list(pa.string()), ["é\n"], '["é\\n"]', ["é\n"]),
    (pa.list_(pa.float32(), 2), [0.1, 2.0], "[0.1, 2.0]", [0.1, 2.0]),
    (
        pa.struct({"a": pa.int8(), "b": pa.list_(pa.string())}),
        {"a": 1, "b": []},
        '{"a": 1, "b": []}',
        {"a": 1, "b": []},
    ),
    (PAIRS, [("k", 1), ("l", None)], '{"k": 1, "l": null}', {"k": 1, "l": None}),
    (PAIRS, [], "{}", {}),
]


@pytest.mark.parametrize(("kind", "value", "text", "json"), CASES, ids=[str(case[0]) for case in CASES])
def test_each_kind(kind: Any, value: Any, text: str, json: Any) -> None:
    for array in (pa.array([value, None, value], kind), pa.array([None, value, value, None, value], kind).slice(2, 3)):
        assert texts(array) == [text, None, text]
        assert json_values(array) == [json, None, json]


def test_a_string_that_is_no_utf8_is_given_as_bytes() -> None:
    array = pa.array([b"a", b"\xe9", None]).view(pa.string())
    assert texts(array) == ["a", b"\xe9", None]
    assert json_values(array) == ["a", "\ufffd", None]


def test_pandas_is_not_loaded_for_nanoseconds() -> None:
    loaded = "pandas" in sys.modules
    texts(pa.array([{"t": 1}], pa.struct({"t": pa.timestamp("ns")})))
    assert ("pandas" in sys.modules) == loaded
