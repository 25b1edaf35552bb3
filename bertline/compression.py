"""gzip and zstd by a name's ending: streams that decompress as they are read, and pieces that concatenate."""

import gzip
import importlib
import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bertline.errors import BertlineError
from bertline.lines import BLOCK_BYTES

GZIP, ZSTD = ".gz", ".zst"
_ZSTD_MODULES = ("compression.zstd", "backports.zstd")  # of Python 3.14, and the same before


def compression_of(path: Path) -> str:
    """The ending that says how a file is compressed, `.gz` or `.zst`; empty where it is not."""
    ending = path.suffix.lower()
    return ending if ending in (GZIP, ZSTD) else ""


def decompressed(stream: io.BufferedIOBase, name: str, ending: str) -> io.BufferedIOBase:
    """What an archive of any number of members or frames holds, decompressed block by block as it is read.

    Raises BertlineError naming the file: at once where zstd is not installed, and while reading where the archive
    is damaged or ends too early.
    """
    if ending == GZIP:
        archive: io.BufferedIOBase = gzip.GzipFile(fileobj=stream)
        faults: tuple[type[Exception], ...] = (gzip.BadGzipFile, zlib.error)
    else:
        zstd = _zstd(name)
        archive, faults = zstd.ZstdFile(stream), (zstd.ZstdError,)
    return io.BufferedReader(_Archive(archive, faults, name, ending), BLOCK_BYTES)


def compressor(name: str, ending: str) -> Callable[[bytes], bytes]:
    """A function from bytes to one whole gzip member or zstd frame: those of several calls, joined, are an archive.

    The same bytes give the same piece: no time is stored. Raises BertlineError where zstd is not installed.
    """
    if ending == GZIP:
        return lambda content: gzip.compress(content, compresslevel=6, mtime=0)
    zstd = _zstd(name)
    checked = {zstd.CompressionParameter.checksum_flag: 1}  # as the zstd command does; else damage may go unseen
    return lambda content: bytes(zstd.compress(content, options=checked))


class _Archive(io.RawIOBase):
    """An archive being read, its faults as errors that name the file."""

    def __init__(self, archive: io.BufferedIOBase, faults: tuple[type[Exception], ...], name: str, ending: str) -> None:
        self._archive, self._faults, self._name = archive, faults, name
        self._tool = {GZIP: "gzip", ZSTD: "zstd"}[ending]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            content = self._archive.read1(len(buffer))
        except EOFError:
            raise self._error("ends too early") from None
        except self._faults as error:
            raise self._error(f"is damaged, or no {self._tool} archive ({error})") from None
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        if not self.closed:
            self._archive.close()
        super().close()

    def _error(self, fault: str) -> BertlineError:
        return BertlineError(f"{self._name}: {fault}; fetch or make it again, and test it with {self._tool} -t")


def _zstd(name: str) -> Any:
    for module in _ZSTD_MODULES:
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError:
            continue
    raise BertlineError(f"{name}: zstd is not installed; pip install 'bertline[zstd]'")
