"""`web` in a real browser: the answers of `infer` as one types and for whole tables, every state, and no network."""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from bertline.bundle import FileEntry
from infer.scorer import Scorer
from tests import tiny
from tests.conftest import Cli, Once
from tests.pages.browser import DESKTOP, PHONE, Browser
from tests.runtimes.conftest import VARIANTS, scored
from tests.runtimes.needs import needs
from tests.runtimes.served import restate, served, served_plainly, write_page

VIEWS = {"desktop": DESKTOP, "desktop, dark": replace(DESKTOP, dark=True), "phone": PHONE}
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def web_bundle(once: Once, shipped: Path) -> Path:
    """The tiny model's bundle with the page; read only."""
    needs("npm")
    return once("web_bundle", lambda output: write_page(shipped, output))


@pytest.fixture(scope="module")
def web_pair_bundle(once: Once, shipped_pairs: Path) -> Path:
    """The same of a tiny RoBERTa, which takes pairs of texts."""
    needs("npm")
    return once("web_pair_bundle", lambda output: write_page(shipped_pairs, output))


@pytest.fixture(scope="module")
def address(web_bundle: Path) -> Iterator[str]:
    """Where the page is served."""
    with served(web_bundle) as url:
        yield url


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Browser]:
    """The page in its browser, ready; without a fault in the console when the test ends."""
    open_page(browser, address)
    yield browser
    assert faults(browser) == []


def open_page(browser: Browser, url: str) -> None:
    browser.open(url)
    browser.run("await bertline.ready.catch(() => {})")


def faults(browser: Browser) -> list[str]:
    return [line for line in browser.console() if "No available adapters" not in line]


def wait_for(browser: Browser, condition: str) -> None:
    """Until a JavaScript expression is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not browser.run(f"return Boolean({condition})"):
        assert time.monotonic() < deadline, f"{condition}: {browser.run('return document.body.innerText')}"
        time.sleep(0.02)


def text_of(browser: Browser, name: str) -> str:
    text: str = browser.run("return document.getElementById(arguments[0]).innerText", name)
    return text


def choose(browser: Browser, content: str | bytes, name: str = "table.tsv") -> None:
    """Give a file to the page, as choosing it in its dialogue would."""
    raw = content.encode() if isinstance(content, str) else content
    script = """
      const chosen = new DataTransfer();
      chosen.items.add(new File([Uint8Array.from(arguments[0])], arguments[1]));
      const input = document.getElementById("file");
      input.files = chosen.files;
      input.dispatchEvent(new Event("change"));
    """
    browser.run(script, list(raw), name)
    wait_for(browser, f"document.getElementById('file-name').textContent === {json.dumps(name)}")
    wait_for(browser, "!document.getElementById('chosen').hidden")


def click(browser: Browser, name: str) -> None:
    browser.run("document.getElementById(arguments[0]).click()", name)


def enter(browser: Browser, name: str, value: str) -> None:
    """Give a field a value, as a reader's choice would."""
    script = """
      const field = document.getElementById(arguments[0]);
      field.value = arguments[1];
      for (const name of ["input", "change"]) field.dispatchEvent(new Event(name));
    """
    browser.run(script, name, value)


def downloaded(browser: Browser, folder: Path) -> Path:
    """The file that the page offers, saved as a browser saves it."""
    browser.download_into(folder)
    click(browser, "download")
    name: str = browser.run("return document.getElementById('download').download")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (folder / name).exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert name == "table.scored.tsv"
    return folder / name


def assert_equal_rows(ours: list[dict[str, str]], theirs: list[dict[str, str]]) -> None:
    """Cell by cell, and numbers of the model within 1e-4."""
    assert list(ours[0]) == list(theirs[0])
    numbers = [name for name in ours[0] if name.startswith(("score", "prediction", "prob_", "logit_"))]
    texts = [name for name in ours[0] if name not in numbers]
    assert [[row[name] for name in texts] for row in ours] == [[row[name] for name in texts] for row in theirs]
    values = [np.array([[float(row[name]) for name in numbers] for row in rows]) for rows in (ours, theirs)]
    np.testing.assert_allclose(*values, atol=1e-4)


