"""Search for the pictures that a label file names."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, final

from neuropil.datasets.paths import is_file
from neuropil.datasets.pictures.class_folders import FolderScan, is_picture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@final
class PictureFinder:
    """Search for pictures by the names in a label file.

    A name is looked up in some folders, and then anywhere below the root if no two pictures
    there have it.

    Args:
        root: The folder of all pictures.
        folders: The folders that names are relative to, the preferred one first.
    """

    def __init__(self, root: Path, folders: Sequence[Path]) -> None:
        self.root = root
        self.folders = list(dict.fromkeys(folders))

    @cached_property
    def by_name(self) -> dict[str, list[Path]]:
        """The pictures below the root by name, with and without the suffix."""
        scan = FolderScan(self.root)
        scan.walk(self.root)
        found: dict[str, list[Path]] = {}
        for file in filter(is_picture, scan.files):
            for name in (file.name, file.stem):
                found.setdefault(name, []).append(file)
        return found

    def find(self, name: str) -> Path | str:
        """Return the picture with a name, or the reason why there is none.

        Args:
            name: Name of the picture, which may contain folders and lack the suffix.
        """
        # Windows writes a\b.png for a/b.png; elsewhere a name may contain the backslash.
        for written in (name, name.replace("\\", "/")):
            for folder in self.folders:
                if is_file(folder / written):
                    return folder / written
        alike = self.by_name.get(re.split(r"[/\\]", name)[-1], [])
        if len(alike) == 1:
            return alike[0]
        return "with a name that several pictures have" if alike else "without a picture"
