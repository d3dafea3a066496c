"""The classes of masks, from the values of their pixels and the names in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

from neuropil.datasets.annotations.label_files import label_lines
from neuropil.datasets.data_errors import DataError

BACKGROUND = "background"
FOREGROUND = "foreground"
VOID = 255
"""Value of pixels without a class, where a mask has several other classes."""
NAMES_FILE = "classes.txt"


def name_classes(
    found: Iterable[int], names: Sequence[str] | None
) -> tuple[list[str], list[int]]:
    """Return the name and the value of each class.

    If one value other than 0 is used, it is the only class, beside the background. Otherwise a
    value is a class number, 0 the background, and 255 no class.

    Args:
        found: The values that occur in masks.
        names: Name of each class, if there is a list: of the value 0, 1 and so on.

    Example:
        >>> name_classes({0, 255}, None)
        (['background', 'foreground'], [0, 255])
        >>> name_classes({0, 3, 7, 255}, None)
        (['background', '3', '7'], [0, 3, 7])
        >>> name_classes({0, 2}, ["sky", "road", "car"])
        (['sky', 'road', 'car'], [0, 1, 2])
    """
    shown = sorted(set(found) - {0})
    if len(shown) == 1 and len(names or ()) <= 2:
        own = list(names or [FOREGROUND])
        return own if len(own) == 2 else [BACKGROUND, *own], [0, *shown]
    if names:
        return list(names), list(range(len(names)))
    values = sorted(set(found) - {VOID})
    return [BACKGROUND if value == 0 else str(value) for value in values], values


def listed_names(folder: Path) -> list[str] | None:
    """Return the names in ``classes.txt``, one a line, the first for the value 0; else None.

    Args:
        folder: The folder that may hold the file.

    Raises:
        DataError: If the file cannot be read, or a name is in it twice.
    """
    file = folder / NAMES_FILE
    if not file.is_file():
        return None
    try:
        names = [line.strip() for line in label_lines(file) if line.strip()]
    except DataError as error:
        raise DataError(f"{file} cannot be used: {error}.") from None
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DataError(f"{file} has the class {twice!r} twice.")
    return names or None
