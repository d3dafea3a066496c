"""Reader for files that may be compressed."""

from __future__ import annotations

import io
import lzma
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

from neuropil.core.free_memory import format_bytes, require_memory
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import PACKED
from neuropil.text import some_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

ARROW_CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4"}
UNSUSPICIOUS = 2**28
"""Data that unpack to at most this many bytes are read, however small the file is."""
MOST_REAL_DATA = 200
"""Largest compression ratio of real data; zeros reach 1,032."""
LEAST_LIMIT, MOST_TIMES = 2**26, 200
"""A compressed table may unpack to 64 MiB, or to 200 times its size; real ones need less."""


def read_unpacked(path: Path) -> bytes:
    """Return the bytes of a file, decompressed according to its suffix.

    Args:
        path: The file.

    Raises:
        DataError: If it cannot be read, is damaged, or unpacks to more than a plausible size.
    """
    suffix = path.suffix.casefold()
    try:
        if not path.is_file():
            raise DataError(f"{path} is not a file.")
        if suffix not in PACKED:
            return path.read_bytes()
        limit = max(LEAST_LIMIT, MOST_TIMES * path.stat().st_size)
        content = read_packed(path, suffix, limit)
    except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowInvalid) as error:
        strerror = getattr(error, "strerror", None)
        damaged = f"is damaged, or not a {suffix} file"
        why = f"cannot be read: {strerror}" if strerror else damaged
        raise DataError(f"{path} {why}.") from None
    if len(content) > limit:
        raise DataError(
            f"{path} unpacks to more than {limit / 2**20:,.0f} MiB: decompress it first."
        )
    return content


@contextmanager
def open_unpacked(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, decompressed in memory if its suffix says that it is compressed.

    Args:
        path: The file.

    Raises:
        DataError: If it cannot be read, is damaged, or unpacks to more than a plausible size.
    """
    if path.suffix.casefold() in PACKED or not path.is_file():
        yield io.BytesIO(read_unpacked(path))
        return
    with path.open("rb") as file:
        yield file


def read_packed(path: Path, suffix: str, limit: int) -> bytes:
    """Return the decompressed content of a file, at most one byte more than `limit`.

    Raises:
        DataError: If an archive does not hold exactly one file that can be unpacked.
    """
    if suffix in ARROW_CODECS:
        with pa.CompressedInputStream(pa.OSFile(str(path)), ARROW_CODECS[suffix]) as stream:
            return read_up_to(stream, limit)
    if suffix == ".xz":
        with lzma.open(path) as stream:
            return read_up_to(stream, limit)
    with zipfile.ZipFile(path) as archive:
        names = [
            name
            for name in archive.namelist()
            if not name.endswith("/") and not name.startswith("__MACOSX/")
        ]
        if len(names) != 1:
            raise DataError(
                f"{path} must hold one file, got {len(names):,}: {some_of(names)}; unpack it "
                "first."
            )
        try:
            with archive.open(names[0]) as stream:
                return read_up_to(stream, limit)
        except (RuntimeError, NotImplementedError) as error:
            raise DataError(f"{path}: {names[0]!r:.60} cannot be unpacked: {error}.") from None


def read_up_to(stream: IO[bytes], limit: int) -> bytes:
    """Return the content of a stream, at most one byte more than `limit`."""
    pieces: list[bytes] = []
    room = limit + 1
    while room > 0 and (piece := stream.read(min(room, 2**20))):
        pieces.append(piece)
        room -= len(piece)
    return b"".join(pieces)


def check_unpacked(path: Path, size: int) -> None:
    """Refuse a compressed file that declares an implausible unpacked size.

    Args:
        path: The compressed file.
        size: Declared unpacked size in bytes.

    Raises:
        DataError: If the declared size is implausible for the size of the file.
        MemoryError: If there is not enough free memory.
    """
    packed = path.stat().st_size
    if size > max(UNSUSPICIOUS, MOST_REAL_DATA * packed):
        raise DataError(
            f"{path} has {format_bytes(packed)} and claims to unpack to {format_bytes(size)}: "
            f"real data compress at most {MOST_REAL_DATA} to 1. Save it uncompressed if it is "
            "right."
        )
    require_memory(size, f"{path.name}, unpacked,")
