"""The XML of .xlsx sheets: failed formulas, and stray cells far from the table.

calamine reads a failed formula as an empty cell, and takes memory for all cells to the last.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING
from xml.sax.saxutils import unescape

from neuropil.datasets.data_errors import DataError
from neuropil.datasets.unpacking import check_unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMULA = re.compile(
    rb"<c\s(?![^>]*\bt=)[^>]*>\s*<f[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>"
)
CELL = re.compile(rb'<c\s[^>]*?\bt="e"[^>]*>.*?</c>', re.DOTALL)
PLACE, VALUE = re.compile(rb'\br="([A-Z]{1,3})(\d+)"'), re.compile(rb"<v>([^<]*)</v>")
SHEET = re.compile(r'<(?:\w+:)?sheet\s[^>]*?\bname="([^"]*)"[^>]*?\b\w+:id="([^"]*)"')
TARGET = re.compile(r"<Relationship\s[^>]*>")
MOST_CELLS, SPARSE = 50_000_000, 100
"""Cells up to the last, in number and for each cell that is written, that a sheet may have."""
UNKNOWN = "#N/A"
"""What a formula gives for a value that is not available: a missing value."""


def formula_errors(content: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield the row, the place of the column, and the error of each failed formula.

    ``#N/A`` means a missing value and is not among them. There are none for .xls and .ods
    files.

    Args:
        content: The sheet, as `sheet_content` returns it.
    """
    for cell in CELL.findall(content):
        place, value = PLACE.search(cell), VALUE.search(cell)
        if place and value and value[1].decode() != UNKNOWN:
            yield int(place[2]), column_place(place[1].decode()), value[1].decode()


def first_uncalculated(content: bytes) -> tuple[int, int] | None:
    """Return the row and the place of the column of the first formula without a value.

    Programs that write workbooks leave the value out; spreadsheets calculate it.

    Args:
        content: The sheet, as `sheet_content` returns it.
    """
    found = FORMULA.search(content)
    place = found and PLACE.search(found[0])
    return (int(place[2]), column_place(place[1].decode())) if place else None


def check_extent(raw: bytes, sheet: str, path: Path) -> None:
    """Refuse a workbook that unpacks to too much, or a sheet with a cell far from the others.

    Args:
        raw: Bytes of the workbook.
        sheet: Name of the sheet.
        path: The file, for the error.

    Raises:
        DataError: If there is one.
    """
    if zipfile.is_zipfile(io.BytesIO(raw)):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            check_unpacked(path, sum(info.file_size for info in archive.infolist()))
    content = sheet_content(raw, sheet)
    if bound(content) <= MOST_CELLS:
        return
    refs = [(column_place(c.decode()), int(r)) for c, r in PLACE.findall(content)]
    width, height = 1 + max(c for c, _ in refs), max(r for _, r in refs)
    if width * height > max(MOST_CELLS, SPARSE * len(refs)):
        raise DataError(
            f"{path}, sheet {sheet!r}: its cells reach row {height:,} and column {width:,}, "
            f"but only {len(refs):,} are written: delete the cells far from the table."
        )


def bound(content: bytes) -> int:
    """Return an upper bound of the cells of a sheet."""
    letters = longest(rb'\br="[A-Z]{%d}\d', 3, content)
    return (0, 26, 702, 16_384)[letters] * 10 ** longest(rb'\br="[A-Z]+\d{%d}"', 7, content)


def longest(pattern: bytes, most: int, content: bytes) -> int:
    """Return the largest number with which a pattern is found, 0 if it never is."""
    found = (n for n in range(most, 0, -1) if re.search(pattern % n, content))
    return next(found, 0)


def sheet_content(raw: bytes, sheet: str) -> bytes:
    """Return the XML of a sheet; empty if the file is not .xlsx."""
    if not zipfile.is_zipfile(io.BytesIO(raw)):
        return b""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        name = sheet_file(archive, sheet)
        return archive.read(name) if name in archive.namelist() else b""


def sheet_file(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the file of a sheet inside an .xlsx file; empty if there is none."""
    book, links = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
    if not {book, links} <= set(archive.namelist()):
        return ""
    entities = {"&quot;": '"', "&apos;": "'"}
    ids = {
        unescape(name, entities): own
        for name, own in SHEET.findall(archive.read(book).decode())
    }
    for link in TARGET.findall(archive.read(links).decode()):
        found = dict(re.findall(r'(\w+)="([^"]*)"', link))
        if found.get("Id") == ids.get(sheet):
            target = found.get("Target", "")
            return target[1:] if target.startswith("/") else f"xl/{target}"
    return ""


def column_place(letters: str) -> int:
    """Return the place of a column from 0: A, B to Z, then AA."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number - 1
