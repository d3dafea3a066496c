"""Failed formulas in .xlsx files, which calamine reads as empty cells."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING
from xml.sax.saxutils import unescape

if TYPE_CHECKING:
    from collections.abc import Iterator

CELL = re.compile(rb'<c\s[^>]*?\bt="e"[^>]*>.*?</c>', re.DOTALL)
PLACE, VALUE = re.compile(rb'\br="([A-Z]{1,3})(\d+)"'), re.compile(rb"<v>([^<]*)</v>")
SHEET = re.compile(r'<(?:\w+:)?sheet\s[^>]*?\bname="([^"]*)"[^>]*?\b\w+:id="([^"]*)"')
TARGET = re.compile(r"<Relationship\s[^>]*>")
UNKNOWN = "#N/A"
"""What a formula gives for a value that is not available: a missing value."""


def formula_errors(raw: bytes, sheet: str) -> Iterator[tuple[int, int, str]]:
    """Yield the row, the place of the column, and the error of each failed formula.

    ``#N/A`` means a missing value and is not among them. There are none for .xls and .ods
    files.

    Args:
        raw: Bytes of the workbook.
        sheet: Name of the sheet.
    """
    if not zipfile.is_zipfile(io.BytesIO(raw)):
        return
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        name = sheet_file(archive, sheet)
        content = archive.read(name) if name in archive.namelist() else b""
    for cell in CELL.findall(content):
        place, value = PLACE.search(cell), VALUE.search(cell)
        if place and value and value[1].decode() != UNKNOWN:
            yield int(place[2]), column_place(place[1].decode()), value[1].decode()


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
