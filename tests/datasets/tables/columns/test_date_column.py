"""What a network gets of dates and times of day."""

import json
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil import datasets
from neuropil.datasets import DataError, DateColumn, Table
from neuropil.datasets.preparations import preparation_from_json

START = datetime(2020, 1, 1)


def table(cell, rows=60, name="when", header="x,y") -> str:
    """Return a column made from the number of each row, with two others."""
    lines = [f"{cell(n)},{n % 7},{n + 0.5}" for n in range(rows)]
    return "\n".join([f"{name},{header}", *lines, ""])


def day(n: int, form: str = "%Y-%m-%d", **step: float) -> str:
    """Return a date some steps after the start, of a day each unless said otherwise."""
    return (START + n * timedelta(**(step or {"days": 1}))).strftime(form)


def opened(path, **options):
    """Return a table that is not split, with the column of dates."""
    splits = datasets.open(path, validation=0, test=0, **options)
    return splits, splits.preparation.columns[0]


def note_of(splits, start="Column 'when'") -> str:
    """Return the note that starts with a text."""
    (note,) = [note for note in splits.notes if note.startswith(start)]
    return note


@settings(max_examples=30)
@given(
    st.lists(st.datetimes(datetime(1900, 1, 1), datetime(2099, 1, 1)), min_size=1, max_size=9)
)
def test_the_features_are_elapsed_days_and_places_on_circles(moments):
    column = DateColumn("d", "2000-01-01T00:00:00", ("month", "weekday", "hour"), 0.0, False)
    encoded = column.encode(Table.of({"d": [moment.isoformat() for moment in moments]}), [])
    for moment, row in zip(moments, encoded.tolist(), strict=True):
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        places = [
            (moment.month - 1) / 12,
            moment.weekday() / 7,
            (moment - midnight) / timedelta(days=1),
        ]
        angles = 2 * np.pi * np.repeat(places, 2)
        angles[1::2] += np.pi / 2
        days = (moment - datetime(2000, 1, 1)) / timedelta(days=1)
        assert row == pytest.approx([days, *np.sin(angles)], rel=1e-6, abs=1e-6)
        assert abs(datetime.fromisoformat(column.decode(days)) - moment) <= timedelta(minutes=1)


@pytest.mark.parametrize(
    ("cell", "features"),
    [
        (day, ["days", "month", "weekday"]),
        (lambda n: day(n % 5), ["days", "weekday"]),
        (lambda n: day(n, "%Y-%m-%dT%H:%M", hours=5), ["days", "weekday", "hour"]),
        (lambda n: f"{1950 + n // 12}-{n % 12 + 1:02}", ["days", "month"]),
        (lambda n: f"{1950 + n}-07-01", ["days"]),
        (lambda n: day(n, "%H:%M", minutes=17), ["hours", "hour"]),
        (lambda n: day(n, "%Y%m%d"), ["days", "month", "weekday"]),
        (lambda n: day(n, "%G-W%V", days=7), ["days", "month"]),
        (lambda n: day(n, "%G-W%V-%u"), ["days", "month", "weekday"]),
        (lambda n: 1950 + n, None),
    ],
)
def test_only_what_varies_is_used(write_table, cell, features):
    splits, column = opened(write_table(table(cell)))
    if features is None:
        assert splits.preparation.feature_names == ["when", "x"]
        return
    assert [column.unit, *column.cycles] == features
    assert len(splits.preparation.feature_names) == 2 + 2 * (len(features) - 1)
    again = preparation_from_json(json.loads(json.dumps(splits.preparation.to_json())))
    assert again == splits.preparation
    encoded = again.encode({"x": [0] * 60, "when": [str(cell(n)) for n in range(60)]})
    assert encoded[:, :-1].tolist() == splits.train.inputs[:, :-1].tolist()


def test_a_note_says_how_dates_are_used(write_table):
    splits, _ = opened(write_table(table(day)))
    assert note_of(splits) == (
        "Column 'when': dates from 2020-01-01 to 2020-02-29 in the training rows, used as days "
        "since 2020-01-01, month and weekday."
    )


def test_typed_columns_give_what_their_texts_give(write_table):
    moments = [START + n * timedelta(hours=7) for n in range(60)]
    splits, column = opened(write_table(table(lambda n: moments[n].isoformat())))
    own = splits.preparation.encode({"when": moments, "x": [n % 7 for n in range(60)]})
    assert own.tolist() == splits.train.inputs.tolist()
    days = column.encode(Table.of({"when": [date(2020, 1, 3)]}), [])
    assert days[0, 0] == 2
    clock = DateColumn("t", "1970-01-01T00:00:00", (), 0.0, indicator=False, unit="hours")
    assert clock.encode(
        Table.of({"t": [START.replace(hour=6, minute=30).timetz()]}), []
    ).tolist() == [[6.5]]


def test_missing_dates_get_the_median_no_place_and_an_indicator(write_table):
    path = write_table(table(lambda n: "" if n % 10 == 3 else day(n)))
    splits, column = opened(path)
    assert column.indicator
    rows = splits.train.inputs[[3, 13]]
    assert rows[:, :6].tolist() == [[column.median, 0, 0, 0, 0, 1]] * 2
    assert "Missing values: 'when' in 6 rows" in " ".join(splits.notes)
    notes: list[str] = []
    full = DateColumn("when", "2020-01-01T00:00:00", ("month",), 31.0, indicator=False)
    assert full.encode(Table.of({"when": ["?", ""]}), notes).tolist() == [[31, 0, 0]] * 2
    (note,) = notes
    assert note.startswith("'when' is missing in 2 rows, but never in the training rows: the")
    assert note.endswith("training median, 2020-02-01, is used.")


