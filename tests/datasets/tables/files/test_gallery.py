"""Odd files of one small table: each is read right, or refused in one line that says where."""

import bz2
import datetime
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather
from pyarrow import parquet as pq
from tests.datasets.tables.files.workbooks import WORKBOOKS, write_ods, write_xls, write_xlsx
from tests.datasets.tables.fruit import COUNT, NAMES, PLAIN, ROWS, SIZES, TYPED, opened

from neuropil import datasets
from neuropil.core import free_memory
from neuropil.datasets import DataError, Table

OBJECTS = [{k: v for k, v in row.items() if v is not None} for row in TYPED.to_pylist()]
LINES = "\n".join(map(json.dumps, OBJECTS))
SHEET = [NAMES, *ROWS]
USUAL = (0, "red", "a")
BODY = PLAIN.split("\n", 1)[1]
ARFF = (
    "% a table\n@RELATION t\n@attribute size real\n@attribute count INTEGER\n"
    "@attribute 'colour' {red, blue, 'süß'}\n@attribute kind {a,b}\n\n@data\n"
)


def write(content: str | bytes) -> Callable[[Path], Any]:
    """Return a function that writes a file."""
    raw = content if isinstance(content, bytes) else content.encode()
    return lambda path: path.write_bytes(raw)


def marks(text: str, delimiter: str = ";", thousands: str = ".") -> str:
    """Return the table as Europe writes it: ``1.004,25``."""
    lines = [text.split("\n", 1)[0].replace(",", delimiter)]
    for size, *others in ROWS:
        whole, _, rest = f"{size:.2f}".partition(".")
        whole = f"{int(whole):,}".replace(",", thousands)
        lines.append(
            delimiter.join([f"{whole},{rest}", *("" if o is None else str(o) for o in others)])
        )
    return "\n".join(lines)


def sparse_row(row: Any) -> str:
    """Return a row of sparse ARFF, without the cells that are 0 or the first nominal value."""
    cells = [f"{n} {'?' if c is None else c}" for n, c in enumerate(row) if c not in USUAL]
    return f"{{{', '.join(cells)}}}"


def quoted(text: str, quote: str = '"') -> str:
    """Return the table with quotes around every cell."""
    lines = text.strip().split("\n")
    return "\n".join(quote + line.replace(",", f"{quote},{quote}") + quote for line in lines)


def parts(folder: Path, suffix: str, writer: Callable[[pa.Table, Path], Any]) -> Path:
    """Write two parts, the second with its columns in another order."""
    folder.mkdir()
    writer(TYPED.slice(0, 10), folder / f"part-1{suffix}")
    writer(TYPED.slice(10).select(NAMES[::-1]), folder / f"part-2{suffix}")
    (folder / "_SUCCESS").touch()
    return folder


def write_csv(table: pa.Table, path: Path) -> None:
    """Write a part as CSV."""
    table.to_pandas(integer_object_nulls=True).to_csv(path, index=False)


def zipped(content: str) -> bytes:
    """Return a zip archive of one file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("table.csv", content)
    return file.getvalue()


def stream(table: pa.Table) -> bytes:
    """Return a table in Arrow's stream layout."""
    file = io.BytesIO()
    with pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


def parquet(**columns: Any) -> Callable[[Path], Any]:
    """Return a function that writes the table as Parquet with some columns replaced."""
    table = pa.table({**dict(zip(NAMES, TYPED.columns, strict=True)), **columns})
    return lambda path: pq.write_table(table, path)


