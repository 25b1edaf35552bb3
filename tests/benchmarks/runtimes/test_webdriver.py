"""Chromium by the WebDriver protocol: what a script gives, what it refuses, and that nothing goes on running."""

import time
from pathlib import Path

import pytest

from benchmarks.runtimes.webdriver import Browser
from bertline.errors import BertlineError

pytestmark = pytest.mark.usefixtures("browser")  # which says what is missing


def running(profile: Path) -> list[str]:
    """Command lines of processes that name the profile."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().decode("utf-8", "replace")
        except OSError:
            continue  # it has ended
        if str(profile) in text:
            found.append(text)
    return found


def is_over(profile: Path) -> bool:
    """Whether none is left, after a moment: what is killed takes one to end."""
    until = time.monotonic() + 5
    while running(profile) and time.monotonic() < until:
        time.sleep(0.05)
    return not running(profile)


def test_a_script_has_arguments_and_a_promise_is_waited_for(tmp_path: Path) -> None:
    with Browser.started(tmp_path / "profile", 60) as browser:
        browser.open("data:text/html,<title>here</title>")
        assert browser.run("return [document.title, arguments[0]]", "é\u2028") == ["here", "é\u2028"]
        assert browser.run("return new Promise((done) => setTimeout(() => done({ a: 1 }), 50))") == {"a": 1}
        with pytest.raises(BertlineError, match="the browser says: javascript error: no luck"):
            browser.run("return Promise.reject(new Error('no luck'))")
        assert running(tmp_path / "profile")
    assert is_over(tmp_path / "profile")


def test_what_takes_too_long_is_stopped(tmp_path: Path) -> None:
    with (
        pytest.raises(BertlineError, match=r"in time|timeout") as refusal,
        Browser.started(tmp_path / "profile", 8) as browser,
    ):
        browser.run("return new Promise(() => {})")
    assert "\n" not in str(refusal.value) and is_over(tmp_path / "profile")
