"""The boundary around all readers: whatever goes wrong in a file becomes one clear line."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from neuropil.core.free_memory import format_bytes, require_memory
from neuropil.datasets.errors import DataError
from neuropil.text import reason, visible

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

UNSUSPICIOUS = 2**28
"""Packed data that unpack to less than this many bytes are read however small the file is."""
MOST_REAL_DATA = 200
"""Real data never unpack to more than this many times their size; zeros would to 1,032."""


@contextmanager
def reading(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn whatever a reader raises into one line with the file's name.

    Args:
        path: What is being read.

    Raises:
        DataError: If anything goes wrong inside.
    """
    try:
        with warnings.catch_warnings():
            # NumPy's and Pillow's remarks about odd headers add nothing to the result.
            warnings.simplefilter("ignore")
            yield
    except DataError:
        raise
    except MemoryError as error:
        why = reason(error) if str(error) else "it claims more than fits in memory"
        raise DataError(f"{visible(path)} is too large: {why}.") from None
    except OSError as error:
        why = error.strerror or reason(error)
        raise DataError(f"{visible(path)} cannot be read: {why}.") from None
    except Exception as error:
        raise DataError(f"{visible(path)} is damaged or truncated: {reason(error)}.") from None


def check_unpacked(path: Path, size: int) -> None:
    """Refuse a packed file that unpacks to more than real data can.

    Args:
        path: The packed file.
        size: Bytes that it declares to unpack to.

    Raises:
        DataError: If it claims too much for its own size.
        MemoryError: If there is not that much memory free.
    """
    packed = path.stat().st_size
    if size > max(UNSUSPICIOUS, MOST_REAL_DATA * packed):
        raise DataError(
            f"{path} has {format_bytes(packed)} and claims to unpack to {format_bytes(size)}: "
            f"no data pack more than {MOST_REAL_DATA} to 1. Save it without packing if it is "
            "meant."
        )
    require_memory(size, f"{path.name}, unpacked,")