# The same table in odd forms: the name of the file, and what writes it.
SAME: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "semicolons": ("t.csv", write(PLAIN.replace(",", ";"))),
    "tabs in a .csv": ("t.csv", write(PLAIN.replace(",", "\t"))),
    "bars": ("t.csv", write(PLAIN.replace(",", "|"))),
    "spaces around cells": ("t.csv", write(PLAIN.replace(",", " , "))),
    "carets": ("t.csv", write(PLAIN.replace(",", "^"))),
    "Windows line ends": ("t.csv", write(PLAIN.replace("\n", "\r\n"))),
    "old Mac line ends": ("t.csv", write(PLAIN.replace("\n", "\r"))),
    "all cells quoted": ("t.csv", write(quoted(PLAIN))),
    "byte order mark": ("t.csv", write("\ufeff" + PLAIN)),
    "UTF-16": ("t.csv", write(PLAIN.encode("utf-16"))),
    "UTF-16 without a mark": ("t.csv", write(PLAIN.encode("utf-16-le"))),
    "UTF-32": ("t.csv", write(PLAIN.encode("utf-32"))),
    "Windows-1252": ("t.csv", write(PLAIN.encode("cp1252"))),
    "decimal commas": ("t.csv", write(marks(PLAIN))),
    "decimal commas, tabs, Windows-1252": ("t.tsv", write(marks(PLAIN, "\t").encode("cp1252"))),
    "Swiss thousands": ("t.csv", write(marks(PLAIN, thousands="’"))),
    "a line that names the delimiter": ("t.csv", write("sep=;\n" + PLAIN.replace(",", ";"))),
    "comments above": ("t.csv", write("# made in 2024\n# by hand\n" + PLAIN)),
    "a title above": ("t.csv", write("Fruit of 2024\n" + PLAIN)),
    "names in a comment": ("t.csv", write(f"# {','.join(NAMES)}\n{BODY}")),
    "blank lines": ("t.csv", write(PLAIN.replace("\n", "\n\n"))),
    "a delimiter at every end": ("t.csv", write(PLAIN.replace("\n", ",\n"))),
    "missing as NA": ("t.csv", write(PLAIN.replace(",,", ",NA,"))),
    "missing as #N/A": ("t.csv", write(PLAIN.replace(",,", ",#N/A,"))),
    "counts as 3.0": ("t.csv", write(pd.DataFrame(ROWS, columns=NAMES).to_csv(index=False))),
    "euros": ("t.csv", write(PLAIN.replace(",red", " €,red"))),
    "gzip": ("t.csv.gz", write(gzip.compress(PLAIN.encode()))),
    "bzip2": ("t.csv.bz2", write(bz2.compress(PLAIN.encode()))),
    "xz": ("t.csv.xz", write(lzma.compress(PLAIN.encode()))),
    "zip": ("t.csv.zip", write(zipped(PLAIN))),
    "Parquet": ("t.parquet", parquet()),
    "Parquet, single precision": ("t.parquet", parquet(size=TYPED["size"].cast("float32"))),
    "Parquet, small integers": ("t.parquet", parquet(count=TYPED["count"].cast("int8"))),
    "Parquet, dictionaries": ("t.parquet", parquet(colour=TYPED["colour"].dictionary_encode())),
    "Parquet, decimals": ("t.parquet", parquet(size=TYPED["size"].cast(pa.decimal128(9, 2)))),
    "Parquet, large strings": ("t.parquet", parquet(kind=TYPED["kind"].cast("large_string"))),
    "Parquet of pandas": (
        "t.parquet",
        lambda path: (
            TYPED.to_pandas().iloc[::-1].iloc[::-1].rename(lambda n: n + 7).to_parquet(path)
        ),
    ),
    "Feather": ("t.feather", lambda path: feather.write_feather(TYPED, path)),
    "Arrow stream": ("t.arrow", write(stream(TYPED))),
    "Arrow stream, zstd": ("t.arrow.gz", write(gzip.compress(stream(TYPED)))),
    "JSON lines": ("t.jsonl", write(LINES)),
    "JSON lines, blank lines": ("t.ndjson", write("\n" + LINES.replace("\n", "\n\n") + "\n")),
    "JSON lines, a number as text": (
        "t.jsonl",
        write(LINES.replace(str(SIZES[3]), f'"{SIZES[3]}"', 1)),
    ),
    "JSON lines, gzip": ("t.jsonl.gz", write(gzip.compress(LINES.encode()))),
    "Excel": ("t.xlsx", lambda path: write_xlsx(path, SHEET)),
    "Excel, a title above": ("t.xlsx", lambda path: write_xlsx(path, [["Fruit"], [], *SHEET])),
    "Excel, numbers as text": (
        "t.xlsx",
        lambda path: write_xlsx(path, [NAMES, *((str(s), *o) for s, *o in ROWS)]),
    ),
    "Excel, #N/A is missing": (
        "t.xlsx",
        lambda path: write_xlsx(
            path, [["#N/A" if c is None else c for c in row] for row in SHEET]
        ),
    ),
    "Excel, empty column before": (
        "t.xlsx",
        lambda path: write_xlsx(path, [[None, *row] for row in SHEET]),
    ),
    "Excel, second sheet": (
        "t.xlsx",
        lambda path: write_xlsx(path, [], "Notes", Data=SHEET, More=[["x"], [1]]),
    ),
    "Excel 97": ("t.xls", lambda path: write_xls(path, SHEET)),
    "OpenDocument": ("t.ods", lambda path: write_ods(path, SHEET)),
    "ARFF": ("t.arff", write(ARFF + BODY.replace(",,", ",?,"))),
    "ARFF, quotes and spaces": (
        "t.arff",
        write(ARFF + "% rows\n" + BODY.replace(",,", ", ?,").replace(",süß", ", 'süß'")),
    ),
    "ARFF, sparse": ("t.arff", write(ARFF + "\n".join(map(sparse_row, ROWS)))),
    "parts of CSV": ("t", lambda path: parts(path, ".csv", write_csv)),
    "parts of Parquet": ("t", lambda path: parts(path, ".parquet", pq.write_table)),
    "parts of Feather": ("t", lambda path: parts(path, ".feather", feather.write_feather)),
}


