"""Reader for tables of points: a row for each picture, with the columns of each point."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neuropil.datasets.annotations.box_tables import PICTURE
from neuropil.datasets.annotations.label_problems import LabelProblems
from neuropil.datasets.annotations.table_search import (
    finder_for,
    only_table,
    pictures_beside,
    tables_in,
)
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.paths import visible_entries
from neuropil.datasets.pictures.class_folders import is_picture
from neuropil.datasets.points.point_labels import PointedPictures, PointLabels
from neuropil.datasets.tables.files.table_file import read_table
from neuropil.datasets.tables.number_text import file_decimal, read_numbers
from neuropil.text import cut, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from neuropil.datasets.tables.table import Table

AXES = ("x", "y", "v")
COLUMN = re.compile(r"(?P<point>.*\S)[\s_.-]+(?P<axis>[xyv])", re.IGNORECASE)
"""A column of a point: its name, and which of its numbers."""


class PointColumns(NamedTuple):
    """The columns of a table of points.

    Attributes:
        picture: The column with the names of the pictures.
        points: For each point, the column of x, of y, and of the visibility if there is one.
        others: The other columns.
    """

    picture: str
    points: dict[str, dict[str, str]]
    others: list[str]


def recognise(path: Path) -> str | None:
    """Return ``"a table of points"`` for a text table with the columns of points, else None.

    One of the first rows must name a picture. A folder may hold the table and the pictures,
    unless it has several folders of pictures: these are classes.
    """
    if not tables_in(path, picture_column):
        return None
    if path.is_dir():
        inside = [entry for entry in visible_entries(path) if entry.is_dir()]
        if sum(any(map(is_picture, folder.iterdir())) for folder in inside) > 1:
            return None
    return "a table of points"


def picture_column(header: Sequence[str]) -> str | None:
    """Return the column of pictures of a table of points; None for another table."""
    return getattr(columns_of(header), "picture", None)


def read_points(path: Path) -> PointLabels:
    """Return the points of a table; an empty cell is a missing point.

    Args:
        path: The table, or a folder that holds it.

    Raises:
        DataError: If a point lacks a column, or a folder holds several tables.
    """
    path = only_table(path, picture_column)
    notes: list[str] = []
    table = read_table(path, notes)
    columns = columns_of(table.names)
    if columns is None:
        raise DataError(f"{path} has no columns for a picture and the x and y of points.")
    for point, own in columns.points.items():
        if lacking := [axis for axis in "xy" if axis not in own]:
            given = next(iter(own.values()))
            raise DataError(
                f"{path}: the column {given!r} has no partner {point}_{lacking[0]}: each point "
                f"needs a column for x and one for y."
            )
    problems, finder = LabelProblems(path.parent), finder_for(path)
    if columns.others:
        notes.append(f"Columns not used: {some_of(map(repr, columns.others), 5)}.")
    rows = np.stack([*numbers_of(table, columns.points)], axis=1)
    rows = rows.reshape(len(table), len(columns.points), len(AXES))
    part = PointedPictures(path, "row")
    used: set[Path] = set()
    names = table.text(columns.picture).to_pylist()
    for place, name, points in zip(table.rows, names, rows, strict=True):
        picture = finder.find(name) if name else "without the name of a picture"
        where = f"row {place}: {cut(name)}" if name else f"row {place}"
        if isinstance(picture, str):
            problems.add("row", f"{picture}: not used", path, where)
        elif picture in used:
            what = "with the picture of an earlier row: not used"
            problems.add("row", what, path, where)
        else:
            used.add(picture)
            part.add(picture, place, points)
    return PointLabels(path.parent, list(columns.points), {"train": part}, problems, notes)


def list_pictures(path: Path) -> list[Path]:
    """Return the pictures of a table or of a folder that holds it, without their points."""
    return pictures_beside(path, read_points(path).parts["train"].pictures)


def numbers_of(
    table: Table, points: Mapping[str, Mapping[str, str]]
) -> Iterator[np.ndarray[Any, Any]]:
    """Yield x, y and visibility of each point in all rows: NaN if missing, infinity for words.

    Args:
        table: The table.
        points: The columns of each point, by axis.
    """
    texts = {name: table.text(name) for own in points.values() for name in own.values()}
    mark = file_decimal([*texts.values()])
    for own in points.values():
        for axis in AXES:
            if axis in own:
                found = read_numbers(texts[own[axis]], file_decimal=mark)
                yield np.where(found.words, np.inf, found.values)
            else:
                yield np.full(len(table), np.nan)


def columns_of(header: Sequence[str]) -> PointColumns | None:
    """Return the columns of a table of points; None for another table.

    It has a column for the picture, and at least one for the x and one for the y of a point.

    Args:
        header: The names of all columns.
    """
    known = {name.casefold(): name for name in header}
    picture = next((known[name] for name in (*PICTURE, "name") if name in known), None)
    points: dict[str, dict[str, str]] = {}
    others: list[str] = []
    for name in header:
        if name == picture:
            continue
        if found := COLUMN.fullmatch(name):
            points.setdefault(found["point"], {})[found["axis"].casefold()] = name
        else:
            others.append(name)
    axes = {axis for own in points.values() for axis in own}
    if picture is None or not {"x", "y"} <= axes:
        return None
    return PointColumns(picture, points, others)
