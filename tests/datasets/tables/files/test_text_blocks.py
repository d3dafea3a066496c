"""Blocks of lines: they give what the csv module reads from the whole, or nothing."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuropil import datasets
from neuropil.datasets.tables import table
from neuropil.datasets.tables.files import text_blocks
from neuropil.datasets.tables.files.dialect import Layout
from neuropil.datasets.tables.files.text_cells import read_regular

LAYOUT = Layout(",", escape=False, names=["a", "b"], header=True, start=0, row=2)
WORDS = st.text(st.sampled_from('ab1.,"\n\r x'), max_size=6)
ROWS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=12)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Cut blocks after a few bytes, and read ahead from the first row."""
    monkeypatch.setattr(text_blocks, "BLOCK", 16)
    monkeypatch.setattr(table, "MANY_ROWS", 1)


def cells(text, head=7):
    """Return the rows that blocks give, or None."""
    raw = text.encode()
    found = read_regular(raw[:head], io.BytesIO(raw[head:]), LAYOUT)
    if found is None:
        return None
    columns, rows = found
    assert list(rows) == list(range(2, 2 + len(columns[0])))
    return list(zip(*(column.to_pylist() for column in columns), strict=True))


@given(ROWS, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.sampled_from("\n\r"))
def test_blocks_give_all_rows_or_nothing(rows, quoting, end):
    text = io.StringIO(newline="")
    csv.writer(text, quoting=quoting, lineterminator=end).writerows(rows)
    found = cells(text.getvalue())
    assert found is None or found == [(a.strip(), b.strip()) for a, b in rows]


@given(st.lists(st.tuples(*[st.integers(-999, 999)] * 2), min_size=1, max_size=40))
def test_numbers_are_always_read(rows):
    text = "".join(f"{a},{b}\n" for a, b in rows)
    assert cells(text) == [(str(a), str(b)) for a, b in rows]


@pytest.mark.parametrize(
    "text",
    [
        '1,"abc\ndef,ghi"\n3,4\n5,6\n',  # a cut within quotes leaves two rows of two cells
        '1,"a\n2,b"\n' * 9,
        "1,2\n\n3,4\n5,6\n7,8\n",
        "1,2\n3,4\n5,6\n7,8,9\n",
        "1,2\n3,4\n5,6\n7,\0\n",
        '1,2\n3,4\n5,6\n7, "8"\n',
    ],
)
def test_what_blocks_cannot_hold_is_left_to_another_reader(text):
    assert cells(text) is None


def test_a_table_of_many_blocks_is_the_table(tmp_path):
    lines = [f"{n / 8},{n % 7 or ''},{'äb'[n % 2]}" for n in range(300)]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["x,n,y", *lines]))
    train = datasets.open(path, validation=0, test=0).train
    assert train.inputs[:, 0].tolist() == [n / 8 for n in range(300)]
    assert np.flatnonzero(train.inputs[:, 2]).tolist() == list(range(0, 300, 7))


def test_a_character_that_the_head_cuts_is_no_error(tmp_path, monkeypatch):
    lines = [f"{n},{'öß'[n % 2]}" for n in range(60)]
    raw = "\n".join(["größe,y", *lines]).encode()
    path = tmp_path / "table.csv"
    path.write_bytes(raw)
    for size in range(40, 60):
        monkeypatch.setattr(text_blocks, "HEAD", size)
        splits = datasets.open(path, validation=0, test=0)
        assert splits.target.classes == ("ß", "ö")
        assert not any("UTF-8" in note for note in splits.notes)
