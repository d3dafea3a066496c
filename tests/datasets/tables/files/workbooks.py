"""Workbooks for tests: .xlsx by openpyxl, .xls by xlwt, .ods as the XML of its standard."""

import datetime
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import xlwt

Rows = Iterable[Iterable[Any]]
DAY = xlwt.easyxf(num_format_str="YYYY-MM-DD HH:MM:SS")
SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text")
)


def write_xlsx(path: Path, rows: Rows, name: str = "Data", **others: Rows) -> Path:
    """Write sheets; a text that begins with ``#`` is the result of a formula."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, cells in ({name: rows} | others).items():
        sheet = book.create_sheet(title)
        for row, record in enumerate(cells, 1):
            for column, value in enumerate(record, 1):
                cell = sheet.cell(row, column, value)
                if isinstance(value, str) and value.startswith("#"):
                    cell.data_type = "e"
    book.save(path)
    return path


def write_xls(path: Path, rows: Rows, name: str = "Data", **others: Rows) -> Path:
    """Write sheets in the binary format of Excel 97."""
    book = xlwt.Workbook()
    for title, cells in ({name: rows} | others).items():
        sheet = book.add_sheet(title)
        for row, record in enumerate(cells):
            for column, value in enumerate(record):
                style = [DAY] if isinstance(value, datetime.date) else []
                if value is not None:
                    sheet.write(row, column, value, *style)
    with path.open("wb") as file:
        book.save(file)
    return path


def write_ods(path: Path, rows: Rows, name: str = "Data", **others: Rows) -> Path:
    """Write sheets of OpenDocument."""
    sheets = "".join(
        f'<table:table table:name="{title}">{"".join(map(ods_row, cells))}</table:table>'
        for title, cells in ({name: rows} | others).items()
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr(
            "META-INF/manifest.xml",
            '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<m:file-entry m:full-path="/" m:media-type="{kind}"/></m:manifest>',
        )
        archive.writestr(
            "content.xml",
            f"<office:document-content {SPACES}><office:body><office:spreadsheet>{sheets}"
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return path


def ods_row(record: Iterable[Any]) -> str:
    """Return the XML of a row."""
    return f"<table:table-row>{''.join(map(ods_cell, record))}</table:table-row>"


def ods_cell(value: Any) -> str:
    """Return the XML of a cell."""
    kinds: dict[type, tuple[str, str]] = {
        bool: ("boolean", "boolean-value"),
        int: ("float", "value"),
        float: ("float", "value"),
        datetime.date: ("date", "date-value"),
        datetime.datetime: ("date", "date-value"),
    }
    if value is None:
        return "<table:table-cell/>"
    if type(value) not in kinds:
        text = f"<text:p>{escape(value)}</text:p>"
        return f'<table:table-cell office:value-type="string">{text}</table:table-cell>'
    kind, name = kinds[type(value)]
    plain = value.isoformat() if isinstance(value, datetime.date) else str(value).lower()
    return f'<table:table-cell office:value-type="{kind}" office:{name}="{plain}"/>'


WORKBOOKS: dict[str, Callable[..., Path]] = {
    ".xlsx": write_xlsx,
    ".xls": write_xls,
    ".ods": write_ods,
}
