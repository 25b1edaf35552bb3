"""A bundle with its page, and a server of it that a test can stop."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR, socket
from threading import Thread
from typing import Any

from bertline.bundle import MANIFEST, Bundle, FileEntry
from export.consumers import CONSUMERS, add_consumers
from infer.web import PAGE, PageServer


def write_page(bundle: Path, output: Path) -> Path:
    """A copy of a bundle with the consumer `web`, as an export would write it."""
    shutil.copytree(bundle, output)
    opened = Bundle.open(output)
    restate(output, add_consumers(output, opened.manifest, [CONSUMERS["web"]]))
    return output


def restate(bundle: Path, entries: dict[str, FileEntry]) -> None:
    """Make the manifest list these files as they are."""
    manifest = Bundle.open(bundle).manifest
    (bundle / MANIFEST).write_text(replace(manifest, files=manifest.files | entries).to_json(), encoding="utf-8")


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[int]:
    """Serve meanwhile; the port. Afterwards nobody answers, on the connections that a browser keeps neither."""
    connections = []
    accept = server.get_request

    def get_request() -> tuple[socket, Any]:
        connection, client = accept()
        connections.append(connection)
        return connection, client

    server.get_request = get_request  # type: ignore[method-assign]
    with server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
            for connection in connections:
                with suppress(OSError):  # closed by the browser, or by its request
                    connection.shutdown(SHUT_RDWR)


@contextmanager
def served(bundle: Path, port: int = 0) -> Iterator[str]:
    """The page's address, as `bertline web` serves it."""
    server = PageServer(Bundle.open(bundle), port)
    with running(server):
        yield server.address


@contextmanager
def served_plainly(folder: Path) -> Iterator[str]:
    """The page's address on a server that sends no headers of its own."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with running(ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))) as port:
        yield f"http://127.0.0.1:{port}/{PAGE}"
