"""The clock of a run."""

import time

from benchmarks.gpu.plan import Clock


def test_the_time_runs_out() -> None:
    clock = Clock(0.05 / 60)
    assert not clock.used_up and 0 < clock.seconds_left <= 0.05
    time.sleep(0.06)
    assert clock.used_up and clock.seconds_left == 0 and clock.seconds >= 0.05


def test_it_says_how_long_it_was() -> None:
    assert Clock(0).used_up and Clock(7.5).excuse == "the 7.5 minutes were used up"
