"""Search for the text tables in a folder that name pictures."""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from typing import TYPE_CHECKING

from neuropil.datasets.annotations.picture_finder import PictureFinder
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import PACKED, unpacked_suffix, visible_entries
from neuropil.datasets.pictures.class_folders import is_picture
from neuropil.datasets.tables.files.table_suffixes import TEXT
from neuropil.text import some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

FOLDERS = ("", "images", "JPEGImages")
"""The folders that the names of pictures are relative to."""
TABLES = 50
"""Number of text files in a folder that are tried: others have a label for each picture."""
PEEK, ROWS = 2**16, 20
"""Number of bytes at the start of a table, and of rows, by which it is recognised."""


def tables_in(path: Path, column_of: Callable[[Sequence[str]], str | None]) -> list[Path]:
    """Return the table itself if it names pictures, or the tables in a folder that do.

    Args:
        path: The table or the folder.
        column_of: Function from the header to the column of pictures; None for a table of
            another kind.
    """
    files = [path]
    if path.is_dir():
        files = [file for file in visible_entries(path) if unpacked_suffix(file) in TEXT]
    return [file for file in files[:TABLES] if names_a_picture(file, column_of)]


def only_table(path: Path, column_of: Callable[[Sequence[str]], str | None]) -> Path:
    """Return the table itself, or the one in a folder; the arguments are as of `tables_in`.

    Raises:
        DataError: If the folder holds several tables.
    """
    if not path.is_dir():
        return path
    found = tables_in(path, column_of)
    if len(found) != 1:
        raise DataError(
            f"{path} contains {len(found)} tables of labels: open one of them, such as "
            f"{some_of(map(str, found))}."
        )
    return found[0]


def pictures_beside(path: Path, named: list[Path]) -> list[Path]:
    """Return the pictures that a table names; for a folder, all in the folders of these.

    Args:
        path: The table, or the folder that holds it.
        named: The pictures that the table names.
    """
    folders = dict.fromkeys(picture.parent for picture in named) if path.is_dir() else ()
    inside = [entry for each in folders for entry in visible_entries(each)]
    return list(filter(is_picture, inside)) or named


def names_a_picture(path: Path, column_of: Callable[[Sequence[str]], str | None]) -> bool:
    """Return whether one of the first rows of a text table names an existing picture.

    Args:
        path: The table; compressed files are not read.
        column_of: Function from the header to the column of pictures; None for a table of
            another kind.
    """
    packed = path.suffix.lower() in PACKED
    if packed or unpacked_suffix(path) not in TEXT or not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(PEEK)
    encoding = "utf-16" if start[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig"
    text = start.decode(encoding, errors="replace")
    rows = [
        [cell.strip(' "') for cell in re.split("[,;\t]", line)] for line in text.splitlines()
    ]
    column = column_of(rows[0]) if rows else None
    if column is None:
        return False
    place, finder = rows[0].index(column), finder_for(path)
    return any(
        row[place] and not isinstance(finder.find(row[place]), str)
        for row in rows[1:ROWS]
        if len(row) > place
    )


def finder_for(path: Path) -> PictureFinder:
    """Return the finder of the pictures of a table."""
    return PictureFinder(path.parent, [path.parent / folder for folder in FOLDERS])
