"""The published CoLA archive: downloaded once, checked, unpacked into a cache folder."""

import http.client
import os
import shutil
import ssl
import stat
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from bertline.errors import BertlineError, VerificationError
from bertline.files import sha256_of, whole_file, whole_folder

URL = "https://nyu-mll.github.io/CoLA/cola_public_1.1.zip"
SHA256 = "2cf856f46df11c143d38e0cf2f9f34ff2fdb088c521cd859f5c4b9581683278b"
ROWS = {"in_domain_train": 8551, "in_domain_dev": 527, "out_of_domain_dev": 516}
TIMEOUT_SECONDS = 30
MAX_DOWNLOAD_BYTES = 4 * 2**20  # the archive has 0.4 MB
MAX_UNPACKED_BYTES = 64 * 2**20  # of any archive of this layout

Progress = Callable[[int, int | None], None]  # bytes done, bytes in all


def cache_folder() -> Path:
    """Where downloads are kept: $BERTLINE_CACHE, else the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("BERTLINE_CACHE") or Path(base) / "bertline")


def published_cola(progress: Progress) -> Path:
    """The folder of the unpacked archive; downloads it the first time.

    Raises BertlineError where it cannot be fetched, VerificationError where it is not the archive as published.
    """
    folder = cache_folder() / "cola_public_1.1"
    if not folder.is_dir():
        archive = cache_folder() / "cola_public_1.1.zip"
        cache_folder().mkdir(parents=True, exist_ok=True)
        if not archive.is_file():
            _download(URL, archive, progress)
        if sha256_of(archive) != SHA256:
            archive.unlink()
            raise VerificationError(
                f"{URL}: is not the archive as published (sha256 differs); get the corpus yourself and name its folder"
            )
        unpack(archive, folder)
    return folder


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip archive into `folder`; BertlineError for one that is broken, too large or tries to leave it."""
    try:
        with zipfile.ZipFile(archive) as zipped, whole_folder(folder, force=True) as target:
            members = [member for member in zipped.infolist() if not member.is_dir()]
            for member in members:
                _require_inside(archive, member)
            if sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
                raise BertlineError(f"{archive}: would unpack to over {MAX_UNPACKED_BYTES >> 20} MiB; refused")
            for member in members:  # none gives more bytes than it declares: zipfile stops there
                unpacked = target / member.filename
                unpacked.parent.mkdir(parents=True, exist_ok=True)
                with zipped.open(member) as source, unpacked.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise BertlineError(f"{archive}: is not a whole zip archive ({error}); fetch it again") from None
    except (RuntimeError, NotImplementedError) as error:  # how zipfile says encrypted, or an unknown method
        raise BertlineError(
            f"{archive}: cannot be unpacked ({error}); unpack it yourself and name the folder"
        ) from None


def _require_inside(archive: Path, member: zipfile.ZipInfo) -> None:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    leaves = path.is_absolute() or ".." in path.parts or ":" in member.filename
    if leaves or stat.S_ISLNK(member.external_attr >> 16):
        raise BertlineError(f"{archive}: the member {member.filename!r} would leave the folder; refused")


class _StayEncrypted(urllib.request.HTTPRedirectHandler):
    """Follows no redirect from https to anything else."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if req.type == "https" and not newurl.startswith("https://"):
            raise urllib.error.URLError(f"it redirects to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(url: str, archive: Path, progress: Progress) -> None:
    opener = urllib.request.build_opener(_StayEncrypted)
    try:
        with opener.open(url, timeout=TIMEOUT_SECONDS) as response, whole_file(archive, force=True) as copy:
            length, done = response.headers.get("Content-Length"), 0
            size = int(length) if length else None
            while block := response.read(2**16):
                done += len(block)
                if done > MAX_DOWNLOAD_BYTES:
                    raise BertlineError(f"{url}: sends over {MAX_DOWNLOAD_BYTES >> 20} MiB; refused")
                copy.write(block)
                progress(done, size)
            if size is not None and done != size:
                raise urllib.error.URLError(f"it ended after {done:,} of {size:,} bytes")
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
        reason = getattr(error, "reason", error)
        raise BertlineError(
            f"{url}: cannot be fetched ({reason}); "
            "on a machine without network, get the archive elsewhere and give it, or its folder, as CORPUS"
        ) from None
