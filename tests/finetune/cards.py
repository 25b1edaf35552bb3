"""Two CUDA cards that are not there: what PyTorch says of them is pretended, and what is sent to them stays here."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import accelerate.utils.imports
import pytest
import torch
import transformers.utils.import_utils
from torch.overrides import TorchFunctionMode

NAME = "Pretended Card"


class Cards(TorchFunctionMode):
    """While it is entered, tensors for a card are made on the CPU, and both are noted.

    `devices` are those that tensors were sent to; `matrix_products` the devices and types that products were cast to
    there, None for products as they stand; `calls` what was asked of `torch.cuda`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.devices: set[str] = set()
        self.matrix_products: list[torch.dtype | None] = []
        self.calls: list[tuple[str, str]] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.device:  # a name, and nothing made yet
            return func(*args, **(kwargs or {}))
        if func is torch.nn.functional.linear:
            self.matrix_products.append(torch.get_autocast_dtype("cuda") if torch.is_autocast_enabled("cuda") else None)
        return func(*map(self._here, args), **{name: self._here(value) for name, value in (kwargs or {}).items()})

    def _here(self, argument: Any) -> Any:
        if isinstance(argument, str | torch.device) and str(argument).startswith("cuda"):
            self.devices.add(str(argument))
            return torch.device("cpu")
        return argument

    def note(self, name: str) -> Any:
        return lambda device: self.calls.append((name, str(device)))


@contextmanager
def two_cards(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int] = (9, 0)) -> Iterator[Cards]:
    """Cards of that compute capability, for as long as the context lasts."""
    cards = Cards()
    with monkeypatch.context() as patch:
        patch.setattr(torch.backends.cuda, "is_built", lambda: True)
        patch.setattr(torch.cuda, "is_available", lambda: True)
        patch.setattr(torch.cuda, "device_count", lambda: 2)
        patch.setattr(torch.cuda, "get_device_name", lambda device: NAME)
        patch.setattr(torch.cuda, "get_device_capability", lambda device=None: capability)
        patch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: capability >= (8, 0))
        for name in ("set_device", "synchronize", "reset_peak_memory_stats"):
            patch.setattr(torch.cuda, name, cards.note(name))
        patch.setattr(torch.cuda, "device", _current(cards))
        patch.setattr(torch.cuda, "max_memory_reserved", lambda device: 3 * 2**20)
        patch.setattr(torch.cuda.random, "get_rng_state", lambda: torch.get_rng_state())
        patch.setattr(torch.cuda.random, "set_rng_state", lambda state: None)
        _forget_what_was_found()
        with cards:
            yield cards
    _forget_what_was_found()


def _current(cards: Cards) -> Any:
    @contextmanager
    def device(index: str) -> Iterator[None]:
        cards.calls.append(("device", index))
        yield

    return device


def _forget_what_was_found() -> None:
    """The libraries look for devices once a process."""
    modules: list[ModuleType] = [transformers.utils.import_utils, accelerate.utils.imports]
    for module in modules:
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()
