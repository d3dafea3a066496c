"""Parallel reading of text tables in UTF-8, in blocks of whole lines."""

from __future__ import annotations

import codecs
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, NamedTuple

import pyarrow as pa

from neuropil.datasets.tables.files.encodings import MARKS, unmarked_utf16

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEAD = 2**22
"""Number of bytes from which the layout of a table is detected."""
BLOCK = 2**22
"""Size of a block in bytes; it ends at the end of a line."""
UTF8 = frozenset(["utf-8", "ascii"])


class Block(NamedTuple):
    """The cells of some lines.

    Attributes:
        cells: What PyArrow read, as text.
        strip: Whether cells may begin or end with spaces.
        protected: Whether cells may be written as ``="007"``.
    """

    cells: pa.Table
    strip: bool
    protected: bool


def utf8_head(file: IO[bytes], encoding: str | None) -> tuple[bytes, str, bool] | None:
    """Return the first bytes of a file, their text, and whether they are all.

    A byte order mark is skipped. A character that is cut is left out of the text.

    Args:
        file: The file at its start.
        encoding: Name of the encoding that the user gave, or None.

    Returns:
        None if they are not in UTF-8.
    """
    head = file.read(HEAD)
    whole = len(head) < HEAD
    other = any(head.startswith(mark) for mark, name in MARKS if name != "utf-8")
    asked = encoding is None or codecs.lookup(encoding).name in UTF8
    if other or b"\0" in head or not asked or unmarked_utf16(head):
        return None
    head = head.removeprefix(codecs.BOM_UTF8)
    try:
        return head, codecs.getincrementaldecoder("utf-8")().decode(head), whole
    except UnicodeDecodeError:
        return None


def read_blocks(
    head: bytes, rest: IO[bytes], read: Callable[[bytes], Block | None]
) -> Block | None:
    """Return the cells of a file, read by as many threads as there are processors.

    The threads are Python's and end before this returns, since those of PyArrow, together with
    torch's, can abort the process at exit.

    Args:
        head: The first bytes of the cells.
        rest: The file after them.
        read: Reads the cells of some lines.

    Returns:
        None if `read` gives None for a block.
    """
    found: list[Block | None] = []
    waiting: deque[Future[Block | None]] = deque()
    threads = min(4, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        for lines in whole_lines(head, rest):
            waiting.append(pool.submit(read, lines))
            if len(waiting) > threads:
                found.append(waiting.popleft().result())
                if found[-1] is None:
                    return None
        found += [future.result() for future in waiting]
    blocks = [block for block in found if block is not None]
    if len(blocks) < len(found) or not blocks:
        return None
    return Block(
        pa.concat_tables([block.cells for block in blocks]),
        any(block.strip for block in blocks),
        any(block.protected for block in blocks),
    )


def whole_lines(head: bytes, rest: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a file in blocks, without the line ends at the end of the file."""
    block = head
    while following := rest.read(BLOCK):
        end = block.rfind(b"\n") + 1
        if end:
            yield block[:end]
        block = block[end:] + following
    if block := block.rstrip(b"\r\n"):
        yield block
