"""Columns of many words."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from neuropil import datasets
from neuropil.datasets import DataError, HashedColumn, Table
from neuropil.datasets.preparations import preparation_from_json


def words(count: int, rows: int) -> str:
    """Return a table with a column of many words, all of them in many rows."""
    lines = [f"w{n % count},{n % 5},{n % 2}" for n in range(rows)]
    return "\n".join(["word,x,y", *lines, ""])


def test_many_words_are_hashed_with_a_note(write_table):
    splits = datasets.open(write_table(words(300, 2000)), validation=0, test=0)
    column = splits.preparation.columns[0]
    assert column == HashedColumn("word", 256, indicator=False)
    assert "Column 'word': 300 distinct words are hashed into 256 features." in splits.notes
    codes = splits.train.inputs[:300, :256]
    assert len(codes.unique(dim=0)) == 300
    again = preparation_from_json(json.loads(json.dumps(splits.preparation.to_json())))
    assert again == splits.preparation
    assert again.encode({"x": [0], "word": ["w7"]})[0, :256].tolist() == codes[7].tolist()


@pytest.mark.parametrize("count", [256, 20])
def test_fewer_words_are_categories(write_table, count):
    splits = datasets.open(write_table(words(count, 2000)), validation=0, test=0)
    assert len(splits.preparation.columns[0].features) == count


def test_words_of_single_rows_are_left_out(write_table):
    splits = datasets.open(write_table(words(1800, 2000)), validation=0, test=0)
    assert [column.name for column in splits.preparation.columns] == ["x"]


def test_numbers_with_a_unit_are_numbers_however_many(write_table):
    lines = [f"{n % 300} kg,{n % 5},{n % 2}" for n in range(2000)]
    splits = datasets.open(write_table("\n".join(["weight,x,y", *lines])))
    assert splits.preparation.columns[0].unit == "kg"
    assert not [note for note in splits.notes if "hashed" in note]


def test_each_word_has_four_signed_places_and_unit_length_on_average():
    column = HashedColumn("w", 256, indicator=False)
    encoded = column.encode(Table.of({"w": [f"word {n}" for n in range(2000)]}), [])
    places = (encoded != 0).sum(1)
    assert set(places.tolist()) <= {2, 3, 4}
    assert (places == 4).mean() > 0.95
    assert np.square(encoded).sum(1).mean() == pytest.approx(1, abs=0.02)
    # The inner product of different words is 0 on average.
    assert abs((encoded @ encoded.T)[np.triu_indices(2000, 1)].mean()) < 0.001


def test_missing_words_are_zeros_with_an_indicator():
    column = HashedColumn("w", 16, indicator=True)
    encoded = column.encode(Table.of({"w": ["a", "", "?"]}), [])
    assert encoded[:, -1].tolist() == [0, 1, 1]
    assert not encoded[1:, :-1].any()
    notes: list[str] = []
    HashedColumn("w", 16, indicator=False).encode(Table.of({"w": [""]}), notes)
    assert notes == [
        "'w' is missing in 1 row, but never in the training rows: encoded as zeros."
    ]


def test_every_process_hashes_alike():
    code = (
        "from neuropil.datasets import HashedColumn, Table\n"
        "column = HashedColumn('w', 64, indicator=False)\n"
        "print(column.encode(Table.of({'w': ['Oslo', 'Zürich', '北京']}), []).tolist())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    own = HashedColumn("w", 64, indicator=False)
    assert (
        str(own.encode(Table.of({"w": ["Oslo", "Zürich", "北京"]}), []).tolist())
        in outputs.pop()
    )


@pytest.mark.parametrize("width", [3, 1 << 20, True, 8.0])
def test_a_damaged_column_is_refused(width):
    good = HashedColumn("w", 8, indicator=False).to_json()
    with pytest.raises(DataError, match="'width' must be a whole number from 4 to 65,536"):
        HashedColumn.from_fields({**good, "width": width})
