"""Text tables as they come."""

import numpy as np
import pandas as pd
import pytest

from neuropil import datasets
from neuropil.datasets import DataError, Table

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
    assert splits.classes == ["a", "b"]


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
    assert "has no header line: its columns are called column1 to column3" in splits.notes[0]


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
        ("a,b,a\n1,2,3\n", "more than one column called 'a'"),
        ("a\n1\n2\n", "one column only, 'a'"),
        ('a,b\n1,"2\n3,4\n', "table.csv, line 3: unexpected end of data"),
        (b"PK\3\4\0\0a,b\n1,2\n", "is not a text table: it holds zero bytes"),
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
    columns = [column.to_pylist() for column in table.columns]
    assert columns == [["31.5", ""], ["Ada", ""], ["1", ""]]
