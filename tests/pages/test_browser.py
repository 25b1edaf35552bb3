"""What is to be found on a page is found on a small one that has it, and nothing on one that has not."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.pages.browser import DESKTOP, PAPER, PHONE, Browser, View

HEAD = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">"""
PIXEL = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address at which a server on this machine gives the files of `tmp_path`."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path)) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def show(browser: Browser, folder: Path, body: str, view: View = DESKTOP) -> Path:
    page = folder / "page.html"
    page.write_text(HEAD + body, encoding="utf-8")
    browser.view(view)
    browser.open(page.as_uri())
    return page


def svg(*texts: str, size: str = 'width="200" height="100" viewBox="0 0 200 100"') -> str:
    return f'<svg {size} aria-label="a drawing">{"".join(texts)}</svg>'


@pytest.mark.parametrize("view", [DESKTOP, PHONE, PAPER], ids=["desktop", "phone", "paper"])
def test_a_page_without_faults_has_none(browser: Browser, tmp_path: Path, view: View) -> None:
    table = '<div class="table" style="overflow-x: auto"><table><tr><td>one<td>another</table></div>'
    drawing = svg('<text x="9" y="20">one</text><text x="9" y="40">below it</text>')
    show(browser, tmp_path, f"<h1>A title</h1><p>Some <b>bold</b> text.</p>{table}{drawing}<p>After it.</p>", view)
    assert (browser.layout_faults(), browser.console(), browser.requests()) == ([], [], [])


