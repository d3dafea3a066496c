"""Reader for tables of boxes: a row for each, with the picture, the class and the corners."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from neuropil.datasets.annotations.annotated_pictures import AnnotatedPictures, Annotations
from neuropil.datasets.annotations.box_checks import LARGEST_PART
from neuropil.datasets.annotations.label_problems import LabelProblems
from neuropil.datasets.annotations.part_names import part_of
from neuropil.datasets.annotations.table_search import (
    finder_for,
    only_table,
    pictures_beside,
    tables_in,
)
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import compose_accents
from neuropil.datasets.tables.cells import as_number
from neuropil.datasets.tables.files.table_file import read_table
from neuropil.text import cut

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from neuropil.datasets.tables.table import Table

CORNERS = (
    ("xmin", "ymin", "xmax", "ymax"),
    ("x1", "y1", "x2", "y2"),
    ("left", "top", "right", "bottom"),
)
SIZE = ("width", "height")
"""The last two columns of boxes that are a corner and a size; alone they are the picture's."""
PICTURE = ("image", "picture", "file", "filename", "file_name", "image_path", "path",
           "image_id", "imageid")  # fmt: skip
CLASS = ("class", "label", "name", "category", "class_name", "label_name", "labelname")
PART = ("split", "subset", "set")


def recognise(path: Path) -> str | None:
    """Return ``"a table of boxes"`` for a text table with the columns of boxes, else None.

    One of the first rows must name a picture. A folder may hold the table and the pictures.
    """
    return "a table of boxes" if tables_in(path, picture_column) else None


def picture_column(header: Sequence[str]) -> str | None:
    """Return the column of pictures of a table of boxes; None for another table."""
    return (columns_of(header) or [None])[0]


def read_boxes(path: Path) -> Annotations:
    """Return the annotations of a table.

    A row without a class and corners names a picture of nothing. A column ``split``, ``subset``
    or ``set`` divides the pictures if it contains parts such as ``train`` and ``val``.

    Coordinates are pixels, or parts of the picture's size if all of them are small.

    Args:
        path: The table, or a folder that holds it.

    Raises:
        DataError: If a column is missing, or a folder holds several tables.
    """
    path = only_table(path, picture_column)
    notes: list[str] = []
    table = read_table(path, notes)
    columns = columns_of(table.names)
    if columns is None:
        raise DataError(f"{path} has no columns for a picture, a class and four corners.")
    sized = columns[-1].casefold() == SIZE[-1]
    cells = [table.text(name).to_pylist() for name in columns]
    reader = BoxTableReader(path)
    for place, part, *row in zip(table.rows, part_of_each_row(table), *cells, strict=True):
        reader.read_row(place, part, row, sized=sized)
    if reader.all_relative():
        notes.append("All coordinates are about 0 to 1: taken as parts of the picture's size.")
        for found in reader.parts.values():
            found.relative = True
    names = list(reader.names)
    return Annotations(
        path.parent, names, reader.parts, reader.problems, listed=False, notes=notes
    )


@final
class BoxTableReader:
    """Reader of the rows of a table.

    Args:
        path: The table.

    Attributes:
        owners: Part and number of each picture by its name; the number −1 if it is not found.
        names: Number of each class.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems = LabelProblems(path.parent)
        self.finder = finder_for(path)
        self.parts: dict[str, AnnotatedPictures] = {}
        self.owners: dict[str, tuple[str, int]] = {}
        self.names: dict[str, int] = {}

    def read_row(
        self, place: int, part: str | None, row: Sequence[str], *, sized: bool
    ) -> None:
        """Add the picture and the box of a row.

        Args:
            place: Number of the row.
            part: The part that it is for, or None.
            row: The picture, the class and the corners.
            sized: Whether a width and a height are in the place of the second corner.
        """
        name, label, *corners = row
        if part is None:
            self.add("row", "without a part of the data: not used", place)
            return
        if name not in self.owners:
            self.owners[name] = part, self.add_picture(name, place, part)
        first, owner = self.owners[name]
        if owner < 0 or not any((label, *corners)):
            return
        if not label:
            self.add("row", "without a class: not used", place)
            return
        if first != part:
            what = "of another part than its picture: the part of the first row is used"
            self.add("row", what, place)
        number = self.names.setdefault(compose_accents(label), len(self.names))
        x, y, *last = map(as_number, corners)
        # A negative size does not mean a box on the other side of its corner.
        right, down = (x + max(last[0], 0), y + max(last[1], 0)) if sized else last
        self.parts[first].add_box(owner, [x, y, right, down], number, place)

    def all_relative(self) -> bool:
        """Return whether the coordinates of all boxes are parts of the picture's size."""
        rows = np.concatenate(
            [part.rows() for part in self.parts.values()] or [np.empty((0, 5))]
        )
        corners = rows[np.isfinite(rows).all(axis=1), :4]
        return bool((np.abs(corners) <= LARGEST_PART).all() and (corners % 1 != 0).any())

    def add_picture(self, name: str, place: int, part: str) -> int:
        """Add a picture to a part, and return its number; −1 if it is not found.

        Args:
            name: Name of the picture.
            place: Number of the row.
            part: The part.
        """
        found = self.finder.find(name) if name else "without a picture"
        if isinstance(found, str):
            self.add("name", f"{found}: not used", place, cut(name))
            return -1
        own = self.parts.setdefault(part, AnnotatedPictures(unit="row"))
        return own.add_picture(found, self.path)

    def add(self, noun: str, what: str, place: int, detail: str = "") -> None:
        """Add a problem of a row."""
        where = f"row {place}{detail and f': {detail}'}"
        self.problems.add(noun, what, self.path, where)


def part_of_each_row(table: Table) -> list[str | None]:
    """Return the part that each row is for, which a column may tell; None if it does not.

    Args:
        table: The table.
    """
    column = next((name for name in table.names if name.casefold() in PART), None)
    if column is not None:
        parts = [part_of(cell or "") for cell in table.text(column).to_pylist()]
        if any(parts):
            return parts
    return ["train"] * len(table)


def list_pictures(path: Path) -> list[Path]:
    """Return the pictures of a table or of a folder that holds it, without their boxes."""
    parts = read_boxes(path).parts.values()
    return pictures_beside(path, [picture for part in parts for picture in part.pictures])


def columns_of(header: Sequence[str]) -> list[str] | None:
    """Return the names of the columns of picture, class and corners; None if one is missing.

    A width and a height may be in the place of the second corner.

    Args:
        header: The names of all columns.
    """
    known = {name.casefold(): name for name in header}
    forms = (*CORNERS, *((left, top, *SIZE) for left, top, *_ in CORNERS))
    corners = next((each for each in forms if known.keys() >= set(each)), None)
    picture = next((name for name in PICTURE if name in known), None)
    label = next((name for name in CLASS if name in known), None)
    if corners is None or picture is None or label is None:
        return None
    return [known[name] for name in (picture, label, *corners)]
