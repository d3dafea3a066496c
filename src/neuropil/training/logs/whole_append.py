"""Appending to a file so that it never ends in the middle of an entry."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def append_whole(path: Path, data: bytes) -> None:
    """Append bytes to a file, or leave it as it is.

    Args:
        path: The file, which is created if it does not exist.
        data: The bytes, written by one call of the system.

    Raises:
        OSError: If they cannot be written, for example because the disk is full.
    """
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0))
    try:
        size = os.fstat(handle).st_size
        try:
            written = os.write(handle, data)
            while written < len(data):  # a disk that is nearly full takes a part
                written += os.write(handle, data[written:])
        except OSError:
            os.ftruncate(handle, size)
            raise
    finally:
        os.close(handle)
