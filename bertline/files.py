"""Files and folders that appear under their final name only when they are whole."""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from bertline.errors import BertlineError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # disk, quota, or file-size limit


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def partial_of(path: Path) -> Path:
    """Where `path` is written until it is whole."""
    return path.with_name(path.name + ".partial")


def check_output(path: Path, *, force: bool = False) -> None:
    """Refuse a folder to write that could not be written, before any work is done.

    Raises BertlineError: the folder it goes into is missing, or the name is taken (by a finished or an unfinished
    run) and `force` is off; always where something that is neither file nor folder, as a device, has the name.
    """
    if not path.parent.is_dir():
        raise BertlineError(f"{path}: the folder {path.parent} does not exist; create it with mkdir -p {path.parent}")
    if path.exists() and not path.is_file() and not path.is_dir():
        raise BertlineError(f"{path}: is a device or a pipe, which is not replaced; name a file with -o")
    if path.is_dir() and not force and any(path.iterdir()):
        raise BertlineError(f"{path}: the folder exists and is not empty; name another -o, or --force to replace it")
    if not path.is_dir() and os.path.lexists(path) and not force:
        raise BertlineError(f"{path}: the file exists; name another -o, or --force to replace it")
    if os.path.lexists(partial_of(path)) and not force:
        raise _unfinished(path)


def check_output_file(path: Path, *, force: bool = False, inputs: Iterable[Path] = ()) -> None:
    """As `check_output`, for a file; a folder of that name, or one of the `inputs`, is refused in any case."""
    if path.is_dir():
        raise BertlineError(f"{path}: is a folder; name a file with -o")
    for source in inputs:
        for target in (path, partial_of(path)):
            if target.exists() and source.exists() and target.samefile(source):
                raise BertlineError(f"{target}: is an input as well, and would be overwritten; name another -o")
    check_output(path, force=force)


@contextmanager
def whole_file(path: Path, *, force: bool = False, finish: Callable[[Path], None] | None = None) -> Iterator[BinaryIO]:
    """Write beside `path`, flush to disk, then rename; on any error nothing stays behind.

    `finish` is called with the file before it gets its name, and may put another in its place.
    Of two runs that write the same file at once one fails, and what appears is whole. Raises BertlineError as
    `check_output_file` does, and where the disk is full.
    """
    check_output_file(path, force=force)
    partial = partial_of(path)
    if force:
        partial.unlink(missing_ok=True)
    try:
        stream = partial.open("xb")
    except FileExistsError:
        raise _unfinished(path) from None
    identity = os.fstat(stream.fileno())
    try:
        with stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if not _is_still(partial, identity):
            raise BertlineError(f"{path}: another run with --force has taken its place; let that one finish")
        if finish:
            try:
                finish(partial)
            finally:
                identity = partial.stat() if partial.exists() else identity  # what it put there is ours as well
        partial.replace(path)
    except BaseException as error:
        if _is_still(partial, identity):
            partial.unlink()
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise BertlineError(f"{path}: {error.strerror}; nothing was written; free some space first") from None
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


def _unfinished(path: Path) -> BertlineError:
    return BertlineError(
        f"{partial_of(path)}: left by an unfinished run, or one still going; --force to start over and replace it"
    )


def _is_still(path: Path, identity: os.stat_result) -> bool:
    """Whether the name still means the file we opened."""
    return path.exists() and os.path.samestat(path.stat(), identity)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
