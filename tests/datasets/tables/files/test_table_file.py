"""Text tables as they come."""

import csv
import gzip
import io
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil import datasets
from neuropil.datasets import DataError, Table
from neuropil.datasets.tables.files.table_file import read_table

PLAIN = "weight,colour,kind\n1.5,red,a\n2.5,blue,b\n3.5,red,a\n4.5,blue,b\n"


def opened(path):
    """Return the only splits that four rows allow."""
    return datasets.open(path, validation=0, test=1)


def all_inputs(splits):
    """Return training and test rows in the order of their first column."""
    rows = np.concatenate([splits.train.inputs, splits.test.inputs])
    return rows[rows[:, 0].argsort()].tolist()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (PLAIN, "plain.csv"),
        (PLAIN.replace(",", ";"), "semicolon.csv"),
        (PLAIN.replace(",", "\t"), "tab.csv"),
        (PLAIN.replace(",", "\t"), "tab.tsv"),
        (PLAIN.replace(",", "|"), "bar.csv"),
        (PLAIN.replace(",", ";").replace(".", ","), "decimal_comma.csv"),
        (PLAIN.replace("\n", "\r\n"), "windows.csv"),
        (PLAIN.replace(",", " , "), "spaces.csv"),
        ("\ufeff" + PLAIN, "marked.csv"),
        (PLAIN.replace("red", '"red"').replace("weight", '"weight"'), "quoted.csv"),
        (PLAIN + "\n,,\n\n", "blank_rows.csv"),
        (PLAIN.encode("utf-16"), "excel.csv"),
    ],
)
def test_every_dialect_is_the_same_table(write_table, text, name):
    splits = opened(write_table(text, name))
    assert splits.preparation.feature_names == ["weight", "colour=blue", "colour=red"]
    assert all_inputs(splits) == [[1.5, 0, 1], [2.5, 1, 0], [3.5, 0, 1], [4.5, 1, 0]]
    assert list(splits.target.classes) == ["a", "b"]


def test_quoted_cells_hold_delimiters_quotes_and_line_breaks(write_table):
    text = PLAIN.replace("red", '"light, ""red""\nor so"')
    splits = opened(write_table(text))
    assert splits.preparation.feature_names[2] == 'colour=light, "red"\nor so'


def test_a_decimal_comma_is_said(write_table):
    splits = opened(write_table(PLAIN.replace(",", ";").replace(".", ",")))
    assert splits.notes[1] == "Read as numbers: 'weight' ('1,5' is 1.5)."


def test_a_table_without_header_gets_names(write_table):
    splits = opened(write_table(PLAIN.split("\n", 1)[1]))
    assert splits.preparation.feature_names == ["column1", "column2=blue", "column2=red"]
    assert splits.preparation.target.name == "column3"
    assert "has no header line: its columns are named column1 to column3" in splits.notes[0]


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("a,b\nx,y\nz,y\nx,w\nz,w\n", True),
        ("x,y\nx,w\nz,y\nx,w\n", False),
        ("20,19\n1,2\n3,4\n1,4\n", False),
        ("weight,2020\n1,2\n3,4\n1,4\n", True),
        ("x,b\n1,2\n3,4\n?,5\n", True),
        (",b,c\n1,2,4\n3,4,5\n5,6,6\n", True),
        ("?,7\n1,2\n3,2\n5,7\n", False),
    ],
)
def test_the_header_is_seen(write_table, text, header):
    splits = datasets.open(write_table(text), validation=0, test=0)
    assert splits.preparation.header == header
    assert len(splits.train) == text.count("\n") - header


def test_latin_letters_of_windows_are_read_and_said(write_table):
    splits = opened(write_table(PLAIN.replace("red", "süß").encode("cp1252")))
    assert splits.preparation.feature_names[2] == "colour=süß"
    assert "is not UTF-8: read as Windows-1252" in splits.notes[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "table.csv is empty"),
        ("\n\n", "table.csv is empty"),
        ("a,b\n", "table.csv has a header but no rows"),
        ("a,b\n1,2\n3\n", "row 3: 1 cells, but the header has 2"),
        ("a,b\n1,2\n\n3,4,5\n", "row 4: 3 cells, but the header has 2"),
        ("a,b,a\n1,2,3\n", "more than one column named 'a'"),
        ("a\n1\n2\n", "only one column, 'a'"),
        ('a,b\n1,"2\n3,4\n', "table.csv, line 3: unexpected end of data"),
        (b"PK\3\4\0\0a,b\n1,2\n", "is not a text table: it contains zero bytes"),
        ("a,b\n1," + "x" * 200_000 + "\n", "line 2: field larger than field limit"),
    ],
)
def test_what_is_no_table_is_said(write_table, text, message):
    with pytest.raises(DataError, match=message):
        datasets.open(write_table(text))


def test_a_table_in_memory_may_be_a_data_frame():
    frame = pd.DataFrame(
        {"age": [31.5, np.nan], "name": ["Ada", None], "n": pd.array([1, None], "Int64")}
    )
    table = Table.of(frame)
    assert table.names == ["age", "name", "n"]
    assert [column.to_pylist() for column in table.columns] == [
        [31.5, None],
        ["Ada", ""],
        [1, None],
    ]
    texts = [table.text(name).to_pylist() for name in table.names]
    assert texts == [["31.5", ""], ["Ada", ""], ["1", ""]]


