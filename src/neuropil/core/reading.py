"""Reading files: whatever goes wrong becomes one line that names the file."""

from __future__ import annotations

import json
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from neuropil.text import reason, visible

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

# Descriptions of networks and runs are far smaller; what is larger is not one.
LARGEST_JSON = 64 * 2**20


@contextmanager
def reading(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn whatever reading a file raises into one line that begins with the file's name.

    An interruption and a message that names the file already pass as they are.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When it cannot be read.

    Example:
        >>> with reading("table.csv"):
        ...     raise IndexError("list index out of range")
        Traceback (most recent call last):
            ...
        ValueError: table.csv is damaged: list index out of range.
    """
    name = str(path)
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as cause:
        if isinstance(cause, ValueError | OSError) and name in str(cause):
            raise
        raise ValueError(f"{visible(name)} is damaged: {reason(cause)}.") from None


def require_file(path: Path) -> None:
    """Refuse what is not a regular file: a pipe or a device would be waited on for ever.

    Args:
        path: The path.

    Raises:
        FileNotFoundError: When there is nothing.
        ValueError: When it is something else.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kinds = {"a folder": stat.S_ISDIR, "a pipe": stat.S_ISFIFO, "a socket": stat.S_ISSOCK}
        kind = next((word for word, is_kind in kinds.items() if is_kind(mode)), "a device")
        raise ValueError(f"{visible(path)} is {kind}, not a file.")


def read_json(path: Path, newest: int) -> dict[str, Any]:
    """Return the object that a JSON file of ours holds.

    Args:
        path: The file.
        newest: The newest format that can be read, by the number under ``"format"``.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When it is damaged, too large, of a newer format, or not an object.
    """
    require_file(path)
    with reading(path):
        size = path.stat().st_size
        if size > LARGEST_JSON:
            raise ValueError(f"{path} has {size:,} bytes; at most {LARGEST_JSON:,} are read.")
        plain = json.loads(path.read_bytes())
        written = plain.get("format") if isinstance(plain, dict) else None
        if type(written) is not int or written < 1:
            raise ValueError(f"{path} is damaged: it has no format number.")
    if written > newest:
        raise ValueError(
            f"{path} has format {written}, and this version reads up to {newest}: update "
            f"neuropil."
        )
    return plain
