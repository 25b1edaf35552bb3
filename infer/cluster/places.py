"""Files and folders, on this file system or behind a URI such as s3://bucket/folder."""

import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from bertline.errors import BertlineError, UsageError
from bertline.files import whole_file
from bertline.tsv import open_input

_REMOTE_BLOCK = 4 * 2**20  # bytes of one request
_WHOLE_WHEN_CLOSED = ("s3", "gcs", "abfs")  # what is written there appears when it is closed, and folders need not be


class State(NamedTuple):
    """What tells whether a file is still the one it was."""

    size: int  # bytes
    modified: int  # nanoseconds since 1970


class Place(Protocol):
    """A file or a folder that may be there or not. Errors are BertlineErrors that name it."""

    @property
    def name(self) -> str:
        """As errors and reports call it; without what a URI says behind `?`, and without passwords."""

    def __truediv__(self, name: str) -> "Place": ...
    def state(self) -> State | None:
        """Of a file; None where there is none."""

    def is_folder(self) -> bool: ...
    def open(self) -> io.BufferedIOBase:
        """For reading."""

    def random_access(self) -> Any:
        """For pyarrow.parquet: a stream that can seek and tell its size."""

    def read(self) -> bytes:
        """All of it; FileNotFoundError where there is no such file."""

    def write(self, content: bytes) -> None:
        """Whole or not at all, in place of what is there."""

    def take(self, path: Path) -> None:
        """Become what the local file `path` is, whole or not at all; the local file goes."""

    def scratch(self) -> Path:
        """A fresh folder of this machine, from which files can be taken into this one."""

    def names(self) -> list[str]:
        """Of all files and folders right in this folder, sorted; none where it is not there."""

    def make_folder(self) -> None: ...
    def remove(self) -> None:
        """A file, or a folder with all that is in it, if it is there."""


def place_of(text: str) -> Place:
    """What an argument of the command line names; UsageError for a URI that pyarrow cannot read."""
    scheme, found, _ = text.partition("://")
    if not found or not scheme.isalnum():
        return LocalPlace(Path(text).absolute(), text)
    if scheme.lower() == "file":
        return LocalPlace(Path(unquote(urlsplit(text).path)))
    _, path = _filesystem(text)
    return RemotePlace(text, path.rstrip("/"))


@dataclass(frozen=True)
class LocalPlace:
    """On this machine's file system, which other machines may share."""

    path: Path
    told: str = ""  # how the user names it, where that is another path: one that holds in one folder only

    @property
    def name(self) -> str:
        return self.told or str(self.path)

    def __truediv__(self, name: str) -> "LocalPlace":
        return LocalPlace(self.path / name, str(Path(self.told) / name) if self.told else "")

    def state(self) -> State | None:
        if not self.path.is_file():
            return None
        found = self.path.stat()
        return State(found.st_size, found.st_mtime_ns)

    def is_folder(self) -> bool:
        return self.path.is_dir()

    def open(self) -> io.BufferedIOBase:
        return open_input(self.path)

    def random_access(self) -> Any:
        import pyarrow

        open_input(self.path).close()  # an error that names the file
        return pyarrow.OSFile(str(self.path))

    def read(self) -> bytes:
        return self.path.read_bytes()

    def write(self, content: bytes) -> None:
        with whole_file(self.path, force=True) as stream:
            stream.write(content)

    def take(self, path: Path) -> None:
        path.replace(self.path)

    def scratch(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.path))

    def names(self) -> list[str]:
        return sorted(os.listdir(self.path)) if self.path.is_dir() else []  # noqa: PTH208 - names are wanted

    def make_folder(self) -> None:
        self.path.mkdir(exist_ok=True)

    def remove(self) -> None:
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class RemotePlace:
    """Behind a URI that pyarrow understands; `path` is what stands for it in that file system."""

    uri: str  # of this place or of one above it: it tells the file system, with all its options
    path: str

    @property
    def name(self) -> str:
        return f"{self.uri.partition('://')[0]}://{self.path}"

    def __truediv__(self, name: str) -> "RemotePlace":
        return RemotePlace(self.uri, f"{self.path}/{name}")

    def above(self) -> "RemotePlace":
        """The folder that it is in."""
        return RemotePlace(self.uri, self.path.rpartition("/")[0])

    def state(self) -> State | None:
        info = self._info()
        if info is None or not info.is_file:
            return None
        return State(info.size, info.mtime_ns or 0)

    def is_folder(self) -> bool:
        info = self._info()
        return info is not None and not info.is_file

    def open(self) -> io.BufferedIOBase:
        return io.BufferedReader(self.random_access(), _REMOTE_BLOCK)

    def random_access(self) -> Any:
        with self._told("be read"):
            return self._files.open_input_file(self.path)

    def read(self) -> bytes:
        with self._told("be read"), self._files.open_input_file(self.path) as stream:
            content: bytes = stream.readall()
            return content

    def write(self, content: bytes) -> None:
        self._fill(io.BytesIO(content), len(content))

    def take(self, path: Path) -> None:
        with path.open("rb") as stream:
            self._fill(stream, path.stat().st_size)
        path.unlink()

    def scratch(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="bertline-"))

    def names(self) -> list[str]:
        import pyarrow.fs

        selector = pyarrow.fs.FileSelector(self.path, allow_not_found=True)
        with self._told("be listed"):
            return sorted(info.base_name for info in self._files.get_file_info(selector))

    def make_folder(self) -> None:
        if self._files.type_name not in _WHOLE_WHEN_CLOSED:
            with self._told("be made"):
                self._files.create_dir(self.path, recursive=True)

    def remove(self) -> None:
        with self._told("be removed"):
            info = self._info()
            if info is not None and info.is_file:
                self._files.delete_file(self.path)
            elif info is not None:
                self._files.delete_dir(self.path)

    def _fill(self, source: Any, size: int) -> None:
        """Write it under another name first, where what is written can be seen at once."""
        path = self.path if self._files.type_name in _WHOLE_WHEN_CLOSED else f"{self.path}.partial"
        with self._told("be written"):
            stream = self._files.open_output_stream(path)
            shutil.copyfileobj(source, stream, _REMOTE_BLOCK)
            stream.close()
            if path != self.path:
                self._files.move(path, self.path)
            if self._files.get_file_info(self.path).size != size:
                raise OSError("what arrived is not what was sent")

    def _info(self) -> Any:
        """None where there is nothing of that name."""
        import pyarrow.fs

        with self._told("be looked at"):
            info = self._files.get_file_info(self.path)
        return None if info.type == pyarrow.fs.FileType.NotFound else info

    @property
    def _files(self) -> Any:
        return _filesystem(self.uri)[0]

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Errors of the file system as one line."""
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            said = " ".join(str(error).split())[:300]
            raise BertlineError(
                f"{self.name}: cannot {what} ({said}); check the address, and that every machine has its credentials"
            ) from None


@lru_cache
def _filesystem(uri: str) -> tuple[Any, str]:
    """The file system and the path in it."""
    scheme = uri.partition("://")[0]
    try:
        import pyarrow
        import pyarrow.fs
    except ModuleNotFoundError:
        raise BertlineError(f"{scheme}://…: pyarrow is not installed; pip install 'bertline[ray]'") from None
    try:
        files, path = pyarrow.fs.FileSystem.from_uri(uri)
    except (pyarrow.ArrowException, ValueError, OSError) as error:
        said = " ".join(str(error).split())[:200]
        raise UsageError(f"{scheme}://…: pyarrow cannot reach that ({said}); give s3://, gs://, or a path") from None
    return files, path
