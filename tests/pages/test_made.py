"""Every page that bertline writes, in a browser: light and dark, on a desktop, a phone and paper."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.pages.browser import DESKTOP, PAPER, PHONE, Browser
from tests.pages.made import PAGES, WIDER_THAN_PAPER, Line

VIEWS = {
    "desktop": DESKTOP,
    "desktop, dark": replace(DESKTOP, dark=True),
    "phone": PHONE,
    "phone, dark": replace(PHONE, dark=True),
    "paper": PAPER,
    "paper, dark": replace(PAPER, dark=True),  # whoever reads white on black still prints black on white
}


@pytest.fixture(scope="session")
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    return Line(tmp_path_factory.mktemp("line"))


@pytest.fixture(scope="module", params=PAGES)
def page(request: pytest.FixtureRequest, line: Line, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / f"{request.param}.html"
    file.write_text(PAGES[request.param](line), encoding="utf-8")
    return file


@pytest.mark.parametrize("name", VIEWS)
def test_all_can_be_read_and_nothing_is_fetched(browser: Browser, page: Path, name: str) -> None:
    view = VIEWS[name]
    browser.view(view)
    browser.open(page.as_uri())
    wide = view.paper and page.stem in WIDER_THAN_PAPER
    assert bool(browser.layout_faults()) == wide, browser.layout_faults()
    assert (browser.console(), browser.requests()) == ([], [])
    picture = browser.screenshot(page.with_name(f"{name}.png"))
    assert (picture.width > view.width) == wide and picture.ink > 0.02
    dark = view.dark and not view.paper
    assert max(picture.background) < 64 if dark else min(picture.background) > 192
