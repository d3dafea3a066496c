"""A file with a matrix of templates, mapped into memory to read and shared by processes."""

from __future__ import annotations

import os
import struct
import weakref
import zlib
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from neuropil.core.atomic import lock, unlock
from neuropil.store import StoreError
from neuropil.text import reason, visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

# The first page holds the header; the rows follow.
START = 4096
FIELDS = struct.Struct("<32sqqqq")
CHECK = struct.Struct("<I")
MAGIC = b"neuropil matrix 1\n"
# The product of a chunk with a query is made while the chunk is in the processor's cache.
CHUNK_BYTES, LEAST_ROWS = 2**22, 64


@dataclass(frozen=True)
class Header:
    """The gallery and the generation that a matrix belongs to, and its checksum."""

    gallery: str
    size: int
    generation: int
    rows: int
    checksum: int


@final
class MatrixFile:
    """The templates of a gallery in a file, in chunks of rows.

    A chunk is a structured element with `until`, when each row's consent ends, and `templates`.
    A row of nobody is zero. Rows are written by system calls rather than through the map: a
    full disk is then an error and not a signal.

    Args:
        path: The file; created if it does not exist.
        mode: Its permissions if it is created.

    Raises:
        StoreError: If it cannot be opened.
    """

    def __init__(self, path: Path, mode: int) -> None:
        self.path = path
        with self.named():
            handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), mode)
        self.file = os.fdopen(handle, "r+b", buffering=0)
        weakref.finalize(self, self.file.close)
        self.chunks: NDArray[Any] | None = None

    @contextmanager
    def named(self) -> Iterator[None]:
        """Name the file in an error of the system.

        Raises:
            StoreError: In place of the error.
        """
        try:
            yield
        except OSError as error:
            why = error.strerror or reason(error)
            raise StoreError(f"{visible(self.path)} cannot be used: {why}.") from error

    def close(self) -> None:
        """Close the file, which also ends its lock."""
        self.chunks = None
        self.file.close()

    def lock(self, *, shared: bool) -> None:
        """Wait for a lock: shared to read, or exclusive to write."""
        lock(self.file.fileno(), wait=True, shared=shared)

    def unlock(self) -> None:
        """Release the lock."""
        unlock(self.file.fileno())

    def is_in_place(self) -> bool:
        """Return whether the file at the path is still this one."""
        try:
            return os.path.samestat(os.fstat(self.file.fileno()), self.path.stat())
        except FileNotFoundError:
            return False

    def header(self) -> Header | None:
        """Return the header, None if it is damaged or the file too short for its rows."""
        with self.named():
            self.file.seek(0)
            page = self.file.read(len(MAGIC) + FIELDS.size + CHECK.size)
            length = os.fstat(self.file.fileno()).st_size
        body, check = page[: -CHECK.size], page[-CHECK.size :]
        if not page.startswith(MAGIC) or check != CHECK.pack(zlib.crc32(body)):
            return None
        gallery, *numbers = FIELDS.unpack(body[len(MAGIC) :])
        header = Header(gallery.decode("ascii", "replace"), *numbers)
        return header if length >= end_of_rows(header.size, header.rows) else None

    def write_header(self, header: Header) -> None:
        """Write the header, after the rows that it describes are on the disk."""
        with self.named():
            os.fsync(self.file.fileno())
        gallery, *numbers = astuple(header)
        body = MAGIC + FIELDS.pack(gallery.encode(), *numbers)
        self.write(0, body + CHECK.pack(zlib.crc32(body)))

    def clear(self, header: Header) -> None:
        """Empty the file; it then has the header of a matrix without rows."""
        self.chunks = None
        with self.named():
            self.file.truncate(0)
        self.write(0, bytes(START))
        self.write_header(header)

    def mapped(self, size: int, rows: int) -> NDArray[Any]:
        """Return the chunks with some rows, mapped to read; rows that are missing are added.

        Shape:
            (chunks,), of `chunk_type`

        Args:
            size: Size of the embeddings.
            rows: Number of rows.
        """
        kind, end = chunk_type(size), end_of_rows(size, rows)
        length = max(os.fstat(self.file.fileno()).st_size, START)
        for offset in range(length, end, kind.itemsize):
            self.write(offset, bytes(kind.itemsize))  # a hole might find no room later
        number = (end - START) // kind.itemsize
        if self.chunks is None or (self.chunks.dtype, len(self.chunks)) != (kind, number):
            with self.named():
                self.chunks = (
                    np.memmap(self.file, kind, "r", START, (number,))
                    if number
                    else np.empty(0, kind)
                )
        return self.chunks

    def write_rows(
        self,
        rows: NDArray[np.int64],
        until: NDArray[np.float64],
        templates: NDArray[np.float32],
    ) -> None:
        """Write rows that the file has.

        Args:
            rows: Their numbers, in order.
            until: When each row's consent ends.
            templates: Their templates, of an even size.
        """
        kind = chunk_type(templates.shape[1])
        length = rows_of(kind)
        parts = ((0, until.astype("<f8")), (8 * length, templates.astype("<f4")))
        apart = (np.diff(rows) != 1) | (rows[1:] % length == 0)
        for run in np.split(np.arange(len(rows)), np.flatnonzero(apart) + 1):
            chunk, row = divmod(int(rows[run[0]]), length)
            for start, values in parts:
                part = values[run[0] : run[-1] + 1]
                offset = START + chunk * kind.itemsize + start + row * part[0].nbytes
                self.write(offset, part.tobytes())

    def write(self, offset: int, data: bytes) -> None:
        """Write bytes at an offset."""
        with self.named():
            self.file.seek(offset)
            while data:
                data = data[self.file.write(data) :]


def chunk_type(size: int) -> np.dtype[Any]:
    """Return the type of a chunk for embeddings of a size, which are padded to an even one."""
    width = max(size + size % 2, 2)
    rows = max(CHUNK_BYTES // (4 * width), LEAST_ROWS)
    return np.dtype([("until", "<f8", (rows,)), ("templates", "<f4", (rows, width))])


def rows_of(kind: np.dtype[Any]) -> int:
    """Return the number of rows of a chunk."""
    return kind["until"].shape[0]


def end_of_rows(size: int, rows: int) -> int:
    """Return the length of a file with some rows, in bytes: whole chunks."""
    kind = chunk_type(size)
    return START + -(-rows // rows_of(kind)) * kind.itemsize
