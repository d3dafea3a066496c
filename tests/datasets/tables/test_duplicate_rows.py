"""Rows that are in the training part and in a held-out part."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neuropil import datasets
from neuropil.datasets import Dataset
from neuropil.datasets.tables.duplicate_rows import count_duplicates, hash_rows

VALUES = st.sampled_from([0.0, -0.0, 1.0, 2.0, 0.5, 1e-40, 3e38])
ROWS = st.lists(st.tuples(VALUES, VALUES, st.integers(0, 2)), min_size=1, max_size=30)


def count(train, held_out):
    """Return the number of rows of one dataset that are in another."""
    return count_duplicates(train, hash_rows(train), held_out)


def dataset(rows):
    """Return rows of two inputs and a target."""
    values = torch.tensor(rows, dtype=torch.float64)
    return Dataset(values[:, :2].float(), values[:, 2].long())


@settings(max_examples=100)
@given(ROWS, ROWS)
def test_the_count_is_that_of_a_set(train, held_out):
    known = {tuple(x + 0.0 for x in row) for row in train}
    expected = sum(tuple(x + 0.0 for x in row) in known for row in held_out)
    assert count(dataset(train), dataset(held_out)) == expected


def test_hashes_of_many_rows_differ():
    """Numbers such as 1, 2 and 4 differ only in their first bits."""
    grid = np.stack(np.meshgrid(*[2.0 ** np.arange(-8, 8)] * 4), axis=-1).reshape(-1, 4)
    data = Dataset(torch.from_numpy(grid).float())
    assert len(np.unique(hash_rows(data))) == len(grid)


def test_several_targets_and_one_different_number():
    inputs = torch.arange(12.0).reshape(4, 3)
    targets = torch.arange(8.0, dtype=torch.float64).reshape(4, 2)
    train = Dataset(inputs, targets)
    assert count(train, train[[2, 0]]) == 2
    other = targets.clone()
    other[1, 1] += 1e-9
    assert count(train, Dataset(inputs, other)) == 3


@pytest.mark.parametrize("chunk", [1, 5, 1 << 20])
def test_chunks_give_the_same_hashes(monkeypatch, chunk):
    data = Dataset(torch.arange(60.0).reshape(20, 3), torch.arange(20))
    before = hash_rows(data).tolist()
    monkeypatch.setattr("neuropil.datasets.tables.duplicate_rows.CHUNK", chunk)
    assert hash_rows(data).tolist() == before


def test_they_are_counted_and_said(write_table, tmp_path):
    lines = [f"{n % 50},{n % 2}" for n in range(100)]
    path = write_table("\n".join(["x,y", *lines]))
    splits = datasets.open(path)
    (note,) = [note for note in splits.notes if note.startswith("Duplicates")]
    trained = {
        tuple(row)
        for row in zip(
            splits.train.inputs[:, 0].tolist(), splits.train.targets.tolist(), strict=True
        )
    }
    counts = [
        sum(
            pair in trained
            for pair in zip(p.inputs[:, 0].tolist(), p.targets.tolist(), strict=True)
        )
        for p in (splits.validation, splits.test)
    ]
    assert f"{counts[0]} of 10 validation rows and {counts[1]} of 20 test rows equal a" in note
    different = write_table("\n".join(["x,y", *(f"{n},{n % 2}" for n in range(100))]))
    assert not [note for note in datasets.open(different).notes if "Duplicates" in note]


def test_those_of_a_test_table_are_said_when_it_is_read(write_table, tmp_path):
    write_table("\n".join(["x,y", *(f"{n},{n % 2}" for n in range(100))]), "train.csv")
    write_table("x,y\n200,1\n3,1\n5,1\n4,1\n", "test.csv")
    splits = datasets.open(tmp_path, validation=0)
    assert len(splits.test) == 4
    (note,) = [note for note in splits.notes if note.startswith("Duplicates")]
    assert note.startswith("Duplicates: 2 of 4 test rows equal a training row in all columns ")
