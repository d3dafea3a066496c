"""Helpers for reading files: each error becomes one line that names the file."""

from __future__ import annotations

import json
import stat
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from neuropil.text import reason, visible

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

# Descriptions of networks and runs are far smaller than this.
LARGEST_JSON = 64 * 2**20


@contextmanager
def reading(
    path: str | os.PathLike[str], failure: type[ValueError] = ValueError
) -> Iterator[None]:
    """Convert any error while reading a file to one line that begins with the file's name.

    Interruptions pass unchanged, and so do deliberate errors: those of class `failure`, or, if
    `failure` is ``ValueError``, a missing file and errors that name the file.

    Args:
        path: The file.
        failure: The class of the errors to raise.

    Raises:
        FileNotFoundError: When the file does not exist, unless `failure` is another class.
        ValueError: When it cannot be read.
        ImportError: When a library is missing; the file is not to blame.

    Example:
        >>> with reading("table.csv"):
        ...     raise IndexError("list index out of range")
        Traceback (most recent call last):
            ...
        ValueError: table.csv is damaged: list index out of range.
    """
    try:
        with warnings.catch_warnings():
            # Warnings of NumPy and Pillow about odd headers are irrelevant to the result.
            warnings.simplefilter("ignore")
            yield
    except ImportError:  # a fault of ours or of the installation, not of the file
        raise
    except Exception as cause:
        meant = isinstance(cause, failure)
        if failure is ValueError:
            missing = isinstance(cause, FileNotFoundError)
            meant = missing or (meant and str(path) in str(cause))
        if meant:
            raise
        raise failure(f"{visible(path)} {what_went_wrong(cause)}.") from None


def what_went_wrong(cause: Exception) -> str:
    """Return the message of an error about the file that was being read."""
    if isinstance(cause, MemoryError):
        why = reason(cause) if str(cause) else "it claims more than fits in memory"
        return f"is too large: {why}"
    if isinstance(cause, OSError):
        return f"cannot be read: {cause.strerror or reason(cause)}"
    return f"is damaged: {reason(cause)}"


def require_file(
    path: Path, *, or_folder: bool = False, failure: type[ValueError] = ValueError
) -> None:
    """Raise an error unless a path is a regular file: reading a pipe could block forever.

    Args:
        path: The path; links are followed.
        or_folder: Whether a folder is allowed.
        failure: The class of the error.

    Raises:
        FileNotFoundError: When the path does not exist.
        ValueError: When it is something else.
    """
    kind = unusual_kind(path)
    if kind is not None and not (or_folder and kind == "a folder"):
        raise failure(f"{visible(path)} is {kind}, not a file{' or folder' * or_folder}.")


def unusual_kind(path: Path) -> str | None:
    """Return the kind of a path that is not a regular file, such as "a folder"; else None.

    Raises:
        FileNotFoundError: When the path does not exist.
    """
    mode = path.stat().st_mode
    kinds = {"a folder": stat.S_ISDIR, "a pipe": stat.S_ISFIFO, "a socket": stat.S_ISSOCK}
    if stat.S_ISREG(mode):
        return None
    return next((word for word, is_kind in kinds.items() if is_kind(mode)), "a device")


def read_json(path: Path, newest: int) -> dict[str, Any]:
    """Return the object in a JSON file of this library.

    Args:
        path: The file.
        newest: The newest readable format, compared with the number under ``"format"``.

    Raises:
        FileNotFoundError: When the file does not exist.
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
