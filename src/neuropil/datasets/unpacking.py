"""Read the bytes of a file, unpacked where its name says that it is packed."""

from __future__ import annotations

import lzma
import zipfile
from typing import TYPE_CHECKING

import pyarrow as pa

from neuropil.datasets.errors import DataError
from neuropil.datasets.paths import listed

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

ARROW_CODECS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4"}
PACKED = (*ARROW_CODECS, ".xz", ".zip")
"""Endings that a packed file adds to its own."""
LEAST_LIMIT, MOST_TIMES = 2**26, 200
"""A packed file may unpack to 64 MiB, or to 200 times its own size: tables stay far below."""


def unpacked_suffix(path: Path) -> str:
    """Return the suffix of a file in lower case, without that of its packing.

    Args:
        path: ``table.csv.gz`` gives ``.csv``.
    """
    suffixes = [suffix.casefold() for suffix in path.suffixes]
    if len(suffixes) > 1 and suffixes[-1] in PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def read_unpacked(path: Path) -> bytes:
    """Return the bytes of a file, unpacked by the ending of its name.

    Args:
        path: The file.

    Raises:
        DataError: If it cannot be read, is damaged, or unpacks to far more than tables do.
    """
    try:
        if not path.is_file():
            raise DataError(f"{path} is not a file.")
        suffix = path.suffix.casefold()
        if suffix not in PACKED:
            return path.read_bytes()
        limit = max(LEAST_LIMIT, MOST_TIMES * path.stat().st_size)
        content = read_packed(path, suffix, limit)
    except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowInvalid) as error:
        strerror = getattr(error, "strerror", None)
        why = f"cannot be read: {strerror}" if strerror else "is damaged or truncated"
        raise DataError(f"{path} {why}.") from None
    if len(content) > limit:
        raise DataError(f"{path} unpacks to more than {limit / 2**20:,.0f} MiB: unpack it.")
    return content


def read_packed(path: Path, suffix: str, limit: int) -> bytes:
    """Return at most one byte more than `limit` of what is packed in a file.

    Raises:
        DataError: If an archive does not hold one file that can be unpacked.
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
                f"{path} must hold one file, got {len(names):,}: {listed(names)}; unpack it."
            )
        try:
            with archive.open(names[0]) as stream:
                return read_up_to(stream, limit)
        except (RuntimeError, NotImplementedError) as error:
            raise DataError(f"{path}: {names[0]!r:.60} cannot be unpacked: {error}.") from None


def read_up_to(stream: IO[bytes], limit: int) -> bytes:
    """Return at most one byte more than `limit` of a stream."""
    pieces: list[bytes] = []
    room = limit + 1
    while room > 0 and (piece := stream.read(min(room, 2**20))):
        pieces.append(piece)
        room -= len(piece)
    return b"".join(pieces)
