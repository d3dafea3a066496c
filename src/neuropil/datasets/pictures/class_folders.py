"""Find the picture files of each class, whatever lies among them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from neuropil.core.reading import unusual_kind
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import compose_accents, visible
from neuropil.datasets.pictures.picture_suffixes import SUFFIXES
from neuropil.text import number_of, some_of


@final
@dataclass(frozen=True)
class Files:
    """The pictures of one part by class, and what a person should know of the folder."""

    folder: Path
    pictures: list[tuple[Path, str]]
    notes: list[str]


@final
@dataclass
class Finds:
    """What lies below a folder: files, and the links that were followed or left out.

    Args:
        root: The folder that names are given from.
    """

    root: Path
    files: list[Path] = field(default_factory=list)
    followed: list[Path] = field(default_factory=list)
    circles: list[Path] = field(default_factory=list)
    unreadable: dict[Path, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def walk(self, folder: Path) -> None:
        """Collect all files in a folder and its folders, hidden ones left out.

        Linked folders are followed, but none is entered twice, nor one that the link lies in.

        Args:
            folder: Where to look.
        """
        real = os.path.realpath(folder)
        around = Path(os.path.realpath(folder.parent)).is_relative_to(real)
        if real in self.seen or (folder.is_symlink() and around):
            self.circles.append(folder)
            return
        self.seen.add(real)
        if folder.is_symlink():
            self.followed.append(folder)
        for entry in visible(folder):
            if entry.is_dir():
                self.walk(entry)
            elif entry.is_file():
                self.files.append(entry)
            elif entry.suffix.lower() in SUFFIXES:
                self.unreadable[entry] = what_else(entry)

    def notes(self) -> list[str]:
        """Return a line for the links that were followed, left out or lead nowhere."""
        said = [
            (self.followed, "linked folder", "followed"),
            (
                self.circles,
                "linked folder",
                "left out, which lead back to folders that are read anyway",
            ),
        ]
        lines = [
            f"{number_of(len(paths), noun)} {what}: {some_of(map(self.name, paths))}."
            for paths, noun, what in said
            if paths
        ]
        if self.unreadable:
            named = some_of(
                f"{self.name(path)}: {why}" for path, why in self.unreadable.items()
            )
            lines.append(f"{number_of(len(self.unreadable), 'picture')} set aside: {named}.")
        return lines

    def name(self, path: Path) -> str:
        """Return what a path is called in a note."""
        return str(path.relative_to(self.root))


def find_files(folder: Path) -> Files:
    """Return the pictures below the class folders, in natural order.

    Raises:
        DataError: If there are none.
    """
    entries = visible(folder)
    pictures: list[tuple[Path, str]] = []
    others = [entry for entry in entries if entry.is_file()]
    empty: list[str] = []
    spellings: dict[str, set[str]] = {}
    finds = Finds(folder)
    for entry in (entry for entry in entries if entry.is_dir()):
        finds.files, finds.seen = [], set()
        finds.walk(entry)
        found = [file for file in finds.files if is_picture(file)]
        others += [file for file in finds.files if not is_picture(file)]
        label = compose_accents(entry.name)
        spellings.setdefault(label, set()).add(entry.name)
        pictures += [(file, label) for file in found]
        if not found and entry not in finds.circles:
            empty.append(repr(entry.name))
    if not pictures:
        raise DataError(
            f"{folder} {nothing_found(entries, len(others))}. {' '.join(finds.notes())}".strip()
        )
    notes = finds.notes()
    if twice := sorted(label for label, names in spellings.items() if len(names) > 1):
        named = some_of(map(repr, twice))
        notes.append(
            f"Folders that differ only in how accents are written are one class: {named}."
        )
    if empty:
        notes.append(f"No pictures in the folders {some_of(empty, 5)}: they are not classes.")
    if others:
        named = some_of(map(finds.name, others))
        what = f"{number_of(len(others), 'other file')} in {folder.name} ignored"
        notes.append(f"{what}, not named as pictures: {named}.")
    return Files(folder, pictures, notes)


def nothing_found(entries: list[Path], others: int) -> str:
    """Return the end of a sentence about a folder without pictures by class."""
    if loose := sum(map(is_picture, entries)):
        return (
            f"holds {number_of(loose, 'picture')} but no folders: put the pictures of each "
            "class into a folder with the name of the class"
        )
    return (
        f"holds no pictures or tables ({number_of(others, 'other file')})"
        if others
        else "is empty"
    )


def what_else(path: Path) -> str:
    """Return what stands in place of a file."""
    try:
        return unusual_kind(path) or "a file"
    except OSError:
        return "a link that leads nowhere"


def is_picture(path: Path) -> bool:
    """Tell by its name whether a file should be a picture."""
    return path.suffix.lower() in SUFFIXES and path.is_file()
