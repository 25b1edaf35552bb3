"""`bertline web`: the files that the manifest lists, on loopback, with the headers the page needs; nothing else."""

import http.client
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from bertline.bundle import Bundle, FileEntry
from infer.web import HEADERS, PageServer
from tests.conftest import Cli


@pytest.fixture(scope="module")
def with_page(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny bundle with three files in the page's place; what the page does is tests/runtimes/test_web.py."""
    target = Path(shutil.copytree(bundle, tmp_path_factory.mktemp("served") / "bundle"))
    entries = {}
    for name, content in {"index.html": "<title>page</title>", "page.js": "true", "vendor/ort.wasm": "\0asm"}.items():
        path = target / "runtimes/web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        entries[path.relative_to(target).as_posix()] = FileEntry.of(path)
    manifest = Bundle.open(target).manifest
    (target / "bertline.json").write_text(replace(manifest, files=manifest.files | entries).to_json())
    (target / "secret.txt").write_text("not in the manifest")
    return target


@pytest.fixture(scope="module")
def server(with_page: Path) -> Iterator[PageServer]:
    with PageServer(Bundle.open(with_page)) as started:
        thread = Thread(target=started.serve_forever, args=(0.05,))
        thread.start()
        yield started
        started.shutdown()
        thread.join()


def ask(
    server: PageServer, path: str, method: str = "GET", headers: dict[str, str] | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


@pytest.mark.parametrize(
    ("path", "type"),
    [
        ("runtimes/web/index.html", "text/html; charset=utf-8"),
        ("runtimes/web/page.js", "text/javascript; charset=utf-8"),
        ("runtimes/web/vendor/ort.wasm", "application/wasm"),
        ("bertline.json", "application/json"),
        ("onnx/model.onnx", "application/octet-stream"),
    ],
)
def test_files_come_whole_with_their_type_and_the_headers(
    server: PageServer, with_page: Path, path: str, type: str
) -> None:
    answer, content = ask(server, f"/{path}?variant=fp32")
    assert (answer.status, content) == (200, (with_page / path).read_bytes())
    assert answer.getheader("Content-Type") == type
    assert {name: answer.getheader(name) for name in HEADERS} == HEADERS
    again, nothing = ask(server, f"/{path}", headers={"If-None-Match": str(answer.getheader("ETag"))})
    assert (again.status, nothing) == (304, b"")
    head, nothing = ask(server, f"/{path}", "HEAD")
    assert (head.status, head.getheader("Content-Length"), nothing) == (200, str(len(content)), b"")


def test_the_root_leads_to_the_page(server: PageServer, with_page: Path) -> None:
    for path in ("/", "/runtimes/web"):
        answer, _ = ask(server, path)
        assert (answer.status, answer.getheader("Location")) == (302, "/runtimes/web/")
    answer, content = ask(server, "/runtimes/web/")
    assert (answer.status, content) == (200, b"<title>page</title>")
    assert server.address == f"http://127.0.0.1:{server.server_port}/runtimes/web/"


@pytest.mark.parametrize(
    "path",
    [
        "/secret.txt",
        "/onnx",
        "/onnx/",
        "/runtimes/web/../../secret.txt",
        "/runtimes/web/%2e%2e/%2e%2e/secret.txt",
        "/../bertline.json",
        "//etc/passwd",
        "/%2Fetc/passwd",
        "/bertline.json/",
        "/config.json%00",
        "ftp://[/config.json",
    ],
)
def test_what_the_manifest_does_not_list_is_not_found(server: PageServer, path: str) -> None:
    answer, content = ask(server, path)
    assert (answer.status, content) == (404, b"404 Not Found\n")
    assert {name: answer.getheader(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1", ""])
def test_another_name_for_this_machine_is_refused(server: PageServer, host: str) -> None:
    assert ask(server, "/bertline.json", headers={"Host": host})[0].status == 421
    assert ask(server, "/bertline.json", headers={"Host": f"localhost:{server.server_port}"})[0].status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_it_can_only_be_read(server: PageServer, method: str) -> None:
    answer, _ = ask(server, "/bertline.json", method)
    assert (answer.status, answer.getheader("Allow")) == (405, "GET, HEAD")


def test_a_file_that_has_gone_is_not_found(with_page: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(with_page, tmp_path / "bundle"))
    with PageServer(Bundle.open(copy)) as started:
        thread = Thread(target=started.serve_forever, args=(0.05,))
        thread.start()
        (copy / "config.json").unlink()
        status = ask(started, "/config.json")[0].status
        started.shutdown()
        thread.join()
    assert status == 404


def test_what_cannot_be_served_is_one_line(
    cli: Cli, bundle: Path, with_page: Path, server: PageServer, tmp_path: Path
) -> None:
    plain = cli("web", bundle)
    assert (plain.code, plain.err) == (
        1,
        f"bertline: {bundle}: holds no page; make it with bertline export MODEL_DIR -o BUNDLE --runtimes web\n",
    )
    taken = cli("web", with_page, "--port", server.server_port)
    assert taken.code == 1 and taken.err.count("\n") == 1
    assert f"port {server.server_port} of 127.0.0.1 cannot be had" in taken.err and "--port" in taken.err
    changed = Path(shutil.copytree(with_page, tmp_path / "changed"))
    (changed / "runtimes/web/page.js").write_text("evil")
    refused = cli("web", changed, "--port", "0")
    assert refused.code == 3 and "runtimes/web/page.js has changed" in refused.err
    assert cli("web", with_page, "--port", "65536").code == 2


def test_the_command_says_where_and_ends_with_ctrl_c(with_page: Path) -> None:
    command = [sys.executable, "-m", "bertline", "web", str(with_page), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    line = process.stderr.readline()
    port = int(line.split("http://127.0.0.1:")[1].split("/")[0])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/bertline.json")
    assert connection.getresponse().read() == (with_page / "bertline.json").read_bytes()
    process.send_signal(signal.SIGINT)  # while the connection stays open
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "bertline: interrupted\n")
    connection.close()