def test_the_plain_table_is_what_its_cells_say(plain):
    assert [column["name"] for column in plain[0]] == ["size", "count", "colour"]
    inputs = np.frombuffer(plain[1], np.float32).reshape(COUNT, -1)
    assert inputs[:, 0].tolist() == SIZES
    assert inputs[5, 1:].tolist() == [2, 1, 0, 0, 1]
    assert plain[2] == [number % 2 for number in range(COUNT)]


@pytest.mark.parametrize("case", SAME)
def test_every_form_is_the_same_table(tmp_path, plain, case):
    name, writer = SAME[case]
    writer(tmp_path / name)
    assert opened(tmp_path / name) == plain


BAD_ROWS = [[1.5, "a"], [2.5, "b"]] * 12
NESTED = [{"x": 1.5, "y": "a"}] * 3 + [{"x": {"low": 1}, "y": "b"}]
DAYS = [[datetime.date(2024, 1, day), float(day), "ab"[day % 2]] for day in range(1, 25)]


def bad_parts(folder: Path) -> None:
    """Write a part that lacks a column."""
    folder.mkdir()
    pq.write_table(TYPED, folder / "1.parquet")
    pq.write_table(TYPED.drop_columns("count"), folder / "2.parquet")


def write_stray(path: Path, place: str) -> None:
    """Write a workbook with a cell far from the table."""
    book = openpyxl.load_workbook(write_xlsx(path, SHEET))
    book["Data"][place] = 1
    book.save(path)


