"""Find what the user named, or say what is near it."""

from __future__ import annotations

import difflib
import re
import stat
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from neuropil.datasets.errors import DataError, MissingDataError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

NOT_REGULAR = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def existing(path: str | os.PathLike[str]) -> Path:
    """Return the path if there is such a file or folder, or suggest near names.

    Args:
        path: What the user named; ``~`` is the home folder.

    Raises:
        DataError: If the system refuses to look, or it is neither a file nor a folder.
        MissingDataError: If nothing is there.
    """
    found = Path(path)
    try:
        found = found.expanduser()
        if not found.exists():
            found = spelled_alike(found)
        if found.exists():
            require_regular(found)
            return found
        dangling = found.is_symlink() and found.readlink()
    except (OSError, RuntimeError) as error:  # an unknown user's home is a RuntimeError
        why = getattr(error, "strerror", None) or error
        raise DataError(f"{found!s:.200} cannot be opened: {why}.") from None
    if dangling:
        raise MissingDataError(f"{found} is a link that leads nowhere (to {dangling}).")
    folder = found.parent
    if not folder.is_dir():
        raise MissingDataError(f"There is no {found}: the folder {folder} does not exist.")
    raise MissingDataError(
        "There is no "
        f"{found}{did_you_mean(found.name, (entry.name for entry in visible(folder)))}"
    )


def require_regular(path: Path) -> None:
    """Refuse a pipe, a device or a socket, which would be waited for without end.

    Args:
        path: A file or a folder; links are followed.

    Raises:
        DataError: If it is none.
    """
    kind = NOT_REGULAR.get(stat.S_IFMT(path.stat().st_mode))
    if kind is not None:
        raise DataError(f"{path} is {kind}: data are read from files and folders alone.")


def spelled_alike(path: Path) -> Path:
    """Return the file whose name differs only in how accents are written, or the path itself.

    One system writes é as one character, another as e with an accent after it.

    Args:
        path: A path at which nothing is found.
    """
    if path.name.isascii() or not path.parent.is_dir():
        return path
    alike = (
        entry for entry in path.parent.iterdir() if composed(entry.name) == composed(path.name)
    )
    return next(alike, path)


def composed(name: str) -> str:
    """Return a name with accents as parts of their letters: one name however it is written."""
    return unicodedata.normalize("NFC", name)


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
