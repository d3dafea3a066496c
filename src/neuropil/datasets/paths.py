"""Look-up of paths, with suggestions for mistyped names."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from neuropil.core.reading import require_file
from neuropil.datasets.data_errors import DataError, MissingDataError
from neuropil.text import nearest

if TYPE_CHECKING:
    import os


def find_existing(path: str | os.PathLike[str]) -> Path:
    """Return the path of an existing file or folder.

    Args:
        path: Path from the user; ``~`` is the home folder.

    Raises:
        DataError: If the system denies access, or the path is neither a file nor a folder.
        MissingDataError: If nothing exists there; similar names are suggested.
    """
    found = Path(path)
    try:
        found = found.expanduser()
        if not found.exists():
            found = find_spelling(found)
        if found.exists():
            require_file(found, or_folder=True, failure=DataError)
            return found
        dangling = found.is_symlink() and found.readlink()
    except (OSError, RuntimeError) as error:  # an unknown user's home is a RuntimeError
        why = getattr(error, "strerror", None) or error
        raise DataError(f"{found!s:.200} cannot be opened: {why}.") from None
    if dangling:
        raise MissingDataError(f"{found} is a broken link (to {dangling}).")
    folder = found.parent
    if not folder.is_dir():
        raise MissingDataError(f"There is no {found}: the folder {folder} does not exist.")
    near = nearest(found.name, (entry.name for entry in visible_entries(folder)))
    raise MissingDataError(f"There is no {found}.{near}")


def find_spelling(path: Path) -> Path:
    """Return the file whose name has the same composed Unicode form, or the path itself.

    One system writes é as one character, another as e and an accent.

    Args:
        path: A path that does not exist.
    """
    if path.name.isascii() or not path.parent.is_dir():
        return path
    alike = (
        entry
        for entry in path.parent.iterdir()
        if compose_accents(entry.name) == compose_accents(path.name)
    )
    return next(alike, path)


def name_below(root: Path, path: Path) -> str:
    """Return the name of a file: relative to the folder if it is inside."""
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def is_file(path: Path) -> bool:
    """Return whether a path is that of a file; a name that cannot be one is not."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def compose_accents(name: str) -> str:
    """Return a name in composed Unicode form (NFC), in which equal names are equal texts."""
    return unicodedata.normalize("NFC", name)


PACKED = (".gz", ".bz2", ".zst", ".lz4", ".xz", ".zip")
"""Suffixes of compressed files."""


def unpacked_suffix(path: Path) -> str:
    """Return the suffix of a file in lower case, without that of its compression.

    Args:
        path: ``table.csv.gz`` gives ``.csv``.
    """
    suffixes = [suffix.casefold() for suffix in path.suffixes]
    if len(suffixes) > 1 and suffixes[-1] in PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def visible_entries(folder: Path) -> list[Path]:
    """Return the entries of a folder in natural order, without hidden ones.

    Raises:
        DataError: If the folder cannot be read.
    """
    try:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror}.") from None
    return sorted(entries, key=lambda entry: natural_key(entry.name))


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts ``s2`` before ``s10``."""
    parts = [part for part in re.split(r"(\d+)", name) if part]
    # Digits compare by their number first, without conversion: there may be thousands of them.
    digits = (p.lstrip("0") if p.isdecimal() else p.casefold() for p in parts)
    keys = (
        (0, len(text), text) if part.isdecimal() else (1, 0, text)
        for part, text in zip(parts, digits, strict=True)
    )
    return (*keys, (2, 0, name))
