"""Records of bytes in one file, read and written by position, by any number of processes."""

from __future__ import annotations

import contextlib
import os
import struct
from typing import TYPE_CHECKING, Any, final

import numpy as np
from typing_extensions import override

if TYPE_CHECKING:
    from pathlib import Path

TAG = struct.Struct("<II")
"""Checksum of a record, and its number plus one. An unwritten record has zeros."""
MAGIC = b"neuropil records 1\n"
START = 64
"""Position of the tags, which the records follow."""


@final
class RecordFile:
    """Records of bytes in one file, each of which may be missing.

    The file begins with a tag for each record, and a record is valid only if its tag has its
    checksum: one that was being written when the process or the machine stopped is missing. Two
    processes may write the same record at once, if they write the same bytes. The file is never
    mapped into memory: the pages of a map count as memory of the process.

    Args:
        path: The file; created if it is missing or is not one of these records.
        lengths: Length of each record in bytes.

    Raises:
        OSError: If the file cannot be created.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     records = RecordFile(Path(folder, "records"), np.array([3, 2]))
        ...     buffer = np.zeros(3, np.uint8)
        ...     missing = records.read(0, buffer)
        ...     records.write(0, np.array([7, 8, 9], np.uint8))
        ...     found = records.read(0, buffer)
        ...     records.close()
        >>> missing, found, buffer.tolist()
        (False, True, [7, 8, 9])
    """

    def __init__(self, path: Path, lengths: np.ndarray[Any, Any]) -> None:
        self.path = path
        ends = np.cumsum(np.asarray(lengths, np.int64))
        self.starts = np.concatenate([[0], ends]) + START + TAG.size * len(lengths)
        self.descriptor: int | None = None
        self.process = 0
        self.writes = True
        self.create()

    @property
    def total(self) -> int:
        """Size of the complete file in bytes."""
        return int(self.starts[-1])

    def create(self) -> None:
        """Create the file, unless it is there with these records."""
        with contextlib.suppress(OSError):
            if self.path.stat().st_size == self.total:
                with self.path.open("rb") as file:
                    if file.read(len(MAGIC)) == MAGIC:
                        os.utime(self.path)
                        return
            self.path.unlink()
        # A sparse file: space is taken by what is written. Other processes may do the same.
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.truncate(descriptor, self.total)
            os.pwrite(descriptor, MAGIC, 0)
        finally:
            os.close(descriptor)

    def file(self) -> int | None:
        """Return the descriptor of the file in this process; None if the file is gone."""
        if self.process != os.getpid():
            # Not shared with the parent, which may close it.
            self.process = os.getpid()
            try:
                self.descriptor = os.open(self.path, os.O_RDWR)
            except OSError:
                self.descriptor = None
        return self.descriptor

    def read(self, number: int, into: np.ndarray[Any, Any]) -> bool:
        """Read a record, and return whether it was there.

        Args:
            number: Number of the record.
            into: Contiguous array of its length; undefined if the record is missing.
        """
        descriptor = self.file()
        if descriptor is None:
            return False
        content = into.reshape(-1).view(np.uint8)
        try:
            # The tag first: to read what is not written yet would fill the system's cache.
            tag = os.pread(descriptor, TAG.size, START + TAG.size * number)
            checksum, owner = TAG.unpack(tag)
            if owner != number + 1:
                return False
            count = os.preadv(descriptor, [content.data], int(self.starts[number]))
        except (OSError, struct.error):
            return False
        return count == len(content) and checksum == checksum_of(content)

    def write(self, number: int, content: np.ndarray[Any, Any]) -> None:
        """Write a record; after a failure, such as a full disk, nothing more is written.

        Args:
            number: Number of the record.
            content: Contiguous array of its length.
        """
        descriptor = self.file()
        if descriptor is None or not self.writes:
            return
        values = content.reshape(-1).view(np.uint8)
        tag = TAG.pack(checksum_of(values), number + 1)
        try:
            os.pwrite(descriptor, values.data, int(self.starts[number]))
            os.pwrite(descriptor, tag, START + TAG.size * number)
        except OSError:
            self.writes = False

    def close(self) -> None:
        """Close the file in this process."""
        if self.descriptor is not None and self.process == os.getpid():
            os.close(self.descriptor)
        self.descriptor, self.process = None, 0

    @override
    def __getstate__(self) -> dict[str, Any]:
        """Return the state for another process, which opens the file itself."""
        return self.__dict__ | {"descriptor": None, "process": 0}

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()


def checksum_of(content: np.ndarray[Any, Any]) -> int:
    """Return the sum of the bytes as numbers of 64 bits, folded to 32.

    It tells a record from one with pages that were not written, in a quarter of the time of a
    CRC.

    Args:
        content: Bytes.
    """
    whole = len(content) - len(content) % 8
    total = int(content[:whole].view(np.uint64).sum()) + int(content[whole:].sum())
    return (total ^ total >> 32) & 0xFFFFFFFF
