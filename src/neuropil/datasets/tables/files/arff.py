"""Reader of ARFF files, the tables of Weka and OpenML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuropil.checks import shown
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.tables.files.dialect import Layout
from neuropil.datasets.tables.files.encodings import decode
from neuropil.datasets.tables.files.named_columns import column_names, table_of_columns
from neuropil.datasets.tables.files.text_cells import read_cells
from neuropil.datasets.tables.number_text import read_numbers
from neuropil.datasets.tables.table import Table
from neuropil.datasets.unpacking import read_unpacked
from neuropil.text import some_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
ATTRIBUTE = re.compile(rf"@attribute\s+({QUOTED}|[^\s{{]+)\s*(\{{.*\}}|.*)", re.IGNORECASE)
VALUE = re.compile(rf"\s*({QUOTED}|[^,]*)\s*(?:,|$)")
ENTRY = re.compile(rf"\s*(\d+)\s+({QUOTED}|[^,}}]+?)\s*[,}}]")
NUMERIC, WORDS = ("numeric", "real", "integer"), ("string", "date")


@final
@dataclass(frozen=True)
class Attribute:
    """A column that the header of an ARFF file declares.

    Args:
        name: Its name.
        kind: ``"numeric"``, ``"string"``, ``"date"`` or ``"nominal"``.
        values: The values of a nominal column.
    """

    name: str
    kind: str
    values: tuple[str, ...] = ()


def read_arff(
    path: Path,
    notes: list[str],
    *,
    encoding: str | None = None,
    known_encoding: str | None = None,
    names_alone: bool = False,
    **_unused: Any,
) -> Table:
    """Read an ARFF file of numeric, nominal, string and date columns.

    Args:
        path: The file, compressed or not.
        notes: Gains notes for the user.
        encoding: Name of the encoding; None to detect it.
        known_encoding: An encoding to try if the file is not in Unicode.
        names_alone: Whether only the names are needed.

    Raises:
        DataError: If it is not such a file, or a cell is not what the header declares.
    """
    text = decode(read_unpacked(path), path, notes, asked=encoding, known=known_encoding)
    attributes, start, row = read_header(text, path)
    names, source = column_names([a.name for a in attributes], str(path)), str(path)
    if names_alone:
        return Table(names, [], [], source)
    body = re.sub(r"(?m)^\s*%.*$", "", text[start:])
    if re.match(r"\s*\{", body):
        columns, rows = read_sparse(body, attributes, row, path)
    else:
        quote = "'" if re.search(r"(?m)(?:^|,)[ \t]*'", body) else '"'
        layout = Layout(",", "\\" in body, names, True, 0, row, quote)  # noqa: FBT003
        columns, rows = read_cells(body, layout, path)
    for attribute, cells in zip(attributes, columns, strict=True):
        check_cells(attribute, cells, rows, source)
    return table_of_columns(names, columns, rows, source, notes)


def read_sparse(
    body: str, attributes: Sequence[Attribute], first: int, path: Path
) -> tuple[list[pa.StringArray], list[int]]:
    """Return the columns of rows such as ``{0 1.5, 3 red}``, and the number of each row.

    A column that a row does not name is 0, or the first value of a nominal column.

    Args:
        body: The rows.
        attributes: The columns that the header declares.
        first: Number of the first row.
        path: The file, for errors.

    Raises:
        DataError: If a row is not of this form, or names no column.
    """
    usual = [each.values[0] if each.values else "0" for each in attributes]
    cells, rows = [], []
    for row, line in enumerate(body.splitlines(), first):
        if not (bare := line.strip()):
            continue
        own, end = list(usual), 1
        while bare[0] == "{" and (found := ENTRY.match(bare, end)):
            place, end = int(found[1]), found.end()
            own[place : place + 1] = [unquote(found[2])]
        if bare[0] != "{" or bare[end:].strip() not in ("}", "") or len(own) != len(usual):
            raise DataError(
                f"{path}, row {row}: {shown(bare)} must be a sparse row, such as '{{0 1.5, 3 "
                f"red}}', with columns from 0 to {len(usual) - 1}."
            )
        cells.append(own)
        rows.append(row)
    columns = zip(*cells, strict=True)
    return [pa.array(column, pa.string()) for column in columns], rows


def read_header(text: str, path: Path) -> tuple[list[Attribute], int, int]:
    """Return the columns, the position of the data, and the number of its first line.

    Raises:
        DataError: If a line cannot be read, or there are no columns or no data.
    """
    attributes: list[Attribute] = []
    end = 0
    for row, line in enumerate(text.splitlines(keepends=True), 1):
        end += len(line)
        bare = line.strip()
        if bare.casefold() == "@data":
            if not attributes:
                break
            return attributes, end, row + 1
        if bare.casefold().startswith("@attribute"):
            attributes.append(read_attribute(bare, f"{path}, row {row}"))
        elif bare and not bare.startswith("%") and not bare.casefold().startswith("@relation"):
            raise DataError(
                f"{path}, row {row}: {shown(bare)} must be '@relation', '@attribute', '@data' "
                "or a comment after '%'."
            )
    raise DataError(f"{path} is not an ARFF file: it lacks '@attribute' or '@data' lines.")


def read_attribute(line: str, where: str) -> Attribute:
    """Return the column that a line declares.

    Raises:
        DataError: If its type is unknown.
    """
    found = ATTRIBUTE.fullmatch(line)
    name, kind = (found[1], found[2].strip()) if found else ("", "")
    if kind.startswith("{") and kind.endswith("}"):
        values = tuple(map(unquote, VALUE.findall(kind[1:-1].strip())))
        return Attribute(unquote(name), "nominal", tuple(value for value in values if value))
    first = kind.casefold().split(maxsplit=1)[:1]
    if not name or not first or first[0] not in (*NUMERIC, *WORDS):
        raise DataError(
            f"{where}: {shown(line)} declares no column that can be read: its type must be "
            "numeric, string, date or {a, b}."
        )
    return Attribute(unquote(name), "numeric" if first[0] in NUMERIC else first[0])


def unquote(text: str) -> str:
    """Return a name or value without its quotes and backslashes."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def check_cells(
    attribute: Attribute, cells: pa.StringArray, rows: Sequence[int], source: str
) -> None:
    """Refuse a cell that is not a number or a value that the header declares.

    Raises:
        DataError: If there is one.
    """
    if attribute.kind == "numeric":
        wrong = read_numbers(cells).words
        wanted = "a number"
    elif attribute.kind == "nominal":
        known = pc.is_in(cells, value_set=pa.array(attribute.values, pa.string()))
        missing = pc.equal(cells, "?")
        wrong = pc.invert(pc.or_(known, missing)).to_numpy(zero_copy_only=False)
        wanted = f"one of {some_of(map(repr, attribute.values), 5)}"
    else:
        return
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{source}, row {rows[place]}, column {attribute.name!r}: "
            f"{shown(cells[place].as_py())} must be {wanted}, as the header declares."
        )
