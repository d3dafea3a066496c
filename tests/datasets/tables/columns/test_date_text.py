"""Dates and times in texts, held against Python's and pandas' own readers."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil.datasets.tables.columns.date_text import DAY_FIRST, MONTH_FIRST, read_dates

MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59))
# pandas keeps nanoseconds in 64 bits.
OF_PANDAS = st.datetimes(datetime(1700, 1, 1), datetime(2261, 12, 31))
SHORT_YEARS = st.datetimes(datetime(1969, 1, 1), datetime(2068, 12, 31))
# The form, and what it keeps of a moment.
DAY, MINUTE, SECOND = {"hour": 0, "minute": 0, "second": 0}, {"second": 0}, {}
FORMS = [
    ("%Y-%m-%d", DAY),
    ("%Y/%m/%d", DAY),
    ("%Y.%m.%d", DAY),
    ("%Y-%m", DAY | {"day": 1}),
    ("%Y-%m-%dT%H:%M:%S", SECOND),
    ("%Y-%m-%d %H:%M", MINUTE),
    ("%Y%m%dT%H%M%S", SECOND),
    ("%d.%m.%Y", DAY),
    ("%d.%m.%Y %H:%M:%S", SECOND),
    ("%d %b %Y", DAY),
    ("%d-%B-%Y %H:%M", MINUTE),
    ("%b %d, %Y", DAY),
    ("%B %d %Y %I:%M %p", MINUTE),
    ("%a, %d %b %Y %H:%M:%S", SECOND),
    ("%d/%b/%Y:%H:%M:%S", SECOND),
    ("%Y/%m/%d, %I:%M:%S%p", SECOND),
]
ORDERED = [
    ("%d/%m/%Y", DAY, DAY_FIRST),
    ("%d-%m-%Y %H:%M", MINUTE, DAY_FIRST),
    ("%m/%d/%Y", DAY, MONTH_FIRST),
    ("%m-%d-%Y", DAY, MONTH_FIRST),
    ("%m/%d/%Y %I:%M:%S %p", SECOND, MONTH_FIRST),
]
SHORT = [("%d/%m/%y", DAY_FIRST), ("%m/%d/%y", MONTH_FIRST), ("%d.%m.%y", DAY_FIRST)]


def written(moment: datetime, form: str) -> str:
    """Return a moment in a form; glibc leaves out the zeros of early years."""
    return moment.strftime(form.replace("%Y", f"{moment.year:04}"))


def stored(moments, **kept):
    """Return moments as numpy's, without their microseconds."""
    plain = [moment.replace(microsecond=0, **kept) for moment in moments]
    return np.array(plain, "datetime64[us]")


@pytest.mark.parametrize(("form", "kept"), FORMS)
@settings(max_examples=10)
@given(st.lists(MOMENTS, min_size=1, max_size=5))
def test_every_form_is_read_as_python_writes_it(form, kept, moments):
    found = read_dates(pa.array([written(moment, form) for moment in moments]))
    assert not found.words.any()
    assert found.instants.tolist() == stored(moments, **kept).tolist()
    assert (found.local == found.instants).all()
    assert not found.clock


@pytest.mark.parametrize(("form", "kept", "order"), ORDERED)
@settings(max_examples=10)
@given(st.lists(MOMENTS, min_size=1, max_size=5))
def test_the_column_decides_whether_the_day_comes_first(form, kept, order, moments):
    telling = [*moments, datetime(2024, 12, 31)]
    found = read_dates(pa.array([written(moment, form) for moment in telling]))
    assert (found.order, found.decided, found.contrary) == (order, True, None)
    assert found.instants.tolist() == stored(telling, **kept).tolist()
    again = read_dates(pa.array([written(moment, form) for moment in moments]), order=order)
    assert again.instants.tolist() == stored(moments, **kept).tolist()


@pytest.mark.parametrize(("form", "order"), SHORT)
@settings(max_examples=10)
@given(st.lists(SHORT_YEARS, min_size=1, max_size=5))
def test_short_years_are_those_of_posix(form, order, moments):
    found = read_dates(pa.array([moment.strftime(form) for moment in moments]), order=order)
    assert found.instants.tolist() == stored(moments, **DAY).tolist()


