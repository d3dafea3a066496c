"""Which first rows name the columns."""

import numpy as np
import pytest

from neuropil import datasets
from neuropil.datasets import DataError
from neuropil.datasets.tables.files.header import has_header


def noise(columns: int, rows: int = 40, digits: int = 3) -> list[list[str]]:
    """Return rows of random numbers as text."""
    values = np.random.default_rng(0).normal(size=(rows, columns))
    return [[f"{value:.{digits}f}" for value in row] for row in values]


@pytest.mark.parametrize(
    ("first", "below", "expected"),
    [
        (["0", "1", "2"], noise(3), True),
        (["1", "2", "3", "4"], noise(4), True),
        (["0", "1"], noise(2), True),
        (
            ["400", "410", "420", "y"],
            [[*row, "pq"[n % 2]] for n, row in enumerate(noise(3))],
            True,
        ),
        ([f"{400 + 2.5 * n}" for n in range(50)], noise(50), True),
        (["397.3", "400.1", "403.2", "405", "410.5", "412", "413"], noise(7), True),
        (["2019", "2020", "2021"], noise(3), True),
        (["100", "90", "80", "70"], noise(4), True),
        (["0", "1"], [["1", "0"], ["0", "0"], ["1", "1"]], False),
        (["0", "1", "2"], [["3", "4", "5"], ["6", "7", "8"], ["9", "10", "11"]], False),
        (["1", "-1.18", "-1.77"], noise(3), False),
        (["0", "0", "0", "5"], [["0", "1", "0", "3"]] * 9, False),
        (["0.1", "0.2", "0.3"], [["0.2", "0.4", "0.6"], ["0.3", "0.5", "0.7"]], False),
        (["1", "2", "3", "p"], [["4", "9", "1", "p"], ["5", "0", "3", "q"]], False),
    ],
)
def test_numbers_that_name_columns_are_told_from_data(first, below, expected):
    assert has_header([first, *below]) == expected


def written(*lines: str) -> str:
    """Return lines as a text."""
    return "\n".join([*lines, ""])


def body(rows: int = 20) -> list[str]:
    """Return rows of two numbers and a class."""
    return [f"{n}.5,{n % 7}.25,{'pq'[n % 2]}" for n in range(rows)]


def test_the_option_decides(write_table):
    path = write_table(written("1,2", "3,4", "5,4", "7,2"))
    named = datasets.open(path, header=True, validation=0, test=0)
    assert (named.preparation.names, len(named.train)) == (("1", "2"), 3)
    assert not any("header" in note for note in named.notes)
    unnamed = datasets.open(path, header=False, validation=0, test=0)
    assert (unnamed.preparation.names, len(unnamed.train)) == (("column1", "column2"), 4)


def test_the_header_is_kept_for_new_rows(write_table):
    path = write_table(written("0,1,2", *body()))
    for header, rows in ((True, 1), (False, 2)):
        preparation = datasets.open(path, header=header, task="classification").preparation
        new = write_table(written("0,1,2", "3.5,0.25,p"), "new.csv")
        assert len(datasets.read_for_prediction(preparation, new).inputs) == rows


def test_the_option_is_for_tables(tmp_path):
    np.savez(tmp_path / "data.npz", x=np.zeros((9, 2)), y=np.arange(9) % 2)
    with pytest.raises(DataError, match="`header` does not apply to arrays"):
        datasets.open(tmp_path / "data.npz", header=True)


@pytest.mark.parametrize(
    ("lines", "note"),
    [
        (["x1,x2,y", *(f"{line}," for line in body())], "column 4 left out"),
        (["x1,x2,y,", *(f"{line}," for line in body())], "column 4 left out"),
        (["x1,x2,y,", *body()], None),
        (["sep=,", "x1,x2,y", *body()], None),
        (['"sep=,"', "x1,x2,y", *body()], None),
        (["# exported 2024", "x1,x2,y", *body()], "comment skipped: '# exported 2024'"),
        (["# by Ada, 2024, v3", "x1,x2,y", *body()], "comment skipped"),
        (["# Ada", "# v3", "x1,x2,y", *body()], "2 comments skipped: '# Ada'"),
        (["# x1,x2,y", *body()], "its names are in the comment"),
        (["#x1,x2,y", *body()], "its names are in the comment"),
        (["Results of 2024", "x1,x2,y", *body()], "row 1: title skipped: 'Results of 2024'"),
        (["Title", "", "x1,x2,y", *body()], "row 1: title skipped"),
        (["", "x1,x2,y", *body()], None),
    ],
)
def test_lines_and_columns_that_tools_add(write_table, lines, note):
    splits = datasets.open(write_table(written(*lines)), validation=0, test=0)
    assert splits.preparation.feature_names == ["x1", "x2"]
    assert splits.preparation.target.name == "y"
    assert splits.train.inputs[:3].tolist() == [[0.5, 0.25], [1.5, 1.25], [2.5, 2.25]]
    assert (note is None) == (len(splits.notes) == 1)
    assert note is None or any(note in line for line in splits.notes)


@pytest.mark.parametrize("name", ["{}", "Mazda {}"])
def test_the_names_of_rows_that_r_writes_are_left_out(write_table, name):
    rows = [f'"{name.format(n)}",{line}' for n, line in enumerate(body(), 1)]
    text = written('"x1","x2","y"', *rows)
    for delimiter in ",; ":
        splits = datasets.open(write_table(text.replace(",", delimiter)))
        assert splits.preparation.feature_names == ["x1", "x2"]


def test_rows_are_numbered_as_in_the_file(write_table):
    lines = ["sep=,", "x1,x2,y", *body(), "1.5,abc,p"]
    with pytest.raises(DataError, match="row 23: 'abc'"):
        datasets.open(write_table(written(*lines)))
    lines = ["# note", "x1,x2,y", *body(), "", "1.5,abc,p"]
    with pytest.raises(DataError, match="row 24: 'abc'"):
        datasets.open(write_table(written(*lines)))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["x1,x2,y", *body(), "# end"],
            "row 22: 1 cells, but the header has 3; it looks like a c",
        ),
        (["x1,x2", *body()], "row 1: 2 cells, but most rows have 3; it looks like a title"),
        (["x1,x2,y,z", *body()], "row 1: 4 cells, but most rows have 3"),
        (["x1,x2,y", *body(), "1,2"], "row 22: 2 cells, but the header has 3"),
        (["x1,x2,y", *body(9), "x1,x2,y", *body(9)], "column 'x1', row 11: 'x1'"),
    ],
)
def test_other_lines_are_refused_with_their_row(write_table, lines, message):
    with pytest.raises(DataError, match=message):
        datasets.open(write_table(written(*lines)))