# Files that are refused: their name, what writes them, and what the line says.
REFUSED: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    "a ragged row": (
        "t.csv",
        write("x,y\n1,2\n3\n"),
        "t.csv, row 3: 1 cells, but the header has 2",
    ),
    "an open quote": (
        "t.csv",
        write('x,y\n1,"2\n3,4\n'),
        "t.csv, line 3: unexpected end of data",
    ),
    "a word among numbers": (
        "t.csv",
        write("x,y\n" + "1,a\n2,b\n" * 9 + "oops,a\n"),
        "t.csv, column 'x', row 20: 'oops' in a column of 18 numbers",
    ),
    "an ambiguous comma": (
        "t.csv",
        write("x;y\n" + "1,234;a\n2,345;b\n" * 9),
        "t.csv, column 'x', row 2: '1,234' may be 1234 or 1.234",
    ),
    "an unknown encoding": (
        "t.csv",
        write("x,y\nпривет,1\nмир,2\n".encode("koi8-r")),
        "t.csv, line 2: the file is not UTF-8, and its encoding",
    ),
    "zero bytes": (
        "t.csv",
        write(b"x,y\n1,\0\n"),
        "t.csv is not a text table: it contains zero",
    ),
    "Parquet, a list": (
        "t.parquet",
        parquet(size=pa.array([None] + [[1, 2]] * (COUNT - 1))),
        "t.parquet, column 'size', row 2: [1, 2] is a list, but a cell must be a number",
    ),
    "Parquet, no rows": (
        "t.parquet",
        lambda path: pq.write_table(TYPED.slice(0, 0), path),
        "t.parquet has a header but no rows below it",
    ),
    "Parquet, cut": (
        "t.parquet",
        lambda path: (pq.write_table(TYPED, path), path.write_bytes(path.read_bytes()[:-9])),
        "t.parquet is empty, damaged, or not a Parquet file",
    ),
    "Feather of words": (
        "t.feather",
        write("x,y\n1,2\n"),
        "t.feather is empty, damaged, or not an Arrow",
    ),
    "JSON lines, an object": (
        "t.jsonl",
        write("\n".join(map(json.dumps, NESTED))),
        "t.jsonl, row 4, column 'x': {'low': 1} is an object, but a cell must be a number",
    ),
    "JSON lines, a comma too many": (
        "t.jsonl",
        write('{"x": 1, "y": 2}\n{"x": 1, "y": 2,}\n'),
        't.jsonl, row 2: \'{"x": 1, "y": 2,}\' is not a JSON object; each line must hold one',
    ),
    "JSON, not lines": (
        "t.jsonl",
        write(json.dumps(NESTED[:2], indent=1)),
        "t.jsonl, row 1: '['",
    ),
    "JSON lines, a field twice": (
        "t.jsonl",
        write('{"x": 1, "y": 2}\n{"x": 1, "x": 2}\n'),
        't.jsonl, row 2: \'{"x": 1, "x": 2}\' has a field twice',
    ),
    "Excel, a failed formula": (
        "t.xlsx",
        lambda path: write_xlsx(path, [["x", "y"], *BAD_ROWS, ["#DIV/0!", "a"]]),
        "t.xlsx, sheet 'Data', row 26, column 'x': the formula gives #DIV/0!. Correct it",
    ),
    "Excel, a word among numbers": (
        "t.xlsx",
        lambda path: write_xlsx(path, [["x", "y"], *BAD_ROWS, ["oops", "a"]], "Sheet 1"),
        "t.xlsx, sheet 'Sheet 1', column 'x', row 26: 'oops' in a column of 24 numbers",
    ),
    "Excel, a stray cell": (
        "t.xlsx",
        lambda path: write_stray(path, "XFD1048576"),
        "t.xlsx, sheet 'Data': its cells reach row 1,048,576 and column 16,384, but only 100",
    ),
    "Excel, no data": (
        "t.xlsx",
        lambda path: write_xlsx(path, []),
        "t.xlsx is empty: none of its 1",
    ),
    "Excel, cut": (
        "t.xlsx",
        lambda path: (write_xlsx(path, SHEET), path.write_bytes(path.read_bytes()[:900])),
        "t.xlsx is empty, damaged, or not a workbook",
    ),
    "Excel 97, cut": (
        "t.xls",
        lambda path: (write_xls(path, SHEET), path.write_bytes(path.read_bytes()[:900])),
        "t.xls is damaged, or not a workbook that can be read",
    ),
    "a web page named Excel": (
        "t.xls",
        write("<html><table>"),
        "t.xls is empty, damaged, or not a w",
    ),
    "ARFF, an undeclared value": (
        "t.arff",
        write(ARFF + BODY.replace("blue", "green", 2)),
        "t.arff, row 10, column 'colour': 'green' must be one of 'red', 'blue', 'süß', as",
    ),
    "ARFF, a word for a number": (
        "t.arff",
        write(ARFF + "1.5,three,red,a\n"),
        "t.arff, row 9, column 'count': 'three' must be a number, as the header declares",
    ),
    "ARFF, sparse, no such column": (
        "t.arff",
        write(ARFF + "{0 1.5, 3 b}\n{0 1.5, 4 b}\n"),
        "row 10: '{0 1.5, 4 b}' must be a sparse row, such as '{0 1.5, 3 red}', with columns",
    ),
    "ARFF, sparse, cut": (
        "t.arff",
        write(ARFF + "{0 1.5, 3 b}\n{0 1.5, 3\n"),
        "t.arff, row 10: '{0 1.5, 3' must be a sparse row",
    ),
    "JSON lines, UTF-16": (
        "t.jsonl",
        write(LINES.encode("utf-16")),
        "t.jsonl is in UTF-16 or UTF-32, but JSON lines must be in UTF-8",
    ),
    "JSON lines, UTF-16 without a mark": (
        "t.jsonl",
        write(LINES.encode("utf-16-le")),
        "t.jsonl is in UTF-16 or UTF-32",
    ),
    "Excel, a formula without a value": (
        "t.xlsx",
        lambda path: write_xlsx(path, [*SHEET[:5], ["=2+3", *SHEET[5][1:]], *SHEET[6:]]),
        "t.xlsx, sheet 'Data', row 6, column 'size': the formula was never calculated",
    ),
    "ARFF, relational": (
        "t.arff",
        write("@relation t\n@attribute bag relational\n@data\n"),
        "t.arff, row 2: '@attribute bag relational' declares no column that can be read",
    ),
    "ARFF, a ragged row": (
        "t.arff",
        write(ARFF + "1.5,3,red\n"),
        "t.arff, row 9: 3 cells, but",
    ),
    "parts, a column less": (
        "t",
        bad_parts,
        "2.parquet has other columns than 1.parquet: it lacks 'count'",
    ),
    "packed too often": ("t.csv.gz", write(b"words"), "t.csv.gz is damaged"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_one_line_that_says_where(tmp_path, case):
    name, writer, message = REFUSED[case]
    writer(tmp_path / name)
    with pytest.raises(DataError) as caught:
        datasets.open(tmp_path / name)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("write_days", [write_xlsx, write_xls, write_ods])
def test_dates_of_a_workbook_are_those_of_a_parquet_file(tmp_path, write_days):
    suffix = {write_xlsx: ".xlsx", write_xls: ".xls", write_ods: ".ods"}[write_days]
    path = write_days(tmp_path / f"table{suffix}", [["day", "size", "kind"], *DAYS])
    columns = zip(*DAYS, strict=True)
    pq.write_table(
        pa.table(dict(zip(["day", "size", "kind"], map(pa.array, columns), strict=True))),
        tmp_path / "table.parquet",
    )
    assert opened(path) == opened(tmp_path / "table.parquet")


def test_truth_values_are_the_same_words_from_every_file(tmp_path):
    rows = [[number % 2 == 0, number / 4, "ab"[number % 2]] for number in range(COUNT)]
    head = ["sold", "size", "kind"]
    frame = pd.DataFrame(rows, columns=head)
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    for suffix, write_rows in WORKBOOKS.items():
        write_rows(tmp_path / f"t{suffix}", [head, *rows])
    found = [opened(path) for path in sorted(tmp_path.iterdir())]
    assert len(found) == 6
    assert found[0][0][0]["categories"] == ["False", "True"]
    assert all(other == found[0] for other in found)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime.datetime(2024, 1, 2), "2024-01-02"),
        (datetime.datetime(2024, 1, 2, 3, 4), "2024-01-02 03:04:00"),
        (datetime.datetime(2024, 1, 2, 3, 4, 5, 250_000), "2024-01-02 03:04:05.250000"),
        (datetime.timedelta(days=1, seconds=5), "1 day, 0:00:05"),
        (datetime.time(3, 4), "03:04:00"),
    ],
)
def test_times_are_written_without_parts_that_say_nothing(moment, text):
    assert Table.of({"when": [moment, None]}).text("when").to_pylist() == [text, ""]


