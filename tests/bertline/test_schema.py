"""JSON becomes dataclasses; what does not fit is listed, all of it."""

from dataclasses import dataclass
from typing import Any

import pytest

from bertline.schema import from_json, parse_json


@dataclass(frozen=True)
class Inner:
    size: int
    name: str | None = None


@dataclass(frozen=True)
class Outer:
    ratio: float
    flags: dict[str, bool]
    parts: tuple[Inner, ...]
    axes: tuple[int | str, ...] = ()
    extra: dict[str, Any] | None = None


def problems_of(kind: Any, value: Any) -> list[str]:
    problems: list[str] = []
    from_json(kind, value, "", problems)
    return problems


def test_a_document_becomes_the_dataclass_and_unknown_keys_are_left_out() -> None:
    document = {"ratio": 1, "flags": {"a": True}, "parts": [{"size": 2, "new": 0}], "axes": ["batch", 2], "newer": []}
    problems: list[str] = []
    assert from_json(Outer, document, "", problems) == Outer(1.0, {"a": True}, (Inner(2),), ("batch", 2))
    assert problems == []


def test_every_problem_is_listed_with_its_place() -> None:
    document = {"flags": {"a": 1}, "parts": [{"size": True, "name": 3}, "x"], "axes": [None], "extra": []}
    assert problems_of(Outer, document) == [
        "ratio is missing",
        "flags.a is 1, not bool",
        "parts[0].size is True, not int",
        "parts[0].name is 3, not str",
        "parts[1] is 'x', not an object",
        "axes[0] is None, not int",
        "extra is [], not dict[str, typing.Any]",
    ]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 10**400, "1", True, None])
def test_a_float_is_a_finite_number(number: object) -> None:
    assert len(problems_of(float, number)) == 1


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**4000, 1.0, False])
def test_an_int_is_64_bits_wide(number: object) -> None:
    assert len(problems_of(int, number)) == 1
    assert problems_of(int, 2**63 - 1) == []


def test_a_long_value_is_shown_shortened() -> None:
    (problem,) = problems_of(int, "x" * 10_000)
    assert len(problem) < 80


@pytest.mark.parametrize(
    "text", [b"", b"{", b"\xff", b"[" * 200_000, b"1" * 5000], ids=["empty", "open", "bytes", "deep", "huge"]
)
def test_what_is_no_json_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError):
        parse_json(text)
