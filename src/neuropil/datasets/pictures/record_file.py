"""Records of bytes in one file, read and written by position, by any number of processes."""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from typing import TYPE_CHECKING, Any, final

import numpy as np
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ENTRY = struct.Struct("<QII")
"""Position, checksum, and number plus one of a record. An unwritten record has zeros."""
MAGIC = b"neuropil records 2\n"
HEADER = struct.Struct("<24sQQ")
"""Magic text, number of records, and number of their bytes."""
START = 64
"""Position of the entries, which the records follow."""
AT_ONCE = 2**19
"""About this number of bytes are written at once; more do not stay in the processor's cache."""


@final
class RecordFile:
    """Records of bytes in one file, each of which may be missing.

    The file begins with an entry for each record. Records are added at the end, many at once:
    the system takes less than half the time that it takes to write each in its own place. A
    record is valid only if its entry has its checksum: one that was being written when the
    process or the machine stopped is missing. Any number of processes may write at once; if two
    write the same record, the bytes of one of them are not used. The file is never mapped into
    memory: the pages of a map count as memory of the process.

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
        ...     records.write([0], [np.array([7, 8, 9], np.uint8)])
        ...     buffers = [np.zeros(3, np.uint8), np.zeros(2, np.uint8)]
        ...     missing = records.read([0, 1], buffers)
        ...     records.close()
        >>> buffers[0].tolist(), missing
        ([7, 8, 9], [1])
    """

    def __init__(self, path: Path, lengths: np.ndarray[Any, Any]) -> None:
        self.path = path
        self.header = HEADER.pack(MAGIC, len(lengths), int(np.sum(lengths, dtype=np.int64)))
        self.first = START + ENTRY.size * len(lengths)
        self.descriptors: tuple[int, int] | None = None
        self.process = 0
        self.writes = True
        self.create()

    def create(self) -> None:
        """Create the file, unless it is there with these records."""
        with contextlib.suppress(OSError):
            with self.path.open("rb") as file:
                if file.read(HEADER.size) == self.header:
                    os.utime(self.path)
                    return
            self.path.unlink()
        # Other processes may do the same, and may have written records already.
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < self.first:
                os.truncate(descriptor, self.first)
            os.pwrite(descriptor, self.header, 0)
        finally:
            os.close(descriptor)

    def file(self) -> tuple[int, int] | None:
        """Return descriptors of the file in this process; None if the file is gone.

        The first reads and writes by position, the second writes at the end.
        """
        if self.process != os.getpid():
            # Not shared with the parent, which may close it.
            self.process = os.getpid()
            try:
                found = os.open(self.path, os.O_RDWR)
                self.descriptors = found, os.open(self.path, os.O_WRONLY | os.O_APPEND)
            except OSError:
                self.descriptors = None
        return self.descriptors

    def read(self, numbers: Sequence[int], into: Sequence[np.ndarray[Any, Any]]) -> list[int]:
        """Read records, and return the places of the missing ones among them.

        Args:
            numbers: Numbers of the records.
            into: A contiguous array of the length of each; undefined if the record is missing.
        """
        found = self.file()
        return [
            place
            for place, (number, array) in enumerate(zip(numbers, into, strict=True))
            if found is None or not read_record(found[0], number, bytes_of(array))
        ]

    def write(self, numbers: Sequence[int], contents: Sequence[np.ndarray[Any, Any]]) -> None:
        """Write records; after a failure, such as a full disk, nothing more is written.

        Args:
            numbers: Numbers of the records.
            contents: A contiguous array of the length of each.
        """
        found = self.file()
        if found is None or not self.writes:
            return
        values = [bytes_of(content) for content in contents]
        step = max(1, AT_ONCE * len(values) // max(1, sum(map(len, values))))
        try:
            for start in range(0, len(values), step):
                part = slice(start, start + step)
                write_records(*found, numbers[part], values[part])
        except OSError:
            self.writes = False

    def close(self) -> None:
        """Close the file in this process."""
        if self.descriptors is not None and self.process == os.getpid():
            for descriptor in self.descriptors:
                os.close(descriptor)
        self.descriptors, self.process = None, 0

    @override
    def __getstate__(self) -> dict[str, Any]:
        """Return the state for another process, which opens the file itself."""
        return self.__dict__ | {"descriptors": None, "process": 0}

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()


def read_record(file: int, number: int, into: memoryview) -> bool:
    """Read a record, and return whether it was there.

    Args:
        file: Descriptor of the file.
        number: Number of the record.
        into: Memory of its length; undefined if the record is missing.
    """
    try:
        entry = os.pread(file, ENTRY.size, START + ENTRY.size * number)
        position, checksum, owner = ENTRY.unpack(entry)
        if owner != number + 1:
            return False
        count = os.preadv(file, [into], position)
    except (OSError, OverflowError, struct.error):
        return False
    return count == len(into) and checksum == zlib.crc32(into)


def write_records(
    file: int, end: int, numbers: Sequence[int], contents: Sequence[memoryview]
) -> None:
    """Write records at the end of the file, and then their entries.

    Args:
        file: Descriptor that writes by position.
        end: Descriptor that writes at the end.
        numbers: Numbers of the records.
        contents: Their bytes.

    Raises:
        OSError: If the disk is full.
    """
    whole = b"".join(contents)
    if os.write(end, whole) < len(whole):
        raise OSError("not all bytes were written")
    # Of this process alone: others have written before or after these bytes, not among them.
    position = os.lseek(end, 0, os.SEEK_CUR) - len(whole)
    for number, content in zip(numbers, contents, strict=True):
        entry = ENTRY.pack(position, zlib.crc32(content), number + 1)
        os.pwrite(file, entry, START + ENTRY.size * number)
        position += len(content)


def bytes_of(array: np.ndarray[Any, Any]) -> memoryview:
    """Return the bytes of a contiguous array, without a copy."""
    return array.reshape(-1).view(np.uint8).data
