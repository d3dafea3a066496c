"""What is learnt of columns, and in what precision."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch

from neuropil import datasets
from neuropil.datasets import DataError, NumberColumn
from neuropil.datasets.preparations import preparation_from_json


def table(column, target=lambda n: "ab"[n % 2], rows=60, name="x") -> str:
    """Return a column made from the number of each row, another column, and a target."""
    lines = [f"{column(n)},{(n * 7) % 5}.5,{target(n)}" for n in range(rows)]
    return "\n".join([f"{name},other,y", *lines, ""])


def training(path):
    """Return all rows as the network gets them, and the preparation."""
    splits = datasets.open(path, validation=0, test=0)
    return splits.train.inputs[:, 0].double().numpy(), splits


@pytest.mark.parametrize(
    "values",
    [
        1_700_000_000_000.0 + 1000 * np.arange(60),
        1_700_000_000.0 + np.arange(60),
        1e9 + 10 * np.sin(np.arange(60)),
        -1e12 + np.arange(60) / 8,
        101_325.0 + np.cos(np.arange(60)) / 100,
        1e-40 * np.arange(1, 61),
        1e44 * np.arange(1, 61),
        1e300 * np.arange(1, 61),
        1e-300 * np.cos(np.arange(60)),
    ],
)
def test_values_far_from_zero_or_of_odd_size_keep_their_differences(write_table, values):
    encoded, splits = training(write_table(table(lambda n: repr(float(values[n])))))
    exact = (values - values.mean()) / np.abs(values).max()
    exact /= np.abs(exact).max()
    found = encoded - encoded.mean()
    found /= np.abs(found).max()
    np.testing.assert_allclose(found, exact, atol=2e-3)
    column = splits.preparation.columns[0]
    middle = [column.decode(value) for value in encoded.tolist()]
    np.testing.assert_allclose(middle, values, rtol=1e-6)
    again = preparation_from_json(json.loads(json.dumps(splits.preparation.to_json())))
    torch.testing.assert_close(
        again.encode({"other": [0.5], "x": [float(values[7])]})[0, 0].item(), encoded[7]
    )


def test_usual_columns_stay_as_they_are(write_table):
    encoded, splits = training(write_table(table(lambda n: n / 8)))
    assert encoded.tolist() == [n / 8 for n in range(60)]
    assert splits.preparation.columns[0] == NumberColumn("x", 59 / 16, indicator=False)


def test_a_missing_value_is_the_median_after_the_offset(write_table):
    encoded, splits = training(write_table(table(lambda n: 1_700_000_000_000 + n if n else "")))
    column = splits.preparation.columns[0]
    assert column.offset == column.median
    assert encoded[0] == 0
    assert splits.train.inputs[0, 1] == 1


def test_differences_that_no_number_holds_are_said(write_table):
    path = write_table(table(lambda n: 9_223_372_036_854_775_000 + n))
    _, splits = training(path)
    assert any("the rounding of numbers of their size (about 1e+03)" in n for n in splits.notes)


def test_long_integers_that_come_again_are_categories(write_table):
    path = write_table(table(lambda n: 90071992547409920 + n % 3))
    _, splits = training(path)
    assert splits.preparation.feature_names[:3] == [f"x=9007199254740992{n}" for n in range(3)]


def test_two_long_integers_that_become_one_are_categories(write_table):
    path = write_table(table(lambda n: 2**60 + n % 2))
    _, splits = training(path)
    assert splits.preparation.feature_names[:2] == [f"x={2**60 + n}" for n in range(2)]


def test_targets_far_from_zero_keep_their_digits(write_table):
    path = write_table(table(lambda n: n / 10, lambda n: 1e9 + n + 0.25))
    splits = datasets.open(path, validation=0, test=0)
    assert splits.train.targets.dtype == torch.float64
    assert splits.train.targets.tolist() == [1e9 + n + 0.25 for n in range(60)]
    target = splits.preparation.target
    standard = target.standardize(splits.train.targets)
    assert standard.dtype == torch.float32
    torch.testing.assert_close(
        target.restore(standard), splits.train.targets, atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("mark", ["-999", "9999", "-9999.0", "99999"])
def test_marks_for_unknown_values_among_numbers_are_refused(write_table, mark):
    path = write_table(table(lambda n: mark if n % 20 == 5 else n % 13 / 10))
    with pytest.raises(
        DataError, match=rf"column 'x', row 7: '{mark}' \(2 more like it\) among"
    ):
        datasets.open(path)


@pytest.mark.parametrize(
    "column",
    [
        lambda n: 99 if n % 20 == 5 else n,
        lambda n: -999 if n == 5 else n % 13,
        lambda n: 9999 - 37 * n,
        lambda n: [0, 99][n % 2],
    ],
)
def test_numbers_that_only_look_like_marks_are_read(write_table, column):
    encoded, _ = training(write_table(table(column)))
    assert encoded.tolist() == [float(column(n)) for n in range(60)]


@pytest.mark.parametrize(
    "missing", ["None", "<NA>", "NULL", "#N/A", "-nan", "NaT", "\\N", "1.#IND"]
)
def test_what_programs_write_for_unknown_numbers(write_table, missing):
    path = write_table(table(lambda n: missing if n % 20 == 5 else n % 13))
    _, splits = training(path)
    assert splits.preparation.columns[0].indicator
    assert splits.train.inputs[5, 1] == 1


@pytest.mark.parametrize("word", ["-", ".", "--", "missing", "#VALUE!", "#DIV/0!", "unknown"])
def test_other_words_among_numbers_are_refused_with_row_and_column(write_table, word):
    path = write_table(table(lambda n: word if n % 20 == 5 else n % 13))
    with pytest.raises(DataError, match="column 'x', row 7: "):
        datasets.open(path)


def test_the_word_none_is_a_category_in_a_file_and_in_memory(write_table):
    path = write_table(table(lambda n: ["Brick", "None", "Stone"][n % 3]))
    _, splits = training(path)
    assert splits.preparation.feature_names[:3] == ["x=Brick", "x=None", "x=Stone"]
    words = {"x": ["None", None, "Brick"], "other": [1, 1, 1]}
    assert splits.preparation.encode(words)[:, 1].tolist() == [1, 0, 0]
    new = write_table("x,other\nNone,1\nBrick,1\n", "new.csv")
    assert datasets.read_for_prediction(splits.preparation, new).inputs[:, 1].tolist() == [1, 0]


def test_rows_of_empty_cells_are_kept_for_prediction(write_table):
    path = write_table(table(lambda n: ["Brick", "Stone"][n % 2]))
    _, splits = training(path)
    new = write_table("x,other\nBrick,1\n,\nStone,2\n", "new.csv")
    read = datasets.read_for_prediction(splits.preparation, new)
    assert read.names == ["new.csv, row 2", "new.csv, row 3", "new.csv, row 4"]
    assert read.inputs[1].tolist() == [0, 0, splits.preparation.columns[1].median]


@pytest.mark.parametrize("start", [1_700_000_000_000_000, 9_000_000_000_000_000])
def test_exact_integers_close_together_need_no_note(write_table, start):
    path = write_table(table(lambda n: start + n))
    _, splits = training(path)
    assert not any("values differ by" in note for note in splits.notes)


def test_a_typed_column_without_values_is_said_to_have_none():
    nothing = pa.nulls(60, pa.timestamp("ns"))
    frame = pa.table({"x": range(60), "z": nothing, "y": ["a", "b"] * 30})
    notes = datasets.open(frame).notes
    assert "Column 'z' left out: no training row has a value." in notes


@pytest.mark.parametrize(
    ("cell", "note"),
    [
        (lambda n: f"{n + 1}.932", "Read as numbers: 'x' ('1.932' is 1.932)."),
        (lambda n: f"{n + 1}.932" if n % 2 else f"{n + 1}", "'x' ('2.932' is 2.932)"),
        (lambda n: f"0.{n + 100}", None),
        (lambda n: f"{n + 1}.93", None),
    ],
)
def test_points_that_may_separate_thousands_are_said(write_table, cell, note):
    lines = [f"{cell(n)};{'ab'[n % 2]}" for n in range(60)]
    _, splits = training(write_table("\n".join(["x;y", *lines, ""])))
    found = [each for each in splits.notes if each.startswith("Read as numbers")]
    assert bool(found) == (note is not None)
    assert note is None or note in found[0]


@pytest.mark.parametrize("cell", ["3", "Oslo"])
def test_a_column_of_one_value_is_left_out_with_a_note(write_table, cell):
    rows = [f"{cell},{n},{'ab'[n % 2]}" for n in range(300)]
    splits = datasets.open(write_table("\n".join(["place,x,y", *rows])))
    assert [column.name for column in splits.preparation.columns] == ["x"]
    assert (
        f"Column 'place' left out: all training rows have the value '{cell}'." in splits.notes
    )
    rows[200] = rows[200].replace(cell, "", 1)  # where the value is missing may tell something
    splits = datasets.open(write_table("\n".join(["place,x,y", *rows])), test=0, validation=0)
    assert [column.name for column in splits.preparation.columns] == ["place", "x"]