@pytest.mark.parametrize("write", [write_xlsx, write_xls, write_ods])
def test_a_sheet_of_one_column_before_the_table_is_not_read(tmp_path, write):
    path = tmp_path / f"table.{write.__name__[6:]}"
    write(path, [["made by"], ["Ada"]], "Info", Data=SHEET)
    notes = datasets.open(path).notes
    assert any("'Info', 'Data': 'Data' is read" in note for note in notes)


def test_several_sheets_are_said_and_hidden_ones_are_not_read(tmp_path):
    path = write_xlsx(tmp_path / "table.xlsx", [["x"]], "Hidden", Data=SHEET, More=SHEET)
    book = openpyxl.load_workbook(path)
    book["Hidden"].sheet_state = "hidden"
    book.save(path)
    notes = datasets.open(path).notes
    assert any("2 sheets with data, 'Data', 'More': 'Data' is read" in note for note in notes)


def test_an_error_in_parts_names_the_part(tmp_path):
    for number in (1, 2):
        rows = ["x,y", *["1,a", "2,b"] * 9, *["oops,a"] * (number == 2)]
        (tmp_path / f"{number}.csv").write_text("\n".join(rows))
    with pytest.raises(
        DataError, match=r"column 'x', row 20 of 2.csv: 'oops' in a column of 36"
    ):
        datasets.open(tmp_path)