UPRIGHT = 'transform="rotate(-90 50 90)"'
FAULTS = {
    "paragraphs": (
        '<p>one</p><p style="margin-top: -30px">another</p>',
        "overlap: “one” and “another”",
    ),
    "texts of a drawing": (
        svg('<text x="9" y="20">one</text><text x="20" y="25">another</text>'),
        "overlap: “one” and “another”",
    ),
    "parts of a text": (
        svg('<text><tspan x="9" y="20">one</tspan><tspan x="20" y="25">another</tspan></text>'),
        "overlap: “one” and “another”",
    ),
    "an upright text and a level one": (
        svg(f'<text x="50" y="90" {UPRIGHT}>upright</text><text x="30" y="70">level</text>'),
        "overlap: “upright” and “level”",
    ),
    "a text on a drawing": (
        svg() + '<p style="margin: -50px 0 0">one</p>',
        "overlap: <svg> “a drawing” and “one”",
    ),
    "a text beyond its drawing": (
        svg('<text x="150" y="20">much too long for it</text>'),
        "outside its box: “much too long for it”",
    ),
    "an upright text beyond its drawing": (
        svg(f'<text x="50" y="90" {UPRIGHT}>much too long for it</text>'),
        "outside its box: “much too long for it”",
    ),
    "a text beyond its card": (
        '<div style="border: 1px solid; width: 60px">Rindfleischetikettierung</div>',
        "outside its box: “Rindfleischetikettierung”",
    ),
    "a text before the page": (
        '<p style="margin-left: -50px">one</p>',
        "outside the page: “one”",
    ),
    "a hidden end": (
        '<p style="overflow: hidden; white-space: nowrap; width: 60px">much too long for it</p>',
        "cut off: “much too long for it”",
    ),
    "a box that scrolls": (
        '<p style="overflow: auto; white-space: nowrap; width: 60px">much too long for it</p>',
        "scrolls: “much too long for it”",
    ),
    "a page that scrolls": (
        '<div style="width: 1300px">one</div>',
        "too wide: the page takes 1308 pixels of 1200",
    ),
    "a letter a line": (
        '<p style="width: 10px; overflow-wrap: anywhere">squeezed</p>',
        "squeezed: “squeezed”",
    ),
    "grey on white": (
        '<p style="color: #888">one</p>',
        "faint: “one”, 3.5 : 1",
    ),
    "half-transparent on white": (
        svg('<text x="9" y="20" fill-opacity="0.5">one</text>'),
        "faint: “one”, 4.0 : 1",
    ),
    "black on a dark rectangle": (
        svg('<rect width="200" height="100" fill="#369"/><text x="9" y="20">one</text>'),
        "faint: “one”, 3.5 : 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_by_name(browser: Browser, tmp_path: Path, name: str) -> None:
    body, fault = FAULTS[name]
    show(browser, tmp_path, body)
    assert browser.layout_faults() == [fault]


def test_slanted_texts_are_apart_where_only_their_bounds_meet(browser: Browser, tmp_path: Path) -> None:
    slant = [f'<text x="{x}" y="90" transform="rotate(-45 {x} 90)">slanted</text>' for x in (20, 50)]
    show(browser, tmp_path, svg(*slant))
    assert browser.layout_faults() == []


def test_texts_that_a_table_has_scrolled_away_cover_nothing(browser: Browser, tmp_path: Path) -> None:
    box = '<div class="table" style="overflow: auto; white-space: nowrap; width: 90px; float: left">{}</div>'
    body = box.format("much too long for it") + box.format("another")
    show(browser, tmp_path, body)
    assert browser.layout_faults() == []
    browser.view(PAPER)
    assert browser.layout_faults() == ["cut off: “much too long for it”"]


def test_what_only_a_phone_has_no_room_for(browser: Browser, tmp_path: Path) -> None:
    show(browser, tmp_path, '<p style="width: 500px">one</p>')
    assert browser.layout_faults() == []
    browser.view(PHONE)
    assert browser.layout_faults() == ["too wide: the page takes 508 pixels of 360"]


def test_fetched_files_are_named(browser: Browser, tmp_path: Path, served: str) -> None:
    (tmp_path / "pixel.svg").write_text(PIXEL, encoding="utf-8")
    show(browser, tmp_path, f'<img src="pixel.svg" alt=""><img src="{served}/pixel.svg" alt="">')
    assert sorted(browser.requests()) == [(tmp_path / "pixel.svg").as_uri(), f"{served}/pixel.svg"]
    browser.open(f"{served}/page.html")
    assert set(browser.requests()) == {f"{served}/pixel.svg"}
    browser.open("data:text/html,<p>Nothing")
    assert browser.requests() == []


def test_no_other_machine_is_reached(browser: Browser, tmp_path: Path) -> None:
    show(browser, tmp_path, '<img src="https://example.org/a.png" alt="">')
    assert browser.requests() == ["https://example.org/a.png"]
    assert any("ERR_NAME_NOT_RESOLVED" in line for line in browser.console())


def test_what_a_policy_refuses_is_an_error(browser: Browser, tmp_path: Path) -> None:
    policy = '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">'
    show(browser, tmp_path, f'{policy}<script>document.title = "ran"</script><p style="color: red">one</p>')
    assert [line.startswith("severe: ") and "Content Security Policy" in line for line in browser.console()] == [
        True
    ] * 2
    assert browser.run("return document.title") == ""


def test_errors_of_scripts_are_found_once_and_not_on_the_next_page(browser: Browser, tmp_path: Path) -> None:
    show(browser, tmp_path, '<script>console.error("told"); console.log("aside"); missing()</script>')
    told, thrown = browser.console()
    assert "told" in told and "missing is not defined" in thrown and browser.console() == [told, thrown]
    show(browser, tmp_path, "<p>one</p>")
    assert browser.console() == []


def test_a_screenshot_holds_the_whole_page(browser: Browser, tmp_path: Path) -> None:
    show(browser, tmp_path, '<style>body { margin: 0; background: #123 }</style><div style="height: 3000px">one</div>')
    picture = browser.screenshot(tmp_path / "page.png")
    assert (picture.width, picture.height, picture.background) == (1200, 3000, (0x11, 0x22, 0x33))
    assert 0 < picture.ink < 1e-3
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


def test_light_dark_and_paper_are_told_to_the_page(browser: Browser, tmp_path: Path) -> None:
    style = """<style>p::after { content: "light" } @media print { p::after { content: "paper" } }
    @media screen and (prefers-color-scheme: dark) { p::after { content: "dark" } }</style><p>"""
    show(browser, tmp_path, style)
    told = []
    for view in (View(500, 500), View(500, 500, dark=True), View(500, 500, dark=True, paper=True)):
        browser.view(view)
        told.append(browser.run('return getComputedStyle(document.querySelector("p"), "::after").content'))
    assert told == ['"light"', '"dark"', '"paper"']
