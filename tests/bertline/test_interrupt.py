"""Ctrl-C at moments at which an exception would become another one."""

import signal
import time

import pytest

from bertline.__main__ import _interrupt


class _Slow:
    """A field that takes a while to learn its name, as dataclasses' may when the machine is busy."""

    def __set_name__(self, owner: type, name: str) -> None:
        signal.raise_signal(signal.SIGINT)


def test_a_class_that_is_being_made_is_made_before_the_interrupt() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGALRM)}
    for number in before:
        signal.signal(number, _interrupt)
    made = []
    try:
        with pytest.raises(KeyboardInterrupt):
            made.append(type("Plan", (), {"inputs": _Slow()}))
            time.sleep(5)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
    assert len(made) == 1
