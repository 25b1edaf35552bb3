"""Files and folders that appear under their final name only when they are whole."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from bertline.errors import BertlineError


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def partial_of(path: Path) -> Path:
    """Where `path` is written until it is whole."""
    return path.with_name(path.name + ".partial")


def check_output(path: Path, *, force: bool = False) -> None:
    """Refuse an output that could not be written, before any work is done.

    Raises BertlineError: the folder is missing, or the name is taken (by a finished or an unfinished run) and
    `force` is off.
    """
    if not path.parent.is_dir():
        raise BertlineError(f"{path}: the folder {path.parent} does not exist; create it with mkdir -p {path.parent}")
    if path.is_dir() and not force and any(path.iterdir()):
        raise BertlineError(f"{path}: the folder exists and is not empty; name another -o, or --force to replace it")
    if path.exists() and not path.is_dir() and not force:
        raise BertlineError(f"{path}: the file exists; name another -o, or --force to replace it")
    if partial_of(path).exists() and not force:
        raise BertlineError(f"{partial_of(path)}: left by an unfinished run, or one still going; --force to replace it")


@contextmanager
def whole_file(path: Path, *, force: bool = False) -> Iterator[BinaryIO]:
    """Write beside `path`, flush to disk, then rename; on any error nothing stays behind.

    Raises BertlineError as `check_output` does, and where `path` is a folder.
    """
    check_output(path, force=force)
    if path.is_dir():
        raise BertlineError(f"{path}: is a folder; name a file with -o")
    partial = partial_of(path)
    try:
        with partial.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_whole(path: Path, text: str) -> None:
    """Replace the file `path` by `text` (UTF-8), whole or not at all."""
    with whole_file(path, force=True) as stream:
        stream.write(text.encode())


def publish_folder(partial: Path, path: Path) -> None:
    """Give a finished folder its name; what stood there before goes only once the new one is in place."""
    old = path.with_name(path.name + ".replaced")
    _remove(old)
    if path.exists():
        path.rename(old)
    partial.rename(path)
    _remove(old)


@contextmanager
def whole_folder(path: Path, *, force: bool = False) -> Iterator[Path]:
    """Yield an empty folder beside `path`; it becomes `path` when the block ends well, else it is removed."""
    check_output(path, force=force)
    partial = partial_of(path)
    _remove(partial)
    partial.mkdir()
    try:
        yield partial
        publish_folder(partial, path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
