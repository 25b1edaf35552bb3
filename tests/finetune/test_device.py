"""Training runs on the device asked for, in a precision that it has, or says in one line why not."""

import shutil
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch

from bertline.errors import BertlineError, UsageError
from finetune.device import card_name, describe, peak_memory_mib, resolve_device, resolve_precision
from tests.finetune.cards import NAME, Cards, two_cards

TURING, MAXWELL = (7, 5), (5, 2)


def test_cuda_is_taken_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("auto", "cpu", "cuda", "cuda:0", "cuda:1")
    with two_cards(monkeypatch) as cards:
        assert [resolve_device(word) for word in words] == ["cuda:0", "cpu", "cuda:0", "cuda:0", "cuda:1"]
    assert cards.devices == {"cuda:0", "cuda:1"}  # a sum was tried on each
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert [resolve_device(word) for word in words[:2]] == ["cpu", "cpu"]


def test_a_device_that_is_none_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="--device tpu: give auto, cpu, cuda, or cuda:N"):
        resolve_device("tpu")


def without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: False)


def without_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def with_an_old_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    def available() -> bool:
        warnings.warn("CUDA initialization: The NVIDIA driver on your system is too old\nupdate it", stacklevel=2)
        return False

    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", available)


ABSENT: list[tuple[Callable[[pytest.MonkeyPatch], None], str]] = [
    (without_cuda, "is built without CUDA; install a CUDA build (https://pytorch.org"),
    (without_a_card, "finds no CUDA device; check the driver with nvidia-smi"),
    (
        with_an_old_driver,
        "finds no CUDA device (CUDA initialization: The NVIDIA driver on your system is too old); check",
    ),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("absent", "message"), ABSENT)
def test_a_card_that_is_not_there_is_one_line_with_the_remedy(
    absent: Callable[[pytest.MonkeyPatch], None], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent(monkeypatch)
    with pytest.raises(BertlineError) as refusal:
        resolve_device("cuda:1")
    line = str(refusal.value)
    assert line.startswith("--device cuda:1: PyTorch ") and message in line and line.endswith("or use --device cpu")
    assert "\n" not in line


@pytest.mark.parametrize(("absent", "message"), ABSENT)
def test_auto_says_why_a_card_is_left_out(
    absent: Callable[[pytest.MonkeyPatch], None], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent(monkeypatch)
    said: list[str] = []
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert resolve_device("auto", said.append) == "cpu" and said == []  # no driver, so no card that is left out
    monkeypatch.setattr(shutil, "which", {"nvidia-smi": "/usr/bin/nvidia-smi"}.get)
    assert resolve_device("auto", said.append) == "cpu"
    assert len(said) == 1 and said[0].startswith("--device auto trains on the CPU: ") and message in said[0]


@pytest.mark.parametrize(
    ("cards", "known"), [(2, "2 CUDA devices; give cuda:0 to cuda:1"), (1, "1 CUDA device; give c")]
)
def test_a_number_beyond_the_cards_names_those_there_are(
    cards: int, known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with two_cards(monkeypatch):
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
        with pytest.raises(BertlineError, match=f"^--device cuda:2: PyTorch finds {known}"):
            resolve_device("cuda:2")


def test_a_card_that_does_not_compute_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def ones(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device\nCUDA kernel errors")

    with two_cards(monkeypatch):
        monkeypatch.setattr(torch, "ones", ones)
        with pytest.raises(
            BertlineError, match=r"it is there and does not compute \(CUDA error: no kernel [^\n]*\); c"
        ):
            resolve_device("cuda")


def test_a_device_is_named_with_its_card(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (card_name("cpu"), describe("cpu"), peak_memory_mib("cpu")) == (None, "cpu", None)
    with two_cards(monkeypatch):
        assert (card_name("cuda:1"), describe("cuda:1")) == (NAME, f"cuda:1 ({NAME})")
        assert peak_memory_mib("cuda:1") == 3.0


@pytest.mark.parametrize(
    ("amx", "avx512", "expected"), [(True, False, "bf16"), (False, True, "bf16"), (False, False, "fp32")]
)
def test_auto_is_bf16_where_the_cpu_has_it(
    amx: bool, avx512: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    assert resolve_precision("auto", "cpu") == expected


def test_a_cpu_takes_bf16_when_asked_and_never_fp16() -> None:
    assert [resolve_precision(precision, "cpu") for precision in ("fp32", "bf16")] == ["fp32", "bf16"]
    with pytest.raises(BertlineError, match="only a CUDA device trains in fp16"):
        resolve_precision("fp16", "cpu")


def asked_about(cards: Cards) -> list[tuple[str, str]]:
    return [call for call in cards.calls if call[0] == "device"]


def test_a_card_with_bf16_trains_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with two_cards(monkeypatch) as cards:
        found = [resolve_precision(word, "cuda:1", said.append) for word in ("auto", "fp32", "bf16", "fp16")]
    assert found == ["bf16", "fp32", "bf16", "fp16"] and said == []
    assert set(asked_about(cards)) == {("device", "cuda:1")}  # not whichever card is the current one


def test_a_card_that_emulates_bf16_trains_in_fp32_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with two_cards(monkeypatch, TURING):
        assert [resolve_precision(word, "cuda:0", said.append) for word in ("auto", "fp32", "fp16")] == [
            "fp32", "fp32", "fp16",
        ]  # fmt: skip
        with pytest.raises(BertlineError, match=r"--precision bf16: cuda:0 \(Pretended Card\) only emulates bf16"):
            resolve_precision("bf16", "cuda:0")
    assert len(said) == 1 and "has no bf16 and trains in fp32; --precision fp16" in said[0]


def test_a_card_without_fp16_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        two_cards(monkeypatch, MAXWELL),
        pytest.raises(BertlineError, match=r"--precision fp16: cuda:0 \(Pretended Card\) does not compute in fp16"),
    ):
        resolve_precision("fp16", "cuda:0")
