"""Find what the user named, or say what is near it."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from neuropil.datasets.errors import DataError, MissingDataError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable


def existing(path: str | os.PathLike[str]) -> Path:
    """Return the path if there is such a file or folder, or suggest near names.

    Args:
        path: What the user named; ``~`` is the home folder.

    Raises:
        DataError: If the system refuses to look.
        MissingDataError: If nothing is there.
    """
    found = Path(path).expanduser()
    try:
        if found.exists():
            return found
    except OSError as error:
        raise DataError(f"{found!s:.200} cannot be opened: {error.strerror}.") from None
    folder = found.parent
    if not folder.is_dir():
        raise MissingDataError(f"There is no {found}: the folder {folder} does not exist.")
    raise MissingDataError(
        "There is no "
        f"{found}{did_you_mean(found.name, (entry.name for entry in visible(folder)))}"
    )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that suggests the nearest known names."""
    near = difflib.get_close_matches(name, sorted(known), n=3)
    return f": did you mean {' or '.join(map(repr, near))}?" if near else "."


def visible(folder: Path) -> list[Path]:
    """Return what a folder holds, without hidden entries, in natural order.

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
    # Digits compare as numbers by their length first; there may be thousands of them.
    digits = (p.lstrip("0") if p.isdecimal() else p.casefold() for p in parts)
    keys = (
        (0, len(text), text) if part.isdecimal() else (1, 0, text)
        for part, text in zip(parts, digits, strict=True)
    )
    return (*keys, (2, 0, name))


def listed(items: Iterable[object], limit: int = 3) -> str:
    """Return ``a, b, c and 4 more``."""
    texts = [shortened(str(item), 150) for item in items]
    if len(texts) <= limit:
        return ", ".join(texts)
    return f"{', '.join(texts[:limit])} and {len(texts) - limit:,} more"


def shortened(text: str, limit: int = 60) -> str:
    """Return a text that may come from a hostile file cut to a length fit for a message."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def counted(number: int, noun: str) -> str:
    """Return ``1 picture`` or ``2,000 pictures``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