def test_the_order_of_training_holds_for_new_rows(write_table):
    splits, column = opened(write_table(table(lambda n: day(n, "%d/%m/%Y"))))
    assert column.order == "day first"
    read = splits.preparation.encode({"when": ["3/4/2020", "2020-04-03"], "x": [0, 0]})
    assert read[0, 0] == read[1, 0] == 93
    with pytest.raises(DataError, match=r"row 1: '1/31/2020' is not a date with the day first"):
        splits.preparation.encode({"when": ["1/31/2020"], "x": [0]})


def test_an_undecided_order_is_said(write_table):
    few = table(lambda n: f"0{n % 9 + 1}/0{n % 7 + 1}/2020")
    splits, column = opened(write_table(few))
    assert column.order == "month first"
    said = [note for note in splits.notes if "is read as" in note]
    assert " ".join(said) == (
        "Column 'when': '01/01/2020' is read as 2020-01-01, with the month first; no date of "
        "the column shows whether the day comes first instead. Write dates as 2024-12-31 to be "
        "sure."
    )
    _, column = opened(write_table(few.replace(",", ";")))
    assert column.order == "day first"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (lambda n: "soon" if n == 5 else day(n), "row 7: 'soon' is not a date, as the others"),
        (lambda n: "2020-02-30" if n % 30 == 5 else day(n), r"row 7: '2020-02-30' \(1 more"),
        (
            lambda n: "9999-12-31" if n % 9 == 5 else day(n),
            r"9999-12-31T00:00:00 \(6 more like",
        ),
        (
            lambda n: ["1/31/2020", "31/1/2020"][n % 2],
            "'31/1/2020' in row 3 has the day first, '1/31/2020' in row 2 the month first",
        ),
    ],
)
def test_what_is_not_a_date_among_dates_is_refused(write_table, cell, message):
    with pytest.raises(DataError, match=message):
        opened(write_table(table(cell)))


def test_dates_that_a_network_cannot_use(write_table):
    splits, _ = opened(write_table(table(lambda _: "2020-01-01")))
    assert note_of(splits).endswith("left out: all training rows have the same date.")
    _, column = opened(write_table(table(day)))
    for wrong in ("12:30", "word", "7"):
        with pytest.raises(
            DataError, match=f"needs dates, as in the training rows, got '{wrong}'"
        ):
            column.encode(Table.of({"when": [wrong]}), [])
    assert column.encode(Table.of({"when": ["", "?"]}), []).shape == (2, 5)


def test_seasons_of_two_years_are_words(write_table):
    splits, _ = opened(write_table(table(lambda n: f"20{n % 20:02}-{n % 20 + 1:02}")))
    assert "when=2012-13" in splits.preparation.feature_names


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "soon"},
        {"origin": 3},
        {"cycles": ["year"]},
        {"cycles": ["month", "month"]},
        {"unit": "weeks"},
        {"order": "year first"},
        {"median": "1"},
    ],
)
def test_a_damaged_column_is_refused(change):
    good = DateColumn("d", "2020-01-01T00:00:00", ("month",), 0.0, indicator=False).to_json()
    assert DateColumn.from_fields(json.loads(json.dumps(good))).to_json() == good
    with pytest.raises(DataError, match=f"'{next(iter(change))}' must be"):
        DateColumn.from_fields({**good, **change})


def test_a_date_that_marks_a_missing_value_is_refused_in_new_rows():
    days = [f"2024-01-{1 + n % 28:02d}" for n in range(60)]
    splits = datasets.open({"when": days, "y": ["a", "b"] * 30})
    with pytest.raises(DataError, match=r"'when', row 2: 9999-12-31.* looks like a mark"):
        splits.preparation.encode({"when": ["2024-05-01", "9999-12-31"]})


def test_a_date_that_64_bits_cannot_hold_is_refused():
    far = pa.array([10**14 * n for n in range(60)], pa.timestamp("s"))
    with pytest.raises(DataError, match="column 'when' holds a date beyond the years"):
        datasets.open(pa.table({"when": far, "y": ["a", "b"] * 30}))


@pytest.mark.parametrize(
    ("name", "read"), [("month", True), ("Order date", True), ("x", False)]
)
def test_numbers_of_year_and_month_are_dates_under_such_a_name(write_table, name, read):
    cells = [f"{1950 + n // 12}{n % 12 + 1:02}" for n in range(60)]
    text = table(lambda n: cells[n], name=name, header="z,y")
    splits, column = opened(write_table(text))
    assert isinstance(column, DateColumn) == read
    if read:
        dashed = {name: [f"{cell[:4]}-{cell[4:]}" for cell in cells]}
        expected = column.encode(Table.of(dashed), [])
        assert np.array_equal(splits.train.inputs[:, : expected.shape[1]].numpy(), expected)


def test_a_week_is_its_monday_and_a_wrong_one_is_not_a_date(write_table):
    _, column = opened(write_table(table(lambda n: day(n, "%G-W%V", days=7))))
    first, second = column.encode(Table.of({"when": ["2020-W01", "2020-W02"]}), [])[:, 0]
    assert (column.origin, first, second) == ("2019-12-30T00:00:00", 0, 7)
    text = table(lambda n: "2021-W53" if n == 5 else f"2020-W{n % 9 + 1:02}")
    assert not isinstance(opened(write_table(text))[1], DateColumn)
