"""Numbers as programs and people write them."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil import datasets
from neuropil.datasets import DataError, Table
from neuropil.datasets.tables.number_columns import column_numbers
from neuropil.datasets.tables.number_text import read_numbers


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "-2.5", "+3", ".5", "1.", "1e3", "-1.5E-2"], [1, -2.5, 3, 0.5, 1, 1000, -0.015]),
        (["$2,266.11", "$950.00", "-$5"], [2266.11, 950, -5]),
        (["2,266", "950"], [2266, 950]),
        (["1,234,567", "12"], [1234567, 12]),
        (["12,34,567", "1,23,456.5"], [1234567, 123456.5]),
        (["-0,951", "1,731"], [-0.951, 1.731]),
        (["1.234,50 €", "5,00 €"], [1234.5, 5]),
        (["1.234.567", "12"], [1234567, 12]),
        (["2266", "1,731"], [2266, 1.731]),
        (["1e5", "2,5e3"], [1e5, 2500]),
        (["(1,234)", "500"], [-1234, 500]),
        (["($1.50)", "$2"], [-1.5, 2]),
        (["45%", "3 %", "12.5%"], [45, 3, 12.5]),
        (["1 234,5", "2\u202f000,25", "1\xa0000,5"], [1234.5, 2000.25, 1000.5]),
        (["1'234.5", "2’000.5"], [1234.5, 2000.5]),
        (["\u22125", "3"], [-5, 3]),
        (["5,-", "7,50"], [5, 7.5]),
        (["USD 5", "12 USD"], [5, 12]),
        (["kr 5", "6 kr."], [5, 6]),
        (["R$ 1.234,56", "R$ 2,00"], [1234.56, 2]),
        (["100-", "20"], [-100, 20]),
        (["1.5D+02", "2.0D-01"], [150, 0.2]),
        (["£1,000", "£2,500"], [1000, 2500]),
        (["¥1,000", "¥980"], [1000, 980]),
        (["None", "<NA>", "-nan", "#N/A", "\\N", "3"], [np.nan] * 5 + [3]),
    ],
)
def test_a_column_is_read_as_people_mean_it(cells, values):
    found = read_numbers(pa.array(cells))
    np.testing.assert_array_equal(found.values, values)
    assert not found.words.any()


@pytest.mark.parametrize(
    "cell", ["1_0", "0x10", "1 2", "1,2,3", "12:30", "1.2k", "٣", "a", "-"]
)
def test_other_cells_are_words(cell):
    found = read_numbers(pa.array([cell, "7"]))
    assert found.words.tolist() == [True, False]


def column(*cells, rows=40):
    """Return a table of a column and a class."""
    lines = [f'"{cells[n % len(cells)]}",{"ab"[n % 2]}' for n in range(rows)]
    return "\n".join(["x,y", *lines, ""])


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["$5", "€7", "$9", "$11"], r"row 3: '€7' has another unit than '\$5' in row 2"),
        (["45%", "0.3", "12%", "0.1"], "row 3: '0.3' has another unit than '45%'"),
        (["0,5", "0.5", "1,5", "2,5"], "column 'x', row 3: '0.5'"),
    ],
)
def test_columns_that_mix_ways_to_write_are_refused_with_a_cell(write_table, cells, message):
    with pytest.raises(DataError, match=message):
        datasets.open(write_table(column(*cells)))


def test_thousands_and_millions_are_not_lost_without_a_word(write_table):
    cells = [f"{n}.{n % 7}{'kM'[n % 2]}" for n in range(60)]
    with pytest.raises(DataError, match=r"row 2: '0.0k' in a column of numbers that end in"):
        datasets.open(write_table(column(*cells, rows=60)))


def test_a_comma_that_may_mean_both_is_refused_unless_the_file_says(write_table):
    lines = [f"1,{500 + n};{'ab'[n % 2]}" for n in range(40)]
    text = "\n".join(["x;y", *lines])
    with pytest.raises(DataError, match=r"row 2: '1,500' may be 1500 or 1.500"):
        datasets.open(write_table(text))
    text = "\n".join(["w;x;y", *(f"0,{n};{line}" for n, line in enumerate(lines))])
    splits = datasets.open(write_table(text), validation=0, test=0)
    assert splits.train.inputs[:, 1].tolist() == pytest.approx(
        [1.5 + n / 1000 for n in range(40)]
    )
    # Beside numbers with points, and in a file of commas, they part thousands.
    text = "\n".join(["w;x;y", *(f"0.{n};{line}" for n, line in enumerate(lines))])
    assert datasets.open(write_table(text), validation=0, test=0).train.inputs[0, 1] == 1500


def test_thousands_with_points_beside_decimal_commas(write_table):
    lines = [f"{n},5;2.{100 + n};{'ab'[n % 2]}" for n in range(40)]
    splits = datasets.open(write_table("\n".join(["w;x;y", *lines])), validation=0, test=0)
    assert splits.train.inputs[3].tolist() == [3.5, 2103]
    assert any("'x' ('2.100' is 2100)" in note for note in splits.notes)


def test_new_rows_are_read_by_the_decimal_mark_of_the_training_table(write_table):
    lines = [f"0,{n};{'ab'[n % 2]}" for n in range(10, 40)]
    preparation = datasets.open(write_table("\n".join(["x;y", *lines]))).preparation
    for text, value in (("x\n1,250\n", 1.25), ("x\n0.5\n", 0.5), ("x;z\n0,5;1\n", 0.5)):
        text = text if ";" in text else f"{text.replace('x', 'x;z').rstrip()};0\n"
        read = datasets.read_for_prediction(preparation, write_table(text, "new.csv"))
        assert read.inputs[0, 0].item() == pytest.approx(value)


def test_numbers_with_one_unit_are_not_lost(write_table):
    lines = [f"{n / 4} kg,{'ab'[n % 2]}" for n in range(60)]
    splits = datasets.open(write_table("\n".join(["x,y", *lines])), validation=0, test=0)
    assert splits.train.inputs[:, 0].tolist() == [n / 4 for n in range(60)]
    assert "Column 'x': numbers in 'kg'." in splits.notes
    found = splits.preparation.encode({"x": ["7 kg", "8.5kg", "9"]})
    assert found[:, 0].tolist() == [7, 8.5, 9]


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    st.lists(st.floats(-1e6, 1e6).map(lambda v: round(v, 2)), min_size=2, max_size=20),
    st.sampled_from([("{:,.2f}", ""), ("${:,.2f}", ""), ("{:,.2f} €", "swap"), ("{:.2f}", "")]),
)
def test_what_python_formats_is_read_back(values, form):
    pattern, swap = form
    cells = [pattern.format(value) for value in values]
    if swap:
        cells = [cell.translate(str.maketrans(",.", ".,")) for cell in cells]
    np.testing.assert_array_equal(read_numbers(pa.array(cells)).values, values)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9))
def test_what_python_writes_is_read_back_to_the_bit(values):
    table = Table.of({"x": values})
    found = column_numbers(table.column("x"), table.rows, "here")
    assert found.values.tolist() == values
