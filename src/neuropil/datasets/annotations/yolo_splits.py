"""Parts of YOLO annotations, as the YAML file with the names of the classes lists them."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, final

from neuropil.datasets.annotations.label_files import label_bytes, label_lines
from neuropil.datasets.annotations.part_names import part_of
from neuropil.datasets.annotations.picture_finder import PictureFinder
from neuropil.datasets.annotations.yolo_class_names import (
    COMMENT,
    ITEM,
    LINE,
    names_files,
    unquoted,
)
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.pictures.class_folders import FolderScan, is_picture
from neuropil.datasets.tables.files.encodings import as_unicode
from neuropil.text import cut, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neuropil.datasets.annotations.label_problems import LabelProblems

KEYS = ("train", "val", "valid", "validation", "test")
ENTRY = re.compile(rf"(path|nc|{'|'.join(KEYS)})\s*:")
LACKING = "without a file or folder: not used"


class Listed(NamedTuple):
    """A picture that is listed, and its part.

    Attributes:
        picture: The picture.
        part: Its part; None if all are for training, and folders may tell more.
    """

    picture: Path
    part: str | None


@final
class SplitFile:
    """The YAML file with the names of the classes, as far as it is about the parts.

    Args:
        folder: The folder that may hold it.

    Attributes:
        file: The file, or None.
        values: The values of its entries.
        bases: The folders that its paths may be relative to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = yaml_file(folder)
        self.values = {} if self.file is None else read_values(self.file)
        self.bases = [*(folder / own for own in self.values.get("path", [])[:1]), folder]

    def find_listed(self, problems: LabelProblems) -> dict[Path, Listed]:
        """Return the pictures under ``train:``, ``val:`` and ``test:``, by key.

        Each of them is a folder, a text file with a picture on each line, or a list of both.
        They are relative to ``path:``, or to the file. Nothing is listed if no training picture
        is.

        Args:
            problems: Gains the paths and pictures that do not exist or are listed twice.
        """
        if self.file is None:
            return {}
        finder = PictureFinder(self.folder, self.bases)
        found: dict[Path, Listed] = {}
        for key, value, place in self.places():
            if place is None:
                problems.add("path", LACKING, self.file, f"{key}: {cut(value)}")
                continue
            part = part_of(key)
            for picture in pictures_in(place, finder, problems):
                known = found.setdefault(file_key(picture), Listed(picture, part))
                if known.part != part:
                    what = "of several parts: used for the first one"
                    problems.add("picture", what, picture)
        used = {listed.part for listed in found.values()}
        if used == {"train"}:
            return {key: Listed(listed.picture, None) for key, listed in found.items()}
        return found if "train" in used else {}

    def find_lists(self) -> set[Path]:
        """Return the keys of the lists of pictures that the file names."""
        places = (place for _, _, place in self.places())
        return {file_key(place) for place in places if place is not None and place.is_file()}

    def places(self) -> Iterator[tuple[str, str, Path | None]]:
        """Yield the entry, the value, and the file or folder, or None, of each part."""
        for key in KEYS:
            for value in self.values.get(key, []):
                yield key, value, existing(value, self.bases)

    def count_note(self, names: list[str] | None) -> list[str]:
        """Return a note if the file states another number of classes than it names.

        Args:
            names: The names of the classes.
        """
        stated = self.values.get("nc", [])
        if self.file is None or names is None or not stated or stated == [str(len(names))]:
            return []
        named = f"names {number_of(len(names), 'class')}: the names are used."
        return [f"{self.file.name} states nc: {cut(stated[0])}, but {named}"]


def file_key(file: Path) -> Path:
    """Return the key of a file, which is the same for all ways to write its path."""
    return real_folder(file.parent) / file.name


@lru_cache(maxsize=64)
def real_folder(folder: Path) -> Path:
    """Return a folder without links; it takes long for each of a million pictures."""
    return folder.resolve()


def yaml_file(folder: Path) -> Path | None:
    """Return the YAML file with the names of the classes in a folder, or None."""
    files = (file for file in names_files(folder) if file.suffix.lower() in (".yaml", ".yml"))
    return next(files, None)


def read_values(file: Path) -> dict[str, list[str]]:
    """Return the values of the entries about parts in a YAML file.

    Args:
        file: The file.
    """
    lines = (as_unicode(label_bytes(file), file) or "").removeprefix("\ufeff").splitlines()
    return {
        found[1]: [value for value in values_at(lines, start) if value not in ("", "~", "null")]
        for start, line in enumerate(lines)
        if (found := ENTRY.match(line))
    }


def values_at(lines: list[str], start: int) -> list[str]:
    """Return the value of an entry, or those of a list in brackets or over several lines.

    Args:
        lines: All lines.
        start: Place of the line of the entry.
    """
    rest = COMMENT.sub("", lines[start].partition(":")[2]).strip()
    following = (COMMENT.sub("", line).strip() for line in lines[start + 1 :])
    if rest.startswith("["):
        while "]" not in rest and (line := next(following, None)) is not None:
            rest += line
        return [unquoted(found["name"]) for found in ITEM.finditer(rest[1:].partition("]")[0])]
    if rest:
        return [unquoted(rest)]
    values = []
    for line in filter(None, following):
        found = LINE.fullmatch(line)
        if not found or not line.startswith("-"):
            break
        values.append(unquoted(found["name"]))
    return values


def existing(value: str, bases: list[Path]) -> Path | None:
    """Return the file or folder that a value names, or None.

    Args:
        value: The value. Some tools write ``../train`` for a folder beside the file.
        bases: The folders that it may be relative to.
    """
    written = value.replace("\\", "/")
    names = (value, written, re.sub(r"^(?:\.\./)+", "", written))
    tried = (base / name for name in names for base in bases)
    for path in tried:
        with suppress(OSError, ValueError):  # the name may be too long, or not be one
            if path.exists():
                return path
    return None


def pictures_in(place: Path, finder: PictureFinder, problems: LabelProblems) -> Iterator[Path]:
    """Yield the pictures in a folder, or of a list.

    Args:
        place: The folder, or the file with a picture on each line.
        finder: Finds the pictures of a list.
        problems: Gains what is wrong in a list.
    """
    if place.is_dir():
        scan = FolderScan(place)
        scan.walk(place)
        yield from filter(is_picture, scan.files)
        return
    own = PictureFinder(finder.root, [place.parent, *finder.folders])
    seen: set[Path] = set()
    try:
        lines = label_lines(place)
    except DataError as error:
        problems.add("list of pictures", "refused", place, str(error))
        return
    for number, line in enumerate(lines, 1):
        name = line.strip()
        found = own.find(name) if name else None
        if isinstance(found, str):
            problems.add("name", f"in a list {found}: not used", place, f"line {number}")
        elif found is not None and file_key(found) in seen:
            problems.add("name", "twice in a list: used once", place, f"line {number}")
        elif found is not None:
            seen.add(file_key(found))
            yield found
