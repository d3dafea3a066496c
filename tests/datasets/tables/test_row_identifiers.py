"""Columns that only tell rows apart."""

import numpy as np
import pytest

from neuropil import datasets
from neuropil.datasets.tables.row_identifiers import is_identifier_name

IDENTIFIERS = (
    "Id", "ID", "PassengerId", "customerID", "user_id", "id_number", "index", "Index", "row",
    "Row Number", "rowid", "Unnamed: 0", "Unnamed: 0.1", "level_0", "#", "No.", "Nr", "S.No",
    "Sample ID", "patientid", "uuid", "key", "RowNumber", "Serial No.", "lfd. Nr.", "caseno",
    "order_number", "Observation",
)  # fmt: skip
QUANTITIES = (
    "x", "humid", "acid", "liquid", "covid", "number_of_rooms", "rows_of_seats", "heat index",
    "idle", "price", "age", "year", "time", "width", "grid", "solid", "video", "day",
)  # fmt: skip


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_names_of_identifiers(name):
    assert is_identifier_name(name)


@pytest.mark.parametrize("name", QUANTITIES)
def test_names_of_quantities(name):
    assert not is_identifier_name(name)


def sorted_noise(name: str, numbers) -> str:
    """Return noise sorted by class, with a column before it."""
    rows = [f"{v},{(n * 37) % 11},{'ab'[n >= 30]}" for n, v in enumerate(numbers)]
    return "\n".join([f"{name},x,y", *rows, ""])


GAPS = np.cumsum(np.random.default_rng(0).integers(1, 9, 60))


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("", range(60)),
        ("", range(1, 61)),
        ("", GAPS),
        ("PassengerId", GAPS),
        ("id", [f"{n}.0" for n in GAPS]),
        ("X", range(1, 61)),
        ("customer_id", [f"C{n:04}" for n in GAPS]),
        ("user_id", [9007199254740993 + n for n in range(60)]),
        ("row", [str(n) if n % 30 else "" for n in range(60)]),
    ],
)
def test_they_are_left_out_with_a_note(write_table, name, numbers):
    splits = datasets.open(write_table(sorted_noise(name, numbers)))
    assert splits.preparation.feature_names == ["x"]
    (note,) = [note for note in splits.notes if "left out" in note]
    assert note.startswith(f"Column {name or 'column1'!r}")


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("id", [n % 7 for n in range(60)]), ("id", GAPS + 0.5), ("width", GAPS), ("X", GAPS)],
)
def test_what_may_mean_something_is_learnt_from(write_table, name, numbers):
    splits = datasets.open(write_table(sorted_noise(name, numbers)))
    assert splits.preparation.feature_names == [name, "x"]


def test_a_first_column_that_counts_the_rows_is_said(write_table):
    splits = datasets.open(write_table(sorted_noise("t", range(60))))
    assert "Column 't' counts the rows but is used as an input" in " ".join(splits.notes)


def test_new_rows_need_no_identifiers(write_table):
    preparation = datasets.open(write_table(sorted_noise("id", GAPS))).preparation
    read = datasets.read_for_prediction(preparation, write_table("x\n3\n", "new.csv"))
    assert read.inputs.tolist() == [[3]]
