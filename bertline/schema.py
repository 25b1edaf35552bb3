"""JSON to frozen dataclasses, with every problem of a document collected rather than the first one raised."""

import json
import sys
import types
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

_INT64 = range(-(2**63), 2**63)


def parse_json(text: str | bytes) -> Any:
    """The document; ValueError where it is none, nested too deep and not being UTF-8 included."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def from_json(kind: Any, value: Any, where: str, problems: list[str]) -> Any:
    """`value` as a `kind`: a dataclass, str, int, float, bool, None, a union, tuple[X, ...], or dict[str, X].

    Keys that the dataclass does not know are left out, so that newer documents stay readable. What does not fit is
    described in `problems`, and the result is then not to be used. Numbers are finite, integers 64 bits wide.
    """
    origin = get_origin(kind)
    if kind is Any:
        return value
    if is_dataclass(kind):
        return _dataclass_from_json(kind, value, where, problems)
    if origin in (Union, types.UnionType):
        return _union_from_json(get_args(kind), value, where, problems)
    if origin is tuple:
        if isinstance(value, list):
            return tuple(from_json(get_args(kind)[0], item, f"{where}[{i}]", problems) for i, item in enumerate(value))
    elif origin is dict:
        if isinstance(value, dict):
            return {key: from_json(get_args(kind)[1], item, f"{where}.{key}", problems) for key, item in value.items()}
    elif kind is float:
        if type(value) in (int, float) and abs(value) <= sys.float_info.max:  # neither NaN nor infinite
            return float(value)
    elif type(value) is kind and (kind is not int or value in _INT64):  # not isinstance: True is no int here
        return value
    problems.append(f"{where} is {_shown(value)}, not {_named(kind)}")
    return None


def _dataclass_from_json(kind: Any, value: Any, where: str, problems: list[str]) -> Any:
    if not isinstance(value, dict):
        problems.append(f"{where} is {_shown(value)}, not an object")
        return None
    types_by_name, known = get_type_hints(kind), len(problems)
    arguments = {}
    for field in fields(kind):
        if field.name in value:
            arguments[field.name] = from_json(
                types_by_name[field.name], value[field.name], f"{where}.{field.name}".removeprefix("."), problems
            )
        elif field.default is MISSING and field.default_factory is MISSING:
            problems.append(f"{where}.{field.name} is missing".removeprefix("."))
    return kind(**arguments) if len(problems) == known else None


def _union_from_json(kinds: tuple[Any, ...], value: Any, where: str, problems: list[str]) -> Any:
    if value is None and types.NoneType in kinds:
        return None
    attempts: list[list[str]] = []
    for kind in kinds:
        if kind is not types.NoneType:
            found: list[str] = []
            result = from_json(kind, value, where, found)
            if not found:
                return result
            attempts.append(found)
    problems += attempts[0]
    return None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _named(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) and get_origin(kind) is None else str(kind)
