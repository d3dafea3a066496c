"""Tables in memory: they give the same columns and tensors, bit for bit, as their CSV file."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest
from tests.datasets.tables.fruit import COUNT, NAMES, PLAIN, TYPED, opened

from neuropil import datasets
from neuropil.datasets import DataError

FRAME = TYPED.to_pandas(integer_object_nulls=True)
# The same table in memory.
FRAMES: dict[str, Callable[[], Any]] = {
    "PyArrow": lambda: TYPED,
    "PyArrow, in pieces": lambda: pa.concat_tables([TYPED.slice(0, 7), TYPED.slice(7)]),
    "PyArrow, dictionaries": lambda: TYPED.set_column(
        2, "colour", TYPED["colour"].dictionary_encode()
    ),
    "pandas": lambda: FRAME,
    "pandas, NaN for missing": TYPED.to_pandas,
    "pandas, nullable": FRAME.convert_dtypes,
    "pandas, Arrow types": lambda: FRAME.convert_dtypes(dtype_backend="pyarrow"),
    "pandas, categories": lambda: FRAME.astype({"colour": "category", "kind": "category"}),
    "pandas, single precision": lambda: FRAME.astype({"size": "float32"}),
    "pandas, an index": lambda: FRAME.set_index(np.arange(COUNT) + 5),
    "pandas, objects": lambda: FRAME.astype(object),
    "Polars": lambda: polars.from_arrow(TYPED),
    "Polars, categories": lambda: polars.from_arrow(TYPED).with_columns(
        polars.col("colour").cast(polars.Categorical),
        polars.col("kind").cast(polars.Enum(["b", "a"])),
    ),
    "Polars, decimals": lambda: polars.from_arrow(TYPED).with_columns(
        polars.col("size").cast(polars.Decimal(10, 2))
    ),
    "lists": TYPED.to_pydict,
    "arrays": lambda: {
        name: column.to_numpy(zero_copy_only=False)
        for name, column in zip(NAMES, TYPED.columns, strict=True)
    },
}


@pytest.mark.parametrize("case", FRAMES)
def test_a_table_in_memory_is_the_same_table(plain, case):
    assert opened(FRAMES[case]()) == plain


@pytest.mark.parametrize("case", FRAMES)
def test_a_table_in_memory_is_predicted_like_its_file(tmp_path, case):
    (tmp_path / "plain.csv").write_text(PLAIN)
    preparation = datasets.open(tmp_path / "plain.csv", target="kind").preparation
    read = datasets.read_for_prediction(preparation, tmp_path / "plain.csv").inputs
    assert preparation.encode(FRAMES[case]()).numpy().tobytes() == read.numpy().tobytes()


def test_numbers_of_any_size_are_the_same_from_memory_and_from_text(tmp_path):
    random = np.random.default_rng(0)
    values = random.normal(size=(300, 4)) * 10.0 ** random.integers(-30, 30, (300, 4))
    frame = pd.DataFrame(values, columns=list("abcd")).assign(
        e=values[:, 0].astype(np.float32),
        f=random.integers(-(2**62), 2**62, 300),
        g=random.integers(0, 2**16, 300).astype(np.uint16),
        kind=np.arange(300) % 3,
    )
    frame.loc[::7, "a"] = np.nan
    frame.to_csv(tmp_path / "table.csv", index=False)
    frame.to_parquet(tmp_path / "table.parquet")
    found = [
        opened(data)
        for data in (
            tmp_path / "table.csv",
            tmp_path / "table.parquet",
            frame,
            polars.from_pandas(frame),
            pa.Table.from_pandas(frame),
        )
    ]
    assert all(other == found[0] for other in found[1:])


TWO = pa.table({"x": [1.5, 2.5], "y": ["a", "b"]})


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (lambda: polars.from_arrow(TWO).lazy(), "a LazyFrame cannot be read as a table"),
        (lambda: np.zeros((3, 2)), "a ndarray cannot be read as a table"),
        (lambda: {"x": [1, 2], "y": [1]}, "columns of different lengths: {'x': 2, 'y': 1}"),
        (lambda: {"x": [[1], [2]], "y": [1, 2]}, "the table, column 'x', row 1: [1] is a list"),
        (
            lambda: pd.DataFrame({"x": [1j, 2j], "y": [1, 2]}),
            "column 'x', row 1: a cell must be a number, a word",
        ),
        (lambda: pd.DataFrame([[1, 2]], columns=["x", "x"]), "Expected unique column names"),
        (lambda: TWO.slice(0, 0), "the table has no rows"),
        (dict, "the table has no rows"),
        (list, "an empty list cannot be read as a table: give rows as dicts"),
        (lambda: [(1, "a"), (2, "b")], "a list of rows such as (1, 'a') cannot be read as a"),
    ],
)
def test_what_is_no_table_in_memory_is_one_line(frame, message):
    with pytest.raises(DataError) as caught:
        datasets.open(frame())
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
