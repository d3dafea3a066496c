"""Reader of Excel and OpenDocument workbooks: the first sheet with a table is read."""

from __future__ import annotations

import datetime
import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.tables.files.dialect import SAMPLE_ROWS
from neuropil.datasets.tables.files.header import find_names
from neuropil.datasets.tables.files.named_columns import column_names, table_of_columns
from neuropil.datasets.tables.files.text_records import Record
from neuropil.datasets.tables.files.xls_trial import try_xls
from neuropil.datasets.tables.files.xlsx_sheet import (
    check_extent,
    first_uncalculated,
    formula_errors,
    sheet_content,
)
from neuropil.datasets.tables.table import Table
from neuropil.datasets.unpacking import read_unpacked
from neuropil.text import number_of, some_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NUMBERS, DATES, DURATIONS = (
    frozenset([int, float]),
    frozenset([datetime.date, datetime.datetime]),
    frozenset([datetime.timedelta]),
)


def read_workbook(
    path: Path,
    notes: list[str],
    *,
    header: bool | None = None,
    names_alone: bool = False,
    **_unused: Any,
) -> Table:
    """Read the first visible sheet of a workbook that has several columns.

    Numbers, dates and durations keep their types; a column of several types is text. A title
    above the names is skipped.

    Args:
        path: An .xlsx, .xls or .ods file.
        notes: Gains notes for the user.
        header: Whether the first row holds the names; None to detect it.
        names_alone: Whether only the names are needed.

    Raises:
        DataError: If it is not a workbook, has no data, or a formula has failed or was never
            calculated. Only .xlsx files tell such a formula from an empty cell.
    """
    raw = read_unpacked(path)
    sheet, rows = read_sheet(raw, path, notes)
    source = f"{path}, sheet {sheet!r}"
    width = 1 + max(last_cell(row) for row in rows.values())
    records = [text_record(row, number, width) for number, row in rows.items()][:SAMPLE_ROWS]
    names, used = find_names(records, width, [], ",", header, path, notes)
    if names is None:
        notes.append(
            f"{path.name} has no header line: its columns are named column1 to column{width}; "
            "set header= to override."
        )
    names, is_named = names or [""] * width, names is not None
    numbers = list(rows)[used:]
    full = column_names(names, source)
    if names_alone:
        return Table(full, [], [], source)
    content = sheet_content(raw, sheet)
    empty = first_uncalculated(content)
    if empty is not None and empty[0] in rows and empty[1] < width:
        raise DataError(
            f"{source}, row {empty[0]}, column {full[empty[1]]!r}: the formula was never "
            "calculated, and the file holds no value of it. Open the file in a spreadsheet "
            "program and save it."
        )
    for row, place, error in formula_errors(content):
        if row in rows and row in numbers and place < width:
            raise DataError(
                f"{source}, row {row}, column {full[place]!r}: the formula gives {error}. "
                "Correct it, or leave the cell empty if the value is unknown."
            )
    cells = [rows[number] for number in numbers]
    columns = [column_of([row[place] for row in cells]) for place in range(width)]
    return table_of_columns(names, columns, numbers, source, notes, header=is_named)


def read_sheet(
    raw: bytes, path: Path, notes: list[str]
) -> tuple[str, dict[int, Sequence[Any]]]:
    """Return the name of the sheet to read, and its rows that are not empty by number.

    It is the first one with several columns, or else the first one with data.

    Raises:
        DataError: If it is not a workbook, or no sheet has data.
    """
    import python_calamine as calamine

    try_xls(raw, path)
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw))
        names = [meta.name for meta in sheets(book, calamine)]
        for name in names:
            check_extent(raw, name, path)
        known = [book.get_sheet_by_name(name) for name in names]
    except BaseException as error:
        # Rust panics at some damaged files, which is no `Exception`.
        if type(error).__name__ not in ("CalamineError", "PanicException"):
            raise
        why = " ".join(str(error).split())
        raise DataError(f"{path} is empty, damaged, or not a workbook ({why:.120}).") from None
    filled = [sheet for sheet in known if sheet.start is not None]
    if not filled:
        raise DataError(
            f"{path} is empty: none of its {number_of(len(known), 'sheet')} has data."
        )
    # A single column, such as a page of remarks, cannot be a table with a target.
    first = next((sheet for sheet in filled if sheet.width > 1), filled[0])
    if len(filled) > 1:
        notes.append(
            f"{path.name} has {len(filled)} sheets with data, "
            f"{some_of(repr(sheet.name) for sheet in filled)}: {first.name!r} is read; "
            "move another to the front to read that one."
        )
    rows = enumerate(first.to_python(skip_empty_area=False), 1)
    return first.name, {number: row for number, row in rows if last_cell(row) >= 0}


def sheets(book: Any, calamine: Any) -> list[Any]:
    """Return the visible worksheets, or all if none is visible."""
    kind, shown = calamine.SheetTypeEnum.WorkSheet, calamine.SheetVisibleEnum.Visible
    tables = [meta for meta in book.sheets_metadata if meta.typ == kind]
    return [meta for meta in tables if meta.visible == shown] or tables


def last_cell(row: Sequence[Any]) -> int:
    """Return the place of the last cell that is not empty, -1 if there is none."""
    return next(
        (place for place in range(len(row) - 1, -1, -1) if row[place] not in ("", None)), -1
    )


def text_record(row: Sequence[Any], number: int, width: int) -> Record:
    """Return a row as text; only the first cell of a title."""
    cells = [cell_text(cell) for cell in row[:width]]
    filled = [cell for cell in cells if cell]
    return Record(filled if len(filled) == 1 < width and cells[0] else cells, number, number)


def cell_text(cell: Any) -> str:
    """Return the text of a cell; whole numbers have no decimals, as in a spreadsheet."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def column_of(cells: Sequence[Any]) -> pa.Array:
    """Return a column as numbers, timestamps or durations; as text if the types differ."""
    known = [None if cell == "" else cell for cell in cells]
    kinds = {type(cell) for cell in known if cell is not None}
    for own, kind in (
        (NUMBERS, pa.float64()),
        (DATES, pa.timestamp("us")),
        (DURATIONS, pa.duration("us")),
    ):
        if kinds and kinds <= own:
            return pa.array(map(as_datetime, known) if own is DATES else known, kind)
    return pa.array(map(cell_text, known), pa.string())


def as_datetime(day: Any) -> datetime.datetime | None:
    """Return a date as its midnight."""
    if day is None or isinstance(day, datetime.datetime):
        return day
    return datetime.datetime.combine(day, datetime.time())
