"""The lines of a binary stream, many at a time, with a bound on the length of one."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK_BYTES = 2**18  # large enough that work per block is free, small enough to stay in the processor's cache
SHOWN_BYTES = 1000  # of a line over the bound


@dataclass(frozen=True)
class LongLine:
    """A line over the bound: how it begins. Its rest is skipped when the next block is asked for."""

    head: bytes


def line_blocks(stream: io.BufferedIOBase, longest: int) -> Iterator[bytes | LongLine]:
    """Blocks of whole lines, line ends included; the stream's last line may lack its end.

    A line of more than `longest` bytes, its end included, is a LongLine of its own as soon as that is known.
    Memory holds one block and one line. Where blocks are cut depends on how the stream delivers.
    """
    size = min(BLOCK_BYTES, longest)  # so that only a line over several chunks can be too long
    begun = bytearray()  # a line whose end is still to come
    while chunk := stream.read1(size):
        first_end = chunk.find(b"\n") + 1
        if len(begun) + (first_end or len(chunk)) > longest:
            yield LongLine(bytes(begun + chunk[:SHOWN_BYTES])[:SHOWN_BYTES].partition(b"\n")[0])
            begun.clear()
            while chunk and not first_end:
                chunk = stream.read1(size)
                first_end = chunk.find(b"\n") + 1
            chunk = chunk[first_end:]
        last_end = chunk.rfind(b"\n") + 1
        if last_end:
            begun += chunk[:last_end]
            yield bytes(begun)
            begun.clear()
        begun += chunk[last_end:]
    if begun:
        yield bytes(begun)