def test_a_sentence_is_answered_as_it_is_typed(page: Browser, web_bundle: Path) -> None:
    assert page.run("return bertline.facts.variant") == "quantized"
    scorer = Scorer.open(web_bundle, device="cpu", variant="quantized", provider="cpu")
    page.run("document.getElementById('first-text').focus()")
    typed = ""
    for part in ("The cat", " sees a book", " by John!"):
        page.type(part)
        typed += part
        logits = scorer.score([typed])[0].astype(float)
        shares = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        label, share = scorer.labels[int(logits.argmax())], f"{100 * shares.max():.1f}%"
        wait_for(page, f"document.getElementById('answer').innerText === '{label}, {share}'")
        assert text_of(page, "shares").split() == [
            word for name, each in zip(scorer.labels, shares, strict=True) for word in (name, f"{100 * each:.1f}%")
        ]
    assert text_of(page, "answer-facts").startswith("10 tokens; ")
    page.run("document.getElementById('first-text').select()")
    page.type("the cat " * 80)
    wait_for(page, "document.getElementById('answer-facts').innerText.startsWith('162 tokens, cut at 64')")


def test_a_table_of_516_rows_is_scored_as_infer_does(page: Browser, cli: Cli, web_bundle: Path, tmp_path: Path) -> None:
    table = tiny.write_table(tmp_path / "table.tsv", rows=516)
    flags = ("--variant", "quantized", "--provider", "cpu", "--probabilities", "--logits", "--label-column", "label")
    assert cli("infer", web_bundle, table, "-o", tmp_path / "ours.tsv", *flags, "-q").code == 0
    choose(page, table.read_bytes())
    enter(page, "label-column", "label")
    for box in ("probabilities", "logits"):
        click(page, box)
    click(page, "start")
    wait_for(page, "!document.getElementById('done').hidden")
    assert text_of(page, "done-text").startswith("516 rows in ")
    assert_equal_rows(scored(tmp_path / "ours.tsv"), scored(downloaded(page, tmp_path)))
    metrics = json.loads((tmp_path / "ours.tsv.report.json").read_text())["metrics"]
    assert text_of(page, "tiles").split() == ["MCC", f"{metrics['mcc']:.4f}", "accuracy", f"{metrics['accuracy']:.1%}"]
    cells = page.run("return [...document.querySelectorAll('#confusion td.number')].map((cell) => cell.innerText)")
    assert cells == [f"{count:,}" for counts in metrics["confusion"] for count in counts]


@pytest.mark.parametrize("problem", ["several", "number"])
def test_several_labels_and_numbers_are_those_of_infer(
    request: pytest.FixtureRequest, browser: Browser, once: Once, cli: Cli, tmp_path: Path, problem: str
) -> None:
    needs("npm")
    shipped: Path = request.getfixturevalue(f"shipped_{problem}")
    bundle = once(f"web_{problem}_bundle", lambda output: write_page(shipped, output))
    table = tiny.write_table(tmp_path / "table.tsv")
    flags = ("--variant", "fp32", "--provider", "cpu", "--no-labels", "--logits", "-q")
    assert cli("infer", bundle, table, "-o", tmp_path / "ours.tsv", *flags).code == 0
    with served(bundle) as url:
        open_page(browser, f"{url}?variant=fp32")
        choose(browser, table.read_bytes())
        hidden = ("label-field", "probabilities-field")
        assert all(browser.run("return document.getElementById(arguments[0]).hidden", name) for name in hidden)
        click(browser, "logits")
        click(browser, "start")
        wait_for(browser, "!document.getElementById('done').hidden")
        ours = scored(tmp_path / "ours.tsv")
        assert_equal_rows(ours, scored(downloaded(browser, tmp_path)))
        assert browser.run("return document.getElementById('metrics').hidden")
        enter(browser, "first-text", ours[0]["sentence"])
        wait_for(browser, "/\\d+ tokens/.test(document.getElementById('answer-facts').innerText)")
        shown = text_of(browser, "answer")
    if problem == "number":
        assert float(shown) == pytest.approx(float(ours[0]["prediction"]), abs=1e-4)
    else:
        assert shown == (ours[0]["predicted_label"].replace(",", ", ") or "none of the labels")
    assert faults(browser) == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_scores_and_proves_itself(
    browser: Browser, address: str, cli: Cli, web_bundle: Path, tmp_path: Path, variant: str
) -> None:
    table = tiny.write_table(tmp_path / "table.tsv", rows=50)
    flags = ("--variant", variant, "--provider", "cpu", "--probabilities", "--logits")
    assert cli("infer", web_bundle, table, "-o", tmp_path / "ours.tsv", *flags, "-q").code == 0
    open_page(browser, f"{address}?variant={variant}")
    script = """
      const file = new File([arguments[0]], "table.tsv");
      return (await bertline.scoreTable(file, { probabilities: true, logits: true })).blob.text();
    """
    (tmp_path / "theirs.tsv").write_text(browser.run(script, table.read_text()), encoding="utf-8")
    assert_equal_rows(scored(tmp_path / "ours.tsv"), scored(tmp_path / "theirs.tsv"))
    click(browser, "check-start")
    wait_for(browser, "document.querySelectorAll('#steps .ok').length === 4")
    assert browser.run("return bertline.facts.variant") == variant and faults(browser) == []


