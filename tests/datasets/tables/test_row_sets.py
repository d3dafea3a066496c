"""Sets of rows in memory give the same data as their columns."""

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest
import torch

from neuropil import datasets
from neuropil.datasets.tables.row_sets import as_frame

COLUMNS = {
    "weight": [100.0 + k % 7 for k in range(40)],
    "colour": ["red", "green"] * 20,
    "fruit": ["cherry", "apple"] * 20,
}
ROWS = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]


class HuggingFace:
    """Gives columns by name and rows by index, as a data set of Hugging Face does."""

    column_names = tuple(COLUMNS)

    def __getitem__(self, key):
        return COLUMNS[key] if isinstance(key, str) else ROWS[key]

    def __getitems__(self, keys):
        return [ROWS[key] for key in keys]


def parquet(folder):
    pyarrow.parquet.write_table(pa.table(COLUMNS), folder / "rows.parquet")
    return pyarrow.dataset.dataset(folder)


KINDS = {
    "a list": lambda _: ROWS,
    "a tuple": lambda _: tuple(ROWS),
    "an iterator": lambda _: iter(ROWS),
    "Hugging Face": lambda _: HuggingFace(),
    "PyArrow": parquet,
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_open_like_their_columns(tmp_path, kind):
    alike, found = datasets.open(COLUMNS), datasets.open(KINDS[kind](tmp_path))
    assert found.preparation.to_json() == alike.preparation.to_json()
    assert torch.equal(found.train.inputs, alike.train.inputs)
    assert torch.equal(found.train.targets, alike.train.targets)


def test_rows_with_other_names_are_refused():
    rows = [*ROWS[:3], {"weight": 1.0}]
    with pytest.raises(datasets.DataError, match="row 3 has the names weight, row 0"):
        datasets.open(rows)


@pytest.mark.parametrize("other", [COLUMNS, pa.table(COLUMNS), 3, "text"])
def test_what_is_no_set_of_rows_stays(other):
    assert as_frame(other) is other
