"""Chromium without a screen, driven by chromedriver: as much of the WebDriver protocol as a page's script needs."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from threading import Timer
from typing import Any, Self
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from benchmarks.runtimes.process import shortened
from bertline.errors import BertlineError

_OPTIONS = """
--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --disable-background-networking
--disable-component-update --disable-sync --no-proxy-server
""".split()
_PORT = re.compile(rb"started successfully on port (\d+)")
_opener = build_opener(ProxyHandler({}))  # the driver is on this machine


def programs() -> tuple[str, str]:
    """Browser and driver; BertlineError where one is missing."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        raise BertlineError("needs chromium and chromedriver; apt-get install chromium chromium-driver")
    return browser, driver


class Browser:
    """A browser that has just started; BertlineError for all that it refuses, or does not do in time."""

    def __init__(self, address: str, timeout_seconds: float) -> None:
        self._address, self._until = address, time.monotonic() + timeout_seconds
        self._session = ""

    @classmethod
    @contextmanager
    def started(cls, profile: Path, timeout_seconds: float) -> Iterator[Self]:
        """One that keeps what it remembers in `profile`, a new folder, and ends after so long at the latest."""
        browser, driver = programs()
        process = subprocess.Popen(
            [driver, "--port=0"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
        )
        assert process.stdout is not None
        patience = Timer(timeout_seconds, os.killpg, (process.pid, signal.SIGKILL))
        patience.start()
        try:
            port = next((found[1] for line in process.stdout if (found := _PORT.search(line))), None)
            patience.cancel()  # from here on, each answer has its own limit
            if port is None:
                raise BertlineError(f"{driver} ended with exit code {process.wait()}")
            opened = cls(f"http://127.0.0.1:{port.decode()}/session", timeout_seconds)
            opened._begin({"binary": browser, "args": [*_OPTIONS, f"--user-data-dir={profile}"]})
            try:
                yield opened
            finally:
                with suppress(BertlineError):  # it is ended by force, then
                    opened._send("DELETE", "")
        finally:
            patience.cancel()
            with suppress(ProcessLookupError):  # the browser is of its group
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()

    def open(self, url: str) -> None:
        """Go there, and wait until all of it is loaded."""
        self._send("POST", "/url", {"url": url})

    def run(self, script: str, *arguments: object) -> Any:
        """What the promise gives that the body of a JavaScript function returns."""
        return self._send("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def _begin(self, options: dict[str, Any]) -> None:
        milliseconds = int(1000 * self._left())
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "timeouts": {"script": milliseconds, "pageLoad": milliseconds},
        }
        answer = self._send("POST", "", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/{answer['sessionId']}"

    def _left(self) -> float:
        return max(0.001, self._until - time.monotonic())

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(
            self._address + self._session + path, data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with _opener.open(request, timeout=self._left()) as answer:
                return json.load(answer)["value"]
        except HTTPError as refusal:
            said = json.load(refusal)["value"]
            raise BertlineError(
                shortened(f"the browser says: {said['message'].partition('  (Session info')[0]}")
            ) from None
        except TimeoutError:
            raise BertlineError("the browser did not answer in time, and was stopped") from None
        except (URLError, HTTPException, OSError) as error:
            raise BertlineError(shortened(f"the browser ended: {error}")) from None
