"""Reader for tables of boxes: a row for each, with the picture, the class and the corners."""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path
from typing import TYPE_CHECKING

from neuropil.datasets.annotations.annotated_pictures import AnnotatedPictures, Annotations
from neuropil.datasets.annotations.label_problems import LabelProblems
from neuropil.datasets.annotations.picture_finder import PictureFinder
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import PACKED, compose_accents, unpacked_suffix
from neuropil.datasets.tables.cells import as_number
from neuropil.datasets.tables.files.table_file import read_table
from neuropil.datasets.tables.files.table_suffixes import TEXT
from neuropil.text import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CORNERS = (
    ("xmin", "ymin", "xmax", "ymax"),
    ("x1", "y1", "x2", "y2"),
    ("left", "top", "right", "bottom"),
)
PICTURE = ("image", "picture", "file", "filename", "file_name", "image_path", "path")
CLASS = ("class", "label", "name", "category", "class_name")
FOLDERS = ("", "images", "JPEGImages")
"""The folders that the names of pictures are relative to."""
PEEK, ROWS = 2**16, 20
"""Number of bytes at the start of a table, and of rows, by which it is recognised."""


def recognise(path: Path) -> str | None:
    """Return ``"a table of boxes"`` for a text table with the columns of boxes, else None.

    One of the first rows must name a picture.
    """
    found = names_a_picture(path, lambda header: (columns_of(header) or [None])[0])
    return "a table of boxes" if found else None


def names_a_picture(path: Path, column_of: Callable[[Sequence[str]], str | None]) -> bool:
    """Return whether one of the first rows of a text table names an existing picture.

    Args:
        path: The table; compressed files are not read.
        column_of: Function from the header to the column of pictures; None for a table of
            another kind.
    """
    if path.is_dir() or path.suffix.lower() in PACKED or unpacked_suffix(path) not in TEXT:
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


def read_boxes(path: Path) -> Annotations:
    """Return the annotations of a table.

    A row without a class and corners names a picture of nothing.

    Args:
        path: The table.

    Raises:
        DataError: If a column is missing.
    """
    notes: list[str] = []
    table = read_table(path, notes)
    columns = columns_of(table.names)
    if columns is None:
        raise DataError(f"{path} has no columns for a picture, a class and four corners.")
    cells = [table.text(name).to_pylist() for name in columns]
    problems, finder = LabelProblems(path.parent), finder_for(path)
    part = AnnotatedPictures(unit="row")
    owners: dict[str, int] = {}
    names: dict[str, int] = {}
    for place, name, label, *corners in zip(table.rows, *cells, strict=True):
        if name not in owners:
            found = finder.find(name) if name else "without a picture"
            missing = isinstance(found, str)
            owners[name] = -1 if missing else part.add_picture(Path(found), path)
            if missing:
                problems.add("name", f"{found}: not used", path, f"row {place}: {cut(name)}")
        if owners[name] < 0 or not any((label, *corners)):
            continue
        if not label:
            problems.add("row", "without a class: not used", path, f"row {place}")
            continue
        number = names.setdefault(compose_accents(label), len(names))
        part.add_box(owners[name], list(map(as_number, corners)), number, place)
    return Annotations(
        path.parent, list(names), {"train": part}, problems, listed=False, notes=notes
    )


def list_pictures(path: Path) -> list[Path]:
    """Return the pictures of a table, without their boxes."""
    return read_boxes(path).parts["train"].pictures


def columns_of(header: Sequence[str]) -> list[str] | None:
    """Return the names of the columns of picture, class and corners; None if one is missing.

    Args:
        header: The names of all columns.
    """
    known = {name.casefold(): name for name in header}
    corners = next((each for each in CORNERS if known.keys() >= set(each)), None)
    picture = next((name for name in PICTURE if name in known), None)
    label = next((name for name in CLASS if name in known), None)
    if corners is None or picture is None or label is None:
        return None
    return [known[name] for name in (picture, label, *corners)]


def finder_for(path: Path) -> PictureFinder:
    """Return the finder of the pictures of a table."""
    return PictureFinder(path.parent, [path.parent / folder for folder in FOLDERS])
