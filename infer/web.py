"""A bundle's page on loopback: its files, the headers that let it use threads, and nothing else."""

import os
import shutil
import sys
from http import HTTPStatus
from http.client import HTTP_PORT
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from urllib.parse import unquote, urlsplit

from bertline.bundle import MANIFEST, Bundle
from bertline.errors import BertlineError

HOST = "127.0.0.1"
PORT = 8765
PAGE = "runtimes/web/"  # in the bundle
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",  # WebAssembly is compiled; text never becomes code
        "worker-src 'self'",
        "connect-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    # These two isolate the page, without which a browser gives WebAssembly no threads.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",  # kept, and asked for again by its ETag
}
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/plain; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
}
_IDLE_SECONDS = 60  # a connection without a request


class PageServer(ThreadingHTTPServer):
    """Serves the files that the manifest lists, at their own paths; `/` leads to the page."""

    daemon_threads = True  # an open connection does not outlive Ctrl-C

    def __init__(self, bundle: Bundle, port: int = 0) -> None:
        """Listen on loopback; port 0 takes a free one.

        Raises BertlineError for a bundle without the page, or a port that is taken; VerificationError for a page whose
        files are not the manifest's. The page checks all other files itself.
        """
        page = sorted(name for name in bundle.manifest.files if name.startswith(PAGE))
        if not page:
            raise BertlineError(
                f"{bundle.path}: holds no page; make it with bertline export MODEL_DIR -o BUNDLE --runtimes web"
            )
        bundle.verify(page)
        self.root = bundle.path
        self.etags = {name: f'"{entry.sha256}"' for name, entry in bundle.manifest.files.items()}
        self.etags[MANIFEST] = f'"{bundle.sha256}"'
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            told = f"port {port} of {HOST} cannot be had ({error.strerror}); name another with --port"
            raise BertlineError(told) from None
        self.names = {f"{name}:{self.server_port}" for name in (HOST, "localhost")}
        if self.server_port == HTTP_PORT:
            self.names |= {HOST, "localhost"}  # browsers leave this port out

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_port}/{PAGE}"

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """A browser that goes away in the middle of a file is no error."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    server_version, sys_version = "bertline", ""
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS

    def do_GET(self) -> None:
        # Another name that was made to lead here (DNS rebinding) would let a foreign page read the bundle.
        if self.headers.get("Host", "").lower() not in self.server.names:
            return self._refuse(HTTPStatus.MISDIRECTED_REQUEST)
        try:
            name = unquote(urlsplit(self.path).path).removeprefix("/")
        except ValueError:  # as of ftp://[
            return self._refuse(HTTPStatus.NOT_FOUND)
        if name in ("", PAGE.rstrip("/")):
            return self._answer(HTTPStatus.FOUND, {"Location": f"/{PAGE}", "Content-Length": "0"})
        name = f"{PAGE}index.html" if name == PAGE else name
        etag = self.server.etags.get(name)
        if etag is None:
            return self._refuse(HTTPStatus.NOT_FOUND)
        if self.headers.get("If-None-Match") == etag:
            return self._answer(HTTPStatus.NOT_MODIFIED, {"ETag": etag})
        self._send_file(self.server.root / name, etag)

    do_HEAD = do_GET  # noqa: N815

    def _send_file(self, path: Path, etag: str) -> None:
        try:
            stream = path.open("rb")
        except OSError:
            return self._refuse(HTTPStatus.NOT_FOUND)
        with stream:
            headers = {"Content-Type": _TYPES.get(path.suffix, "application/octet-stream"), "ETag": etag}
            self._answer(HTTPStatus.OK, headers | {"Content-Length": str(os.fstat(stream.fileno()).st_size)})
            if self.command != "HEAD":
                shutil.copyfileobj(stream, self.wfile, 2**20)

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        text = f"{status.value} {status.phrase}\n".encode()
        headers = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(text))}
        self._answer(status, headers | {"Connection": "close", "Allow": "GET, HEAD"})
        if self.command != "HEAD":
            self.wfile.write(text)

    def _not_allowed(self) -> None:
        self._refuse(HTTPStatus.METHOD_NOT_ALLOWED)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _not_allowed  # noqa: N815

    def _answer(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (HEADERS | headers).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """No line a request."""
