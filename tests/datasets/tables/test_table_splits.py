"""Division of tables by a column, by time, and what is said of it."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil import datasets
from neuropil.datasets import DataError

START = datetime(2020, 1, 1)


def frame(rows=120, **columns):
    """Return a table in memory with one input, further columns, and a target."""
    random = np.random.default_rng(0)
    named = {name: [cell(n) for n in range(rows)] for name, cell in columns.items()}
    return {
        "x": random.normal(size=rows).tolist(),
        **named,
        "y": random.normal(size=rows).tolist(),
    }


def places(splits, table):
    """Return the rows of each part, found by their first input."""
    column = np.array(table["x"], np.float32).tolist()
    parts = (splits.train, splits.validation, splits.test)
    return [[column.index(x) for x in part.inputs[:, 0].tolist()] for part in parts]


def note_of(splits, start):
    """Return the one note that starts with a text."""
    (note,) = [note for note in splits.notes if note.startswith(start)]
    return note


@pytest.mark.parametrize(
    "cell",
    [lambda n: f"p{n % 17}", lambda n: n % 17, lambda n: f"{n % 17}.0" if n % 2 else n % 17],
)
def test_rows_of_one_value_stay_together(cell):
    table = frame(patient=cell)
    splits = datasets.open(table, split_by="patient")
    assert splits.preparation.feature_names == ["x"]
    found = [{row % 17 for row in rows} for rows in places(splits, table)]
    assert sum(map(len, found)) == 17
    assert note_of(splits, "Split by") == (
        f"Split by 'patient': no value is in two parts ({len(found[0])} in training, "
        f"{len(found[1])} in validation and {len(found[2])} in test), and the column is not an "
        "input."
    )
    again = datasets.open(table, split_by="patient", seed=0)
    assert again.train.inputs.tolist() == splits.train.inputs.tolist()
    other = datasets.open(table, split_by="patient", seed=1)
    assert other.train.inputs.tolist() != splits.train.inputs.tolist()


@settings(max_examples=20)
@given(st.lists(st.integers(0, 10**9), min_size=20, max_size=60), st.booleans(), st.booleans())
def test_dates_split_by_time_for_any_dates(seconds, typed, zoned):
    moments = [START + timedelta(seconds=value) for value in seconds]
    if len(set(moments)) < 3:
        return
    texts = [f"{m:%Y-%m-%dT%H:%M:%S}{'+02:00' if zoned else ''}" for m in moments]
    table = frame(len(seconds), when=lambda n: moments[n] if typed else texts[n])
    splits = datasets.open(table, split_by="when")
    train, validation, test = ([moments[n] for n in rows] for rows in places(splits, table))
    assert max(train) < min(validation)
    assert max(validation) < min(test)
    assert len(train) + len(validation) + len(test) == len(moments)


def test_a_split_by_time_is_said_with_its_dates():
    table = frame(when=lambda n: f"{START + timedelta(days=n % 60):%d.%m.%Y}" if n else "")
    splits = datasets.open(table, split_by="when")
    assert splits.preparation.feature_names[1] == "when (days)"
    assert 0 in places(splits, table)[0]
    assert note_of(splits, "Split by time") == (
        "Split by time, 'when': training from 2020-01-01 to 2020-02-11, validation from "
        "2020-02-12 to 2020-02-17, test from 2020-02-18 to 2020-02-29; training has 1 "
        "row without a date."
    )
    assert not [note for note in splits.notes if "at random" in note]


def test_times_of_a_zone_are_said_in_utc():
    table = frame(when=lambda n: f"{START + timedelta(hours=n):%Y-%m-%dT%H:%M}+02:00")
    splits = datasets.open(table, split_by="when", validation=0)
    assert note_of(splits, "Split by time") == (
        "Split by time, 'when': training from 2019-12-31 22:00 to 2020-01-04 21:00, test from "
        "2020-01-04 22:00 to 2020-01-05 21:00 in UTC."
    )
    note = note_of(splits, "Column 'when'")
    assert "dates from 2019-12-31 22:00 to 2020-01-04 21:00 in UTC in the training rows" in note


def test_dates_without_a_split_by_time_are_warned_of():
    table = {"my day": [START + timedelta(days=n) for n in range(120)], **frame()}
    note = note_of(datasets.open(table), "The rows are split at random.")
    assert "set split_by= to 'my day' to train on the earliest rows and test on the" in note
    clock = frame(at=lambda n: f"{n % 24}:30")
    assert not [note for note in datasets.open(clock).notes if "at random" in note]


def test_times_of_day_are_groups():
    splits = datasets.open(frame(at=lambda n: f"{n % 24}:30"), split_by="at")
    assert note_of(splits, "Split by").startswith("Split by 'at': no value is in two parts")


def test_rows_without_a_value_are_one_group():
    table = frame(patient=lambda n: ["", "?", None][n % 3] if n % 5 == 0 else f"p{n % 17}")
    splits = datasets.open(table, split_by="patient")
    found = [{n % 5 == 0 for n in rows} for rows in places(splits, table)]
    assert sum(True in part for part in found) == 1
    assert note_of(splits, "Split by").endswith("24 rows without a value stay together.")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split_by": "when"}, "has no column 'when' to split by"),
        ({"split_by": "patint"}, "Did you mean 'patient'"),
        ({"split_by": "y"}, "column 'y': the rows cannot be split by the target"),
        (
            {"split_by": "site"},
            "column 'site': 2 distinct values in 120 rows cannot be divided",
        ),
        ({"split_by": "day"}, "column 'day': 2 distinct values in 120 rows cannot be divided"),
        (
            {"split_by": "late", "target": "kind"},
            "split by this column, all training rows have the class 'a'",
        ),
    ],
)
def test_splits_that_cannot_be_are_refused(options, message):
    table = frame(
        patient=lambda n: n % 17,
        site=lambda n: "ab"[n % 2],
        day=lambda n: f"2020-01-0{n % 2 + 1}",
        late=lambda n: START + timedelta(days=n),
        kind=lambda n: "ab"[n >= 90],
    )
    with pytest.raises(DataError, match=message):
        datasets.open(table, **options)


def test_a_class_that_is_never_trained_on_is_said():
    table = frame(
        when=lambda n: START + timedelta(days=n), kind=lambda n: "abc"[n % 2 + (n > 95)]
    )
    splits = datasets.open(table, split_by="when", target="kind")
    assert note_of(splits, "No training row").startswith("No training row has the class 'c': a")


def test_only_tables_are_split_by_a_column(write_pictures):
    with pytest.raises(DataError, match="`split_by` does not apply to"):
        datasets.open(write_pictures("cat", "dog"), split_by="x")


def test_parts_of_one_seed_are_those_of_before(write_table):
    """Without a column to split by, the split is that of `split_indices`."""
    splits = datasets.open(frame(), seed=3)
    own = datasets.split_indices(np.array(frame()["y"]), seed=3)
    assert [len(part) for part in own] == [len(p) for p in places(splits, frame())]
    assert places(splits, frame()) == [part.tolist() for part in own]


def test_values_that_stand_in_a_test_table_too_are_said(write_table, tmp_path):
    rows = [f"{n},{n % 10},{n % 2}" for n in range(100)]
    write_table("\n".join(["x,patient,y", *rows]), "train.csv")
    path = write_table("x,patient,y\n1.5,77,0\n2.5,3.0,1\n3.5,?,1\n", "test.csv")
    splits = datasets.open(tmp_path, split_by="patient", validation=0)
    assert len(splits.test) == 3
    assert note_of(splits, "1 of 3 test rows have a value of 'patient' that training rows")
    path.write_text("x,y\n1.5,0\n2.5,1\n")
    without = datasets.open(tmp_path, split_by="patient", validation=0)
    assert len(without.test) == 2
    assert not [note for note in without.notes if "test rows have" in note]
