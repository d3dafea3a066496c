"""Parts of a data set by the names of its files and folders."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from neuropil.datasets.paths import visible_entries
from neuropil.datasets.pictures.picture_folder import PARTS

if TYPE_CHECKING:
    from pathlib import Path


def part_of(name: str) -> str | None:
    """Return the part that a name tells of, or None.

    Args:
        name: Name of a file or a folder, without a suffix.

    Example:
        >>> (
        ...     part_of("train2017"),
        ...     part_of("instances_val2017"),
        ...     part_of("TEST"),
        ...     part_of("trainval"),
        ... )
        ('train', 'validation', 'test', None)
    """
    words = re.split(r"[\W\d_]+", name.casefold())
    known = {name: part for part, names in PARTS.items() for name in names}
    return next((known[word] for word in words if word in known), None)


def part_folders(path: Path) -> dict[Path, str]:
    """Return the folders in a folder whose names tell of a part, with the part.

    Args:
        path: The folder.
    """
    inside = {entry: part_of(entry.name) for entry in visible_entries(path) if entry.is_dir()}
    return {entry: part for entry, part in inside.items() if part is not None}
