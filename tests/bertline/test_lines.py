"""Lines in blocks: however the stream delivers, and whatever has no line end."""

import io
from typing import Any

import pytest

from bertline.lines import SHOWN_BYTES, LongLine, line_blocks


class Dripping(io.BytesIO):
    """Delivers a few bytes at a time, as a pipe may."""

    def __init__(self, content: bytes, count: int) -> None:
        super().__init__(content)
        self._count = count

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(self._count if size is None or size < 0 else min(size, self._count))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("content", [b"", b"a", b"a\n", b"\n\n", b"ab\ncd\n\nef", b"\r\n"])
def test_blocks_are_whole_lines_and_together_the_stream(content: bytes, count: int) -> None:
    blocks = list(line_blocks(Dripping(content, count), 100))
    assert b"".join(blocks) == content  # type: ignore[arg-type]
    assert all(block.endswith(b"\n") for block in blocks[:-1])  # type: ignore[union-attr]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 100])
def test_a_long_line_stands_alone_and_reading_goes_on_behind_it(count: int) -> None:
    found: list[Any] = list(line_blocks(Dripping(b"ab\n123456\n12345\ncdef\n7654321", count), 5))
    long = [block.head for block in found if isinstance(block, LongLine)]
    assert [b"123456".startswith(head) and len(head) >= 3 for head in long[:1]] == [True]
    assert len(long) == 3  # the end counts: 12345 and its line end are six bytes
    assert b"".join(block for block in found if isinstance(block, bytes)) == b"ab\ncdef\n"
    assert isinstance(found[-1], LongLine)


def test_what_never_ends_is_known_before_it_is_read() -> None:
    class Endless(io.BytesIO):
        taken = 0

        def read1(self, size: int | None = -1, /) -> bytes:
            self.taken += size or 0
            return b"\0" * (size or 0)

    endless = Endless()
    (found, *_) = (block for block in [next(line_blocks(endless, 2**20))])
    assert isinstance(found, LongLine) and len(found.head) == SHOWN_BYTES
    assert endless.taken <= 2 * 2**20