def test_the_variant_can_be_changed(page: Browser) -> None:
    enter(page, "variant", "fp32")
    wait_for(page, "bertline.facts.variant === 'fp32' && !document.getElementById('variant').disabled")
    assert page.run("return (await bertline.score(['The cat sleeps.']))[0].tokens") == 6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "table.tsv: the file is empty; give a table with at least one row"),
        (b"id\tsentence\n1\tGo!\t2\n", "table.tsv, line 2: has 3 columns instead of 2; correct it"),
        (b"sentence\nGo!\n\xff\n", "table.tsv, line 3: is not UTF-8; convert the file with iconv -t UTF-8"),
        (b"sentence\nGo!\na\0b\n", "table.tsv, line 3: holds a NUL character; remove it with tr -d '\\000'"),
    ],
)
def test_a_broken_file_is_told_with_its_line(page: Browser, content: bytes, message: str) -> None:
    choose(page, content)
    click(page, "start")
    wait_for(page, "!document.getElementById('table-error').hidden")
    assert text_of(page, "table-error") == message
    choose(page, "sentence\nGo!\n", "better.tsv")  # the way out is open
    click(page, "start")
    wait_for(page, "!document.getElementById('done').hidden")


def test_a_file_without_a_header_and_labels_nobody_knows(page: Browser, tmp_path: Path) -> None:
    choose(page, "gj04\t1\t*\tThe cat sleeps.\r\ngj04\tperhaps\t\tThe dog sees a book.")
    click(page, "header")
    assert page.run("return document.getElementById('text-column').value") == "4"  # where the longest texts are
    enter(page, "names", "source,label,notes,sentence")
    assert page.run("return document.getElementById('text-column').value") == "sentence"
    enter(page, "label-column", "label")
    click(page, "start")
    wait_for(page, "!document.getElementById('done').hidden")
    rows = scored(downloaded(page, tmp_path))
    assert list(rows[0]) == ["source", "label", "notes", "sentence", "predicted_label", "score"]
    assert [row["sentence"] for row in rows] == ["The cat sleeps.", "The dog sees a book."]
    assert "1 row has a label" in text_of(page, "metrics")


def test_a_long_run_can_be_cancelled_and_does_not_hold_up_typing(page: Browser) -> None:
    choose(page, "sentence\n" + "\n".join(f"The cat sees book {row}." for row in range(20_000)))
    click(page, "start")
    wait_for(page, "document.getElementById('running-bar').value > 0")
    assert page.run("return (await bertline.score(['The cat sleeps.']))[0].tokens") == 6
    assert not page.run("return document.getElementById('running').hidden")
    assert "rows/s" in text_of(page, "running-text")
    click(page, "cancel")
    wait_for(page, "!document.getElementById('table-error').hidden")
    assert text_of(page, "table-error") == "Cancelled; nothing was written."


