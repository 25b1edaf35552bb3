"""A page as a reader's browser shows it: Debian's Chromium without a screen, driven by Selenium.

It reaches this machine alone: no proxy, and no name but 127.0.0.1 resolves. Widths and heights are CSS pixels.
"""

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

PROGRAMS = ("chromium", "chromedriver")  # of Debian, which keeps their versions together
_OPTIONS = """
--headless=new --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run --hide-scrollbars
--disable-background-networking --disable-component-update --disable-sync --no-proxy-server
""".split()
_NO_NAMES = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
_LAYOUT, _PIXELS = (Path(__file__).with_name(f"{name}.js").read_text(encoding="utf-8") for name in ("layout", "pixels"))


def missing_programs() -> list[str]:
    """Which of the browser and its driver this machine lacks."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


@dataclass(frozen=True)
class View:
    """What a page is looked at with."""

    width: int
    height: int
    dark: bool = False  # what the reader's system prefers
    phone: bool = False
    paper: bool = False


DESKTOP, PHONE = View(1200, 800), View(360, 740, phone=True)
PAPER = View(718, 1047, paper=True)  # A4 within the browser's own margins


@dataclass(frozen=True)
class Picture:
    """What a screenshot holds."""

    width: int
    height: int
    background: tuple[int, int, int]  # the commonest colour: red, green, blue, 0 to 255
    ink: float  # share of the pixels that have another


class Browser:
    """One browser for many pages, one after the other."""

    def __init__(self, driver: Chrome) -> None:
        self._driver = driver
        self._url = ""
        self._requests: list[str] = []
        self._console: list[str] = []
        self.view(DESKTOP)

    @classmethod
    @contextmanager
    def started(cls, profile: Path, *further: str) -> Iterator[Self]:
        """A browser that keeps what it remembers in `profile`, a new folder; `further` options of its command line."""
        options = ChromeOptions()
        options.binary_location, driver_path = map(shutil.which, PROGRAMS)
        for option in (*_OPTIONS, _NO_NAMES, f"--user-data-dir={profile}", *further):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        driver = Chrome(options, Service(driver_path))
        try:
            driver.set_page_load_timeout(30)
            yield cls(driver)
        finally:
            driver.quit()

    def view(self, view: View) -> None:
        """How the open page and all later ones are looked at."""
        self._view = view
        size = {"width": view.width, "height": view.height, "deviceScaleFactor": 1, "mobile": view.phone}
        scheme = {"name": "prefers-color-scheme", "value": "dark" if view.dark else "light"}
        self._tell("Emulation.setDeviceMetricsOverride", **size)
        self._tell("Emulation.setEmulatedMedia", media="print" if view.paper else "screen", features=[scheme])

    def open(self, url: str) -> None:
        """Go there and wait until all of it is loaded."""
        self._driver.get("about:blank")  # what the page before still had to say belongs to it
        self._read_logs()
        self._url, self._requests, self._console = url, [], []
        self._driver.get(url)

    @contextmanager
    def before_load(self, script: str) -> Iterator[None]:
        """What every page opened meanwhile runs before its own scripts."""
        added = self._tell("Page.addScriptToEvaluateOnNewDocument", source=script)
        try:
            yield
        finally:
            self._tell("Page.removeScriptToEvaluateOnNewDocument", **added)

    def type(self, text: str) -> None:
        """Write where the cursor is, as a reader would."""
        self._tell("Input.insertText", text=text)

    def download_into(self, folder: Path) -> None:
        """Where files that a page offers are saved from now on."""
        self._tell("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def console(self) -> list[str]:
        """Errors and warnings since the page was opened, the policy's refusals among them."""
        self._read_logs()
        return list(self._console)

    def requests(self) -> list[str]:
        """Addresses that were asked for since the page was opened, besides the page itself and data: ones.

        A server is asked for /favicon.ico, too, by every page that names no icon.
        """
        self._read_logs()
        return list(self._requests)

    def layout_faults(self) -> list[str]:
        """What a reader cannot read, each with its texts; layout.js says what that is."""
        return self.run(_LAYOUT, self._view.width)

    def screenshot(self, path: Path) -> Picture:
        """The whole page, however long, as a PNG file, and what is in it."""
        size = self._tell("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        png = self._tell("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        path.write_bytes(base64.b64decode(png))
        width, height, background, ink = self.run(_PIXELS, png)
        return Picture(width, height, tuple(background), ink)

    def run(self, script: str, *arguments: object) -> Any:
        """What the body of a JavaScript function returns, or the promise that it returns."""
        return self._driver.execute_script(script, *arguments)

    def _tell(self, command: str, **arguments: object) -> Any:
        return self._driver.execute_cdp_cmd(command, arguments)

    def _read_logs(self) -> None:
        """Both logs, which the driver forgets once they are read."""
        for entry in self._driver.get_log("browser"):
            if entry["level"] in ("WARNING", "SEVERE"):
                self._console.append(f"{entry['level'].lower()}: {entry['message']}")
        for entry in self._driver.get_log("performance"):
            event = json.loads(entry["message"])["message"]
            if event["method"] == "Network.requestWillBeSent":
                url = event["params"]["request"]["url"]
                if not url.startswith("data:") and (url, event["params"].get("type")) != (self._url, "Document"):
                    self._requests.append(url)
            elif event["method"] == "Network.webSocketCreated":
                self._requests.append(event["params"]["url"])
