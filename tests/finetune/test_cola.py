"""The published archive: fetched once over the network, checked, and unpacked without leaving its folder."""

import hashlib
import io
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bertline.errors import BertlineError, VerificationError
from finetune import cola


def zip_bytes(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as zipped:
        for name, content in members.items():
            zipped.writestr(name, content)
    return stream.getvalue()


SMALL = zip_bytes({"cola_public/raw/in_domain_train.tsv": b"gj04\t1\t\tA sentence.\n"})


# --- fetching ------------------------------------------------------------------------------------------------------


class Server(ThreadingHTTPServer):
    """Answers every request with `body`, announced as `length` bytes, after `delay` seconds."""

    body, length, delay, status, requests = SMALL, -1, 0.0, 200, 0


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests += 1
        time.sleep(self.server.delay)
        self.send_response(self.server.status)
        length = len(self.server.body) if self.server.length < 0 else self.server.length
        self.send_header("Content-Length", str(length))
        self.end_headers()
        with suppress(ConnectionError):  # a client that has seen enough goes away
            self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BERTLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cola, "SHA256", hashlib.sha256(SMALL).hexdigest())
    return tmp_path / "cache"


@pytest.fixture
def server(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving() as server:
        monkeypatch.setattr(cola, "URL", f"http://127.0.0.1:{server.server_address[1]}/cola.zip")
        yield server


def fetch() -> Path:
    return cola.published_cola(lambda done, total: None)


def test_it_is_fetched_once(server: Server, cache: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    first = cola.published_cola(lambda done, total: seen.append((done, total)))
    assert (first / "cola_public" / "raw" / "in_domain_train.tsv").read_text() == "gj04\t1\t\tA sentence.\n"
    assert seen[-1] == (len(SMALL), len(SMALL))
    assert fetch() == first
    assert server.requests == 1


def test_an_archive_in_the_cache_is_not_fetched_again(server: Server, cache: Path) -> None:
    cache.mkdir()
    (cache / "cola_public_1.1.zip").write_bytes(SMALL)
    assert fetch().is_dir()
    assert server.requests == 0


def test_another_archive_is_refused_and_not_kept(server: Server, cache: Path) -> None:
    server.body = zip_bytes({"cola_public/raw/in_domain_train.tsv": b"x\t1\t\tForged.\n"})
    with pytest.raises(VerificationError, match="not the archive as published"):
        fetch()
    assert list(cache.iterdir()) == []


def test_a_body_that_is_too_large_is_refused(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cola, "MAX_DOWNLOAD_BYTES", 2**20)
    server.body = bytes(2**20 + 1)
    with pytest.raises(BertlineError, match="sends over 1 MiB"):
        fetch()
    assert list(cache.iterdir()) == []


def test_a_body_that_ends_early_is_refused(server: Server, cache: Path) -> None:
    server.length = len(SMALL) + 100
    with pytest.raises(BertlineError, match=rf"it ended after {len(SMALL)} of {len(SMALL) + 100} bytes"):
        fetch()
    assert list(cache.iterdir()) == []


def test_a_server_that_does_not_answer_is_given_up(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cola, "TIMEOUT_SECONDS", 0.05)
    server.delay = 0.3
    with pytest.raises(BertlineError, match=r"cannot be fetched \(timed out\)"):
        fetch()
    assert list(cache.iterdir()) == []


def test_an_answer_that_is_an_error_is_told(server: Server, cache: Path) -> None:
    server.status = 404
    with pytest.raises(BertlineError, match="cannot be fetched"):
        fetch()
    assert list(cache.iterdir()) == []


def test_offline_it_says_what_to_do(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server:
        port = server.server_address[1]
    monkeypatch.setattr(cola, "URL", f"http://127.0.0.1:{port}/cola.zip")  # nobody listens there any more
    with pytest.raises(BertlineError, match="get the archive elsewhere and give it, or its folder, as CORPUS"):
        fetch()
    assert list(cache.iterdir()) == []


def test_the_network_is_used_encrypted_only() -> None:
    assert cola.URL.startswith("https://")
    request, handler = urllib.request.Request(cola.URL), cola._StayEncrypted()
    for target in ("http://example.org/cola.zip", "ftp://example.org/cola.zip"):
        with pytest.raises(urllib.error.URLError, match="not https"):
            handler.redirect_request(request, None, 302, "Found", {}, target)
    followed = handler.redirect_request(request, None, 302, "Found", {}, "https://example.org/cola.zip")
    assert followed is not None and followed.full_url == "https://example.org/cola.zip"


# --- unpacking -----------------------------------------------------------------------------------------------------


def refused(content: bytes, tmp_path: Path, message: str) -> None:
    """The archive is refused with that message, and nothing but itself is there afterwards."""
    archive = tmp_path / "inner" / "bad.zip"
    archive.parent.mkdir()
    archive.write_bytes(content)
    with pytest.raises(BertlineError, match=message):
        cola.unpack(archive, tmp_path / "inner" / "folder")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [archive]
    assert list(archive.parent.iterdir()) == [archive]


@pytest.mark.parametrize(
    "name", ["../out.tsv", "raw/../../out.tsv", "/out.tsv", "..\\out.tsv", "\\out.tsv", "C:\\out.tsv", "C:out.tsv"]
)
def test_members_that_leave_the_folder_are_refused(name: str, tmp_path: Path) -> None:
    refused(zip_bytes({"raw/good.tsv": b"good", name: b"bad"}), tmp_path, "would leave the folder")


def test_links_are_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as zipped:
        link = zipfile.ZipInfo("raw")
        link.create_system, link.external_attr = 3, 0o120777 << 16  # what Unix writes for a symbolic link
        zipped.writestr(link, "/etc")
    refused(stream.getvalue(), tmp_path, "'raw' would leave the folder")


@pytest.mark.parametrize("content", [b"", b"no archive", SMALL[:-30], SMALL[:40] + b"\0\0\0\0\0\0" + SMALL[46:]])
def test_a_broken_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    refused(content, tmp_path, "is not a whole zip archive|cannot be unpacked")


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    content = bytearray(SMALL)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + flags] |= 1
    refused(bytes(content), tmp_path, r"cannot be unpacked \(.* is encrypted")


def test_an_archive_that_declares_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cola, "MAX_UNPACKED_BYTES", 2**20)
    refused(zip_bytes({"a": bytes(2**20), "b": b"1"}), tmp_path, "would unpack to over 1 MiB")


def test_an_archive_that_lies_about_its_sizes_is_cut_off(tmp_path: Path) -> None:
    honest, size = bytearray(zip_bytes({"bomb.tsv": bytes(2**22)})), (2**22).to_bytes(4, "little")
    assert honest.count(size) == 2  # in the local header and in the directory
    refused(bytes(honest).replace(size, (10).to_bytes(4, "little")), tmp_path, "is not a whole zip archive")
