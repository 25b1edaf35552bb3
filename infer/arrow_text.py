"""Arrow columns as text, for a line of TSV, and as what JSON has.

pyarrow's own `to_pylist` is used for plain types only: for timestamps it may load pandas.
"""

import base64
import json
import math
from typing import Any

import numpy as np

Array = Any  # pyarrow.Array: pyarrow is imported inside, and has no types
_REPLACE = "replace"  # bytes that are no UTF-8, by U+FFFD


def is_text(kind: Any) -> bool:
    """Whether an Arrow type holds strings, perhaps in a dictionary."""
    import pyarrow.types as types

    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def texts(array: Array) -> list[str | bytes | None]:
    """Each value as text: None where there is none, and the bytes themselves where a string is no UTF-8.

    Integers, decimals and dates as they are written; floats by their shortest form; true and false; timestamps by
    ISO 8601, in UTC with a Z where they have a time zone; bytes in base 64; what is nested as JSON.
    """
    import pyarrow as pa
    import pyarrow.types as types

    array = _plain(array)
    kind = array.type
    if is_text(kind):
        try:
            strings: list[str | bytes | None] = array.to_pylist()
        except UnicodeDecodeError:
            return [_decoded(value) for value in array.cast(pa.string()).cast(pa.binary()).to_pylist()]
        return strings
    if types.is_nested(kind):
        return [None if v is None else json.dumps(v, ensure_ascii=False) for v in json_values(array)]
    if types.is_floating(kind):
        number = float if types.is_float64(kind) else np.float32
        return [None if v is None else str(number(v)) for v in array.to_pylist()]
    if types.is_timestamp(kind):
        zone = "" if kind.tz is None else "Z"
        stamps = array.cast(pa.timestamp(kind.unit)).cast(pa.string()).to_pylist()
        return [None if v is None else v.replace(" ", "T") + zone for v in stamps]
    if _is_bytes(kind):
        return [None if v is None else base64.b64encode(v).decode() for v in array.to_pylist()]
    written: list[str | bytes | None] = array.cast(pa.string()).to_pylist()
    return written


def json_values(array: Array) -> list[Any]:
    """Each value as JSON has it: numbers, true and false, null, lists and objects; all else as text.

    A float that is no number, which JSON cannot hold, is null.
    """
    import pyarrow as pa
    import pyarrow.types as types

    array = _plain(array)
    kind = array.type
    if types.is_struct(kind):
        fields = [json_values(array.field(number)) for number in range(kind.num_fields)]
        names = [kind.field(number).name for number in range(kind.num_fields)]
        missing = array.is_null().to_pylist()
        cells = list(zip(*fields, strict=True)) if fields else [()] * len(array)
        return [None if gone else dict(zip(names, row, strict=True)) for gone, row in zip(missing, cells, strict=True)]
    if types.is_map(kind):
        keys, items = map(str, json_values(array.keys)), json_values(array.items)
        pairs = list(zip(keys, items, strict=True))  # of all rows, before the slice and behind it, too
        ends = array.offsets.to_pylist()
        missing = array.is_null().to_pylist()
        return [None if gone else dict(pairs[ends[row] : ends[row + 1]]) for row, gone in enumerate(missing)]
    if types.is_nested(kind):  # a list of some kind
        if not (types.is_list(kind) or types.is_large_list(kind)):
            array = array.cast(pa.list_(kind.value_type))
        values = iter(json_values(array.flatten()))
        lengths = array.value_lengths().to_pylist()
        return [None if length is None else [next(values) for _ in range(length)] for length in lengths]
    if types.is_floating(kind):
        short = float if types.is_float64(kind) else lambda value: float(str(np.float32(value)))
        return [None if v is None or not math.isfinite(v) else short(v) for v in array.to_pylist()]
    if types.is_boolean(kind) or types.is_integer(kind):
        plain: list[Any] = array.to_pylist()
        return plain
    return [v.decode(errors=_REPLACE) if isinstance(v, bytes) else v for v in texts(array)]


def _plain(array: Array) -> Array:
    """The array without dictionary and extension type."""
    import pyarrow as pa
    import pyarrow.types as types

    while types.is_dictionary(array.type) or isinstance(array.type, pa.BaseExtensionType):
        array = array.dictionary_decode() if types.is_dictionary(array.type) else array.storage
    return array


def _is_bytes(kind: Any) -> bool:
    import pyarrow.types as types

    views = types.is_binary_view(kind)
    return bool(views or types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind))


def _decoded(value: bytes | None) -> str | bytes | None:
    try:
        return value if value is None else value.decode()
    except UnicodeDecodeError:
        return value