@settings(max_examples=30)
@given(
    st.lists(OF_PANDAS, min_size=1, max_size=5),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["", ".1", ".25", ",125", ".123456", ".123456789"]),
    st.booleans(),
)
def test_offsets_and_fractions_agree_with_pandas(moments, offset, fraction, colon):
    zone = timezone(timedelta(minutes=offset))
    suffix = datetime(2024, 1, 1, tzinfo=zone).strftime("%z")
    suffix = f"{suffix[:3]}:{suffix[3:]}" if colon else suffix
    texts = [f"{written(m, '%Y-%m-%dT%H:%M:%S')}{fraction}{suffix}" for m in moments]
    found = read_dates(pa.array(texts))
    micro = int(fraction[1:].ljust(6, "0")[:6]) if fraction else 0
    exact = [m.replace(microsecond=micro, tzinfo=zone) for m in moments]
    utc = np.array([m.astimezone(UTC).replace(tzinfo=None) for m in exact], "datetime64[us]")
    assert found.instants.tolist() == utc.tolist()
    naive = [m.replace(tzinfo=None) for m in exact]
    assert found.local.tolist() == np.array(naive, "datetime64[us]").tolist()
    parsed = pd.to_datetime(pd.Series(texts).str.replace(",", "."), utc=True, format="ISO8601")
    assert parsed.dt.tz_localize(None).to_numpy("datetime64[us]").tolist() == utc.tolist()


@settings(max_examples=30)
@given(st.lists(OF_PANDAS, min_size=1, max_size=5), st.booleans())
def test_columns_with_a_type_of_their_own(moments, early):
    unit = "ms" if early else "us"
    found = read_dates(pa.array(moments, pa.timestamp(unit)))
    assert (
        found.instants.astype(f"datetime64[{unit}]").tolist()
        == np.array(moments, f"datetime64[{unit}]").tolist()
    )
    days = read_dates(pa.array([moment.date() for moment in moments]))
    assert days.instants.tolist() == stored(moments, **DAY).tolist()
    times = read_dates(pa.array([moment.timetz() for moment in moments]))
    assert times.clock
    texts = read_dates(pa.array([f"{moment:%H:%M:%S.%f}" for moment in moments]))
    assert texts.clock
    assert times.instants.tolist() == texts.instants.tolist()
    zoned = read_dates(pa.array(moments, pa.timestamp("us", "Asia/Kolkata")))
    exact = np.array(moments, "datetime64[us]")
    assert zoned.instants.tolist() == exact.tolist()
    assert ((zoned.local - exact) >= np.timedelta64(5, "h")).all()


def test_months_and_short_names_in_any_case():
    cells = ["1 MAY 2024", "1st june 2024", "sept 3, 2024", "Sunday, 3 Mar. 24", "2. Jan 2024"]
    found = read_dates(pa.array(cells))
    days = ["2024-05-01", "2024-06-01", "2024-09-03", "2024-03-03", "2024-01-02"]
    assert [str(day)[:10] for day in found.instants] == days


def test_noon_midnight_and_the_end_of_a_day():
    cells = ["12:00 am", "12:30 PM", "1:05 p.m.", "24:00", "0:00", "13:00 pm", "24:01", "9:60"]
    found = read_dates(pa.array(cells))
    minutes = (found.instants[:5] - np.datetime64(0, "us")) / np.timedelta64(1, "m")
    assert minutes.tolist() == [0, 750, 785, 1440, 0]
    assert found.words.tolist() == [False] * 5 + [True] * 3


def test_missing_dates_and_those_that_the_calendar_lacks():
    cells = ["2024-02-29", "2023-02-29", "", "NaT", "0000-00-00", "2024-13-01", "soon"] * 2
    found = read_dates(pa.array([*cells, *["2024-01-01"] * 20]))
    assert found.words[:7].tolist() == [False, True, False, False, False, True, True]
    assert np.isnat(found.instants[:7]).tolist() == [False] + [True] * 6


def test_an_undecided_column_is_read_in_the_usual_order():
    cells = pa.array(["3/4/2024", "5/6/2024"])
    found = read_dates(cells)
    assert (found.order, found.decided, str(found.instants[0])[:10]) == (
        MONTH_FIRST, False, "2024-03-04",
    )  # fmt: skip
    assert str(read_dates(cells, usual=DAY_FIRST).instants[0])[:10] == "2024-04-03"
    points = read_dates(pa.array(["3.4.2024"]))
    assert (points.order, points.decided) == (DAY_FIRST, True)


def test_both_orders_in_one_column_are_found():
    found = read_dates(pa.array(["", "1/2/2024", "1/31/2024", "31/1/2024"]))
    assert found.contrary == (3, 2)


@pytest.mark.parametrize(
    "cells",
    [
        ["1.2.10", "1.3.4", "2.0.1"],
        ["192.168.0.1", "10.0.0.1"],
        ["16:9", "4:3"],
        ["2019-2020", "2020-2021"],
        ["1.5", "2024", "20240131"],
        ["+49-30-1234", "555-12-3456"],
        ["a", "b"],
        ["", "?"],
        [],
    ],
)
def test_other_texts_are_not_dates(cells):
    assert read_dates(pa.array(cells, pa.string())) is None
    assert read_dates(pa.array([1.5, 2024])) is None
