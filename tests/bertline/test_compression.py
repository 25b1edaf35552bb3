"""gzip and zstd streams: whole, in several pieces, damaged, cut off, and with no library."""

import gzip
import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd

from bertline.compression import compression_of, compressor, decompressed
from bertline.errors import BertlineError

CONTENT = bytes(range(256)) * 4000
WHOLE: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstd.compress}
ENDINGS = pytest.mark.parametrize("ending", list(WHOLE))


def read(archive: bytes, ending: str) -> bytes:
    return decompressed(io.BytesIO(archive), f"t.tsv{ending}", ending).read()


def test_the_ending_decides() -> None:
    assert [compression_of(Path(name)) for name in ("a.tsv.gz", "a.ZST", "a.tsv", "gz")] == [".gz", ".zst", "", ""]


@ENDINGS
def test_archives_of_one_and_of_several_pieces(ending: str) -> None:
    assert read(WHOLE[ending](CONTENT), ending) == CONTENT
    assert read(WHOLE[ending](CONTENT[:1000]) + WHOLE[ending](b"") + WHOLE[ending](CONTENT[1000:]), ending) == CONTENT


@ENDINGS
def test_pieces_join_and_are_the_same_each_time(ending: str) -> None:
    compress = compressor("o", ending)
    assert read(compress(b"a") + compress(b"") + compress(CONTENT), ending) == b"a" + CONTENT
    assert compress(CONTENT) == compress(CONTENT)


@ENDINGS
def test_what_is_cut_off_or_damaged_says_so(ending: str) -> None:
    archive = compressor("o", ending)(CONTENT)
    with pytest.raises(BertlineError, match=rf"t\.tsv{ending}: ends too early; fetch or make it again, and test it"):
        read(archive[:-5], ending)
    for damaged in (b"sentence\nno archive\n", archive + b"behind it", archive[:20] + bytes(40) + archive[60:]):
        with pytest.raises(BertlineError, match=rf"t\.tsv{ending}: (is damaged, or no|ends too early)"):
            read(damaged, ending)


@ENDINGS
def test_a_bomb_is_read_bit_by_bit(ending: str) -> None:
    stream = decompressed(io.BytesIO(WHOLE[ending](bytes(300 * 2**20))), "t", ending)
    assert len(stream.read1(2**18)) <= 2**18
    assert len(stream.read(2**20)) == 2**20


def test_without_zstd_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    monkeypatch.setitem(sys.modules, "backports.zstd", None)
    for use in (lambda: decompressed(io.BytesIO(), "t.zst", ".zst"), lambda: compressor("t.zst", ".zst")):
        with pytest.raises(BertlineError, match=r"t\.zst: zstd is not installed; pip install 'bertline\[zstd\]'"):
            use()
