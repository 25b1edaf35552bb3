"""The published CoLA archive: downloaded once, checked, unpacked into a cache folder."""

import os
import shutil
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

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


def published_cola(progress: Progress, url: str = URL) -> Path:
    """The folder of the unpacked archive; downloads it the first time.

    Raises BertlineError where it cannot be fetched, VerificationError where it is not the archive as published.
    """
    folder = cache_folder() / "cola_public_1.1"
    if not folder.is_dir():
        archive = cache_folder() / "cola_public_1.1.zip"
        cache_folder().mkdir(parents=True, exist_ok=True)
        if not archive.is_file():
            _download(url, archive, progress)
        if sha256_of(archive) != SHA256:
            archive.unlink()
            raise VerificationError(
                f"{url}: is not the archive as published (sha256 differs); get the corpus yourself and name its folder"
            )
        unpack(archive, folder)
    return folder


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip archive into `folder`; BertlineError for one that is broken, too large or tries to leave it."""
    try:
        with zipfile.ZipFile(archive) as zipped, whole_folder(folder, force=True) as target:
            members = [member for member in zipped.infolist() if not member.is_dir()]
            for member in members:
                path = PurePosixPath(member.filename.replace("\\", "/"))
                if path.is_absolute() or ".." in path.parts or ":" in member.filename:
                    raise BertlineError(f"{archive}: the member {member.filename!r} would leave the folder; refused")
            if sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
                raise BertlineError(f"{archive}: would unpack to over {MAX_UNPACKED_BYTES >> 20} MiB; refused")
            for member in members:
                unpacked = target / member.filename
                unpacked.parent.mkdir(parents=True, exist_ok=True)
                with zipped.open(member) as source, unpacked.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
    except zipfile.BadZipFile as error:
        raise BertlineError(f"{archive}: is not a whole zip archive ({error}); fetch it again") from None


def _download(url: str, archive: Path, progress: Progress) -> None:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response, whole_file(archive, force=True) as copy:
            size, done = response.headers.get("Content-Length"), 0
            while block := response.read(2**16):
                done += len(block)
                if done > MAX_DOWNLOAD_BYTES:
                    raise BertlineError(f"{url}: sends over {MAX_DOWNLOAD_BYTES >> 20} MiB; refused")
                copy.write(block)
                progress(done, int(size) if size else None)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise BertlineError(
            f"{url}: cannot be fetched ({reason}); "
            "on a machine without network, get the archive elsewhere and give it, or its folder, as CORPUS"
        ) from None