CELLS = st.text(
    st.one_of(
        st.sampled_from("abz09 ,;|\t\"'\n\r.-#€é\\"),
        st.characters(codec="utf-8", exclude_categories=["C", "Z"]),
    ),
    max_size=8,
).filter(lambda cell: not set(cell) & set("\0\x1a\ufeff"))
ROWS = st.lists(
    st.tuples(st.integers(-999, 999), CELLS, st.floats(-1e3, 1e3)), min_size=3, max_size=12
)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    rows=ROWS,
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    packed=st.booleans(),
)
def test_what_the_csv_module_writes_is_read_back(
    tmp_path_factory, rows, delimiter, quoting, end, encoding, packed
):
    if quoting == csv.QUOTE_MINIMAL:
        # The csv module quotes only the line breaks that end its rows.
        rows = [(a, word.replace("\r", "").replace("\n", ""), b) for a, word, b in rows]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerow(["number", "word", "value"])
    writer.writerows(rows)
    raw = text.getvalue().encode(encoding)
    path = tmp_path_factory.mktemp("table") / f"table.csv{'.gz' * packed}"
    path.write_bytes(gzip.compress(raw) if packed else raw)
    table = read_table(path, [], header=True, expected=["number", "word", "value"])
    assert table.names == ["number", "word", "value"]
    found = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    assert found == [tuple(str(cell).strip() for cell in row) for row in rows]
    assert list(table.rows) == list(range(2, 2 + len(rows)))


@pytest.mark.parametrize("delimiter", [" ", ":", "^", "~", "\x01", "\x1f"])
def test_rare_delimiters_are_seen(write_table, delimiter):
    splits = opened(write_table(PLAIN.replace(",", delimiter)))
    assert splits.preparation.feature_names == ["weight", "colour=blue", "colour=red"]


def test_aligned_columns_are_parted_by_any_number_of_spaces(write_table):
    text = "  x    y\n 1.5   a\n10.25  b\n 3     a\n 4.5   b\n"
    assert all_inputs(opened(write_table(text))) == [[1.5], [3], [4.5], [10.25]]


def test_quotes_after_a_backslash_are_part_of_the_cell(write_table):
    rows = [f'"say \\"{n}, {n}\\"",{n}.5,{"ab"[n % 2]}' for n in range(6)]
    table = read_table(write_table("\n".join(["t,x,y", *rows])), [])
    assert table.column("t").to_pylist()[2] == 'say "2, 2"'


def test_spaces_before_quotes_are_no_part_of_the_cell(write_table):
    table = read_table(write_table('a, "b", c\n1, "x, y", 2\n3, "z", 4\n'), [])
    assert table.names == ["a", "b", "c"]
    assert table.column("b").to_pylist() == ["x, y", "z"]


def test_text_that_excel_keeps_from_being_a_number_is_that_text(write_table):
    table = read_table(write_table('a,b\n"=""007""",1\n="08",2\n'), [])
    assert table.column("a").to_pylist() == ["007", "08"]


def test_quotes_within_a_cell_are_kept(write_table):
    table = read_table(write_table('a,b\n5" pipe,1\n6" pipe,2\n'), [])
    assert table.column("a").to_pylist() == ['5" pipe', '6" pipe']


def test_reading_a_table_beside_torch_ends_the_process_in_order():
    code = (
        "import torch\n"
        "from neuropil.datasets.tables.files.dialect import Layout\n"
        "from neuropil.datasets.tables.files.text_cells import arrow_cells\n"
        "layout = Layout(',', escape=False, names=['a', 'b'], header=True, start=0, row=2)\n"
        "assert len(arrow_cells(b'1,2', layout)) == 1"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def test_too_many_columns_are_refused(write_table):
    with pytest.raises(DataError, match=r"has 100,001 columns; the limit is 100,000"):
        read_table(write_table("," * 100_000 + "\n1\n"), [])


@settings(deadline=None, max_examples=80, derandomize=True)
@given(data=st.data())
def test_mutated_tables_give_a_table_or_one_line(tmp_path_factory, data):
    check_mutated(tmp_path_factory, data)


@pytest.mark.soak
@settings(deadline=None, max_examples=5000)
@given(data=st.data())
def test_thousands_of_mutated_tables_give_a_table_or_one_line(tmp_path_factory, data):
    check_mutated(tmp_path_factory, data)


def check_mutated(tmp_path_factory, data):
    """Open a table that was changed in some places."""
    raw = bytearray(MUTATED[data.draw(st.integers(0, len(MUTATED) - 1))])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(raw)))
        piece = data.draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=3)))
        raw[place : place + data.draw(st.integers(0, 9))] = piece
    path = tmp_path_factory.mktemp("mutated") / "table.csv"
    path.write_bytes(raw)
    line = ""
    try:
        datasets.open(path)
    except DataError as error:
        line = str(error)
    assert "\n" not in line
    assert len(line) < 1500


PIECES = [
    b'"',
    b",",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"#",
    b"sep=;",
    b"1e999",
    b"NA",
    b";",
    b"\t",
]
PIECES += [b"\xef\xbb\xbf", b"\xff\xfe", b"$", b"%", b"(", b"-", b" ", b"\\", b"9" * 400]
MUTATED = [
    "\n".join(
        ["x,w,y", *(f'{n}.5,"{"ab"[n % 2]}",{"pq"[n % 3 > 1]}' for n in range(12))]
    ).encode(),
    "\n".join(["x;y", *(f"1.{100 + n},5;{n}" for n in range(30))]).encode("utf-16"),
    "\n".join(["preis;größe", *(f"{n} €;{n % 2}" for n in range(12))]).encode("cp1252"),
]