def test_folders_called_by_a_value_are_a_column(tmp_path):
    rows = TYPED.append_column("year", pa.array([2020 + n % 3 for n in range(COUNT)]))
    pq.write_to_dataset(rows, tmp_path / "t", partition_cols=["year", "colour"])
    (tmp_path / "t" / "_SUCCESS").touch()
    splits = datasets.open(tmp_path / "t", validation=0, test=0)
    assert splits.target.name == "kind"
    assert [c.name for c in splits.preparation.columns] == ["year", "colour", "size", "count"]
    assert sorted(splits.train.inputs[:, 0].tolist()) == [2020] * 8 + [2021] * 8 + [2022] * 8
    assert "Columns from the names of folders: 'year', 'colour'." in splits.notes
    assert datasets.open(tmp_path / "t", target="year").target.name == "year"


def test_an_error_in_a_folder_called_by_a_value_names_it(tmp_path):
    for year, cell in ((2020, 1.5), (2021, "x")):
        folder = tmp_path / "t" / f"year={year}"
        folder.mkdir(parents=True)
        rows = "".join(f"{n}.5,{'ab'[n % 2]}\n" for n in range(20))
        (folder / "part.csv").write_text(f"x,y\n{rows}{cell},a\n")
    with pytest.raises(DataError, match=r"row 22 of year=2021/part\.csv.*'x'"):
        datasets.open(tmp_path / "t")


def test_long_integers_of_json_lines_keep_their_digits(tmp_path):
    codes = [10**20 + n % 3 for n in range(30)]
    lines = [json.dumps({"code": code, "kind": "ab"[code % 2]}) for code in codes]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    (column,) = datasets.open(tmp_path / "t.jsonl").preparation.columns
    assert column.categories == tuple(str(10**20 + n) for n in range(3))


def test_parts_that_do_not_fit_in_memory_are_refused_after_the_first(tmp_path, monkeypatch):
    folder = tmp_path / "t"
    folder.mkdir()
    for number in range(40):
        pq.write_table(TYPED, folder / f"{number}.parquet")
    monkeypatch.setattr(free_memory, "free_memory", lambda: 10_000)
    message = r"t is too large: the whole table needs .* are free\. A table is read as a whole"
    with pytest.raises(DataError, match=message):
        datasets.open(folder)