def test_pairs_and_their_token_ids(browser: Browser, web_pair_bundle: Path) -> None:
    pairs = [("the cat " * 40, "a dog " * 10), ("a dog", "the cat " * 60), ("", "the book"), ("John", "Mary")]
    scorer = Scorer.open(web_pair_bundle, device="cpu", variant="fp32", provider="cpu")
    encoded = scorer.encoder.encode(pairs)
    with served(web_pair_bundle) as url:
        open_page(browser, f"{url}?variant=fp32")
        answers = browser.run("return bertline.score(arguments[0])", pairs)
        assert [answer["tokenIds"] for answer in answers] == [list(ids) for ids in encoded.input_ids]
        np.testing.assert_allclose([answer["logits"] for answer in answers], scorer.run_tokens(encoded), atol=1e-4)
        browser.run("document.getElementById('second-text').focus()")
        browser.type("the book")
        wait_for(browser, "document.getElementById('answer').innerText.includes('%')")
        assert browser.layout_faults() == [] and faults(browser) == []


def test_it_answers_without_a_network(browser: Browser, web_bundle: Path) -> None:
    with served(web_bundle) as url:
        open_page(browser, url)
        first = browser.run("return bertline.score(['The cat sleeps.'])")
        wait_for(browser, "bertline.facts.offline === 'yes'")
    open_page(browser, url)
    assert browser.run("return [crossOriginIsolated, bertline.facts.variant]") == [True, "quantized"]
    assert browser.run("return bertline.score(['The cat sleeps.'])") == first
    assert all(step["passed"] for step in browser.run("return bertline.selfcheck()"))


def test_another_bundle_at_the_same_address_takes_the_place(browser: Browser, web_bundle: Path, tmp_path: Path) -> None:
    with served(web_bundle) as url:
        open_page(browser, url)
        wait_for(browser, "bertline.facts.offline === 'yes'")
        before = browser.run("return bertline.facts.hash")
    other = Path(shutil.copytree(web_bundle, tmp_path / "other"))
    card = other / "README.md"
    card.write_text("Another.")
    restate(other, {"README.md": FileEntry.of(card)})
    with served(other, urlsplit(url).port or 0) as url:
        open_page(browser, url)
        after = browser.run("return bertline.facts.hash")
        wait_for(browser, "bertline.facts.offline === 'yes'")
        assert after != before
        assert [name.split()[-1] for name in browser.run("return caches.keys()")] == [after]


def test_a_file_that_is_not_the_manifests_is_named(browser: Browser, web_bundle: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(web_bundle, tmp_path / "bundle"))
    with served(bundle) as url:
        model = bundle / "onnx/model_quantized.onnx"
        content = bytearray(model.read_bytes())
        content[len(content) // 2] ^= 1
        model.write_bytes(content)
        open_page(browser, url)
        assert browser.run("return document.documentElement.dataset.state") == "failed"
        assert "onnx/model_quantized.onnx: is not the file that bertline.json names" in text_of(browser, "trouble")
        assert browser.layout_faults() == []
        open_page(browser, f"{url}?variant=fp32")  # which is sound
        assert browser.run("return (await bertline.selfcheck()).map(({passed}) => passed)") == [True] * 4
        hashes = browser.run("return bertline.selfcheck({ all: true })")
        assert hashes == [
            {"name": "hashes", "passed": False, "finding": "missing or changed: onnx/model_quantized.onnx"}
        ]
        model.unlink()
        open_page(browser, url)
        assert "onnx/model_quantized.onnx: the server answers 404" in text_of(browser, "trouble")


def test_a_manifest_that_is_none_is_told(browser: Browser, web_bundle: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(web_bundle, tmp_path / "bundle"))
    with served(bundle) as url:
        (bundle / "bertline.json").write_text("{")
        open_page(browser, url)
        assert "bertline.json: is not JSON" in text_of(browser, "trouble")


def test_other_logits_under_a_fitting_hash_fail_the_self_check(
    browser: Browser, web_bundle: Path, tmp_path: Path
) -> None:
    bundle = Path(shutil.copytree(web_bundle, tmp_path / "bundle"))
    path = bundle / "golden.jsonl"
    goldens = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    goldens[1]["logits"]["quantized"][0] += 0.01
    path.write_text("".join(json.dumps(golden) + "\n" for golden in goldens), encoding="utf-8")
    restate(bundle, {"golden.jsonl": FileEntry.of(path)})
    with served(bundle) as url:
        open_page(browser, url)
        click(browser, "check-start")
        wait_for(browser, "document.querySelectorAll('#steps strong').length === 4")
        assert text_of(browser, "steps").split()[:1] == ["ok"]
        assert browser.run("return document.querySelector('#steps .FAILED').parentElement.innerText.split('\\n')")[
            :2
        ] == [
            "FAILED",
            "logits",
        ]


def test_an_unknown_variant_is_told(browser: Browser, address: str) -> None:
    open_page(browser, f"{address}?variant=int3")
    assert "--variant int3: this bundle has fp32, fp16, quantized" in text_of(browser, "trouble")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("delete globalThis.WebAssembly", "has no WebAssembly"),
        ("Object.defineProperty(globalThis, 'isSecureContext', { value: false })", "on an insecure address"),
        ("WebAssembly.validate = () => false", "has no SIMD"),
    ],
)
def test_a_browser_that_lacks_something_is_told_what(browser: Browser, address: str, script: str, message: str) -> None:
    with browser.before_load(script):
        open_page(browser, address)
    assert browser.run("return document.documentElement.dataset.state") == "unsupported"
    assert message in text_of(browser, "trouble") and browser.layout_faults() == []
    assert browser.run("return document.querySelector('main').offsetHeight") == 0


