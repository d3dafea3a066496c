"""Search for the picture files of each class."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from neuropil.core.reading import unusual_kind
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import compose_accents, visible_entries
from neuropil.datasets.pictures.picture_suffixes import SUFFIXES
from neuropil.text import number_of, some_of

if TYPE_CHECKING:
    from neuropil.datasets.pictures.picture_header import Header


@final
@dataclass(frozen=True)
class LabelledFiles:
    """The pictures of one part with their labels, and notes about their place.

    Args:
        folder: The folder or the table that they come from.
        pictures: Path and label of each.
        notes: Notes for the user.
        located: Whether the labels have a place in the picture, in pixels of the file.
        scanned: Headers of the readable pictures by place, and the errors of the others by
            path; None if no header has been read.
    """

    folder: Path
    pictures: list[tuple[Path, Any]]
    notes: list[str]
    located: bool = False
    scanned: tuple[dict[int, Header], dict[Path, str]] | None = None


@final
@dataclass
class FolderScan:
    """The files below a folder, and the links that were followed or skipped.

    Args:
        root: The folder that names in notes are relative to.
    """

    root: Path
    files: list[Path] = field(default_factory=list)
    followed: list[Path] = field(default_factory=list)
    circles: list[Path] = field(default_factory=list)
    unreadable: dict[Path, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def walk(self, folder: Path) -> None:
        """Collect all files in a folder and its subfolders, without hidden ones.

        Linked folders are followed. No folder is visited twice, nor a link to a folder that
        contains the link.

        Args:
            folder: The folder.
        """
        real = os.path.realpath(folder)
        around = Path(os.path.realpath(folder.parent)).is_relative_to(real)
        if real in self.seen or (folder.is_symlink() and around):
            self.circles.append(folder)
            return
        self.seen.add(real)
        if folder.is_symlink():
            self.followed.append(folder)
        for entry in visible_entries(folder):
            if entry.is_dir():
                self.walk(entry)
            elif entry.is_file():
                self.files.append(entry)
            elif entry.suffix.lower() in SUFFIXES:
                self.unreadable[entry] = entry_kind(entry)

    def notes(self) -> list[str]:
        """Return notes about links that were followed, skipped or are broken."""
        links = {
            "followed": self.followed,
            "skipped, as their folders are read already": self.circles,
        }
        lines = [
            f"{number_of(len(paths), 'linked folder')} {what}: "
            f"{some_of(map(self.name, paths))}."
            for what, paths in links.items()
            if paths
        ]
        if self.unreadable:
            named = some_of(
                f"{self.name(path)}: {why}" for path, why in self.unreadable.items()
            )
            lines.append(f"{number_of(len(self.unreadable), 'picture')} set aside: {named}.")
        return lines

    def name(self, path: Path) -> str:
        """Return the name of a path in a note."""
        return str(path.relative_to(self.root))


def find_files(folder: Path) -> LabelledFiles:
    """Return the pictures below the class folders, in natural order.

    Raises:
        DataError: If there are none.
    """
    entries = visible_entries(folder)
    pictures: list[tuple[Path, str]] = []
    others = [entry for entry in entries if entry.is_file()]
    empty: list[str] = []
    spellings: dict[str, set[str]] = {}
    scan = FolderScan(folder)
    for entry in (entry for entry in entries if entry.is_dir()):
        scan.files, scan.seen = [], set()
        scan.walk(entry)
        found = [file for file in scan.files if is_picture(file)]
        others += [file for file in scan.files if not is_picture(file)]
        label = compose_accents(entry.name)
        spellings.setdefault(label, set()).add(entry.name)
        pictures += [(file, label) for file in found]
        if not found and entry not in scan.circles:
            empty.append(repr(entry.name))
    if not pictures:
        raise DataError(
            f"{folder} {describe_empty(entries, len(others))}. {' '.join(scan.notes())}".strip()
        )
    notes = scan.notes()
    if twice := sorted(label for label, names in spellings.items() if len(names) > 1):
        named = some_of(map(repr, twice))
        notes.append(f"Folders whose names differ only in Unicode form are one class: {named}.")
    if empty:
        notes.append(f"No pictures in the folders {some_of(empty, 5)}: not used as classes.")
    if others:
        named = some_of(map(scan.name, others))
        what = f"{number_of(len(others), 'other file')} in {folder.name} ignored"
        notes.append(f"{what}, without a picture suffix: {named}.")
    return LabelledFiles(folder, pictures, notes)


def describe_empty(entries: list[Path], others: int) -> str:
    """Return the end of the error message for a folder without pictures by class."""
    if loose := sum(map(is_picture, entries)):
        return (
            f"contains {number_of(loose, 'picture')} but no folders: put the pictures of each "
            "class into a folder with the name of the class"
        )
    return (
        f"contains no pictures or tables ({number_of(others, 'other file')})"
        if others
        else "is empty"
    )


def entry_kind(path: Path) -> str:
    """Return the kind of an entry that is not a regular file."""
    try:
        return unusual_kind(path) or "a file"
    except OSError:
        return "a broken link"


def is_picture(path: Path) -> bool:
    """Return whether a file has the suffix of a picture."""
    return path.suffix.lower() in SUFFIXES and path.is_file()