def test_a_plain_server_gives_one_thread_and_later_visits_more(browser: Browser, web_bundle: Path) -> None:
    with served_plainly(web_bundle) as url:
        open_page(browser, url)
        facts: dict[str, Any] = browser.run("return bertline.facts")
        assert (facts["isolated"], facts["threads"]) == (False, 1)
        assert "one thread: the server sends no COOP and COEP headers" in text_of(browser, "facts")
        assert browser.run("return (await bertline.score(['The cat sleeps.']))[0].tokens") == 6
        wait_for(browser, "bertline.facts.offline === 'yes'")
        open_page(browser, url)
        cores = browser.run("return navigator.hardwareConcurrency")
        assert browser.run("return [crossOriginIsolated, bertline.facts.threads]") == [True, min(cores, 8)]


def test_nothing_leaves_the_origin(browser: Browser, web_bundle: Path, tmp_path: Path) -> None:
    """By the browser's own record of all its traffic, workers included; and a GPU, emulated, answers as the CPU."""
    record = tmp_path / "net.json"
    gpu = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
    with served(web_bundle) as url, Browser.started(tmp_path / "profile", f"--log-net-log={record}", *gpu) as own:
        open_page(own, f"{url}?backend=wasm")
        expected = own.run("return bertline.score(['The cat sleeps.', 'A dog not sees.'])")
        open_page(own, f"{url}?backend=webgpu")
        wait_for(own, "bertline.facts.webgpu")
        assert own.run("return [bertline.facts.webgpu, bertline.facts.backend]") == ["used", "webgpu"]
        found = own.run("return bertline.score(['The cat sleeps.', 'A dog not sees.'])")
        wait_for(own, "bertline.facts.offline === 'yes'")
    np.testing.assert_allclose([row["logits"] for row in found], [row["logits"] for row in expected], atol=1e-4)
    here = f"http://{urlsplit(url).netloc}"
    asked = [event["params"] for event in json.loads(record.read_text())["events"] if "params" in event]
    urls = {params["url"] for params in asked if params.get("initiator") == here}  # others are the browser's own
    assert {url.removeprefix(here).split("/")[1] for url in urls} >= {"bertline.json", "onnx", "runtimes"}
    assert [url for url in urls if not url.startswith(f"{here}/")] == []


@pytest.mark.parametrize("name", VIEWS)
def test_all_can_be_read(page: Browser, tmp_path: Path, name: str) -> None:
    page.view(VIEWS[name])
    page.run("document.getElementById('first-text').focus()")
    page.type("The cat sees a book.")
    wait_for(page, "document.getElementById('answer').innerText.includes('%')")
    table = tiny.write_table(tmp_path / "table.tsv", rows=60).read_bytes()
    choose(page, table)
    assert page.layout_faults() == []
    enter(page, "label-column", "label")
    click(page, "start")
    wait_for(page, "!document.getElementById('done').hidden")
    click(page, "check-start")
    wait_for(page, "document.querySelectorAll('#steps .ok').length === 4")
    assert page.layout_faults() == []
    picture = page.screenshot(tmp_path / "page.png")
    assert picture.ink > 0.02 and picture.width == VIEWS[name].width
    assert max(picture.background) < 64 if VIEWS[name].dark else min(picture.background) > 192
    page.view(DESKTOP)
