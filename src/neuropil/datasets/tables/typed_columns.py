"""Columns with types of their own: what they are converted to, and their texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuropil.checks import shown
from neuropil.datasets.data_errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

Column: TypeAlias = "pa.Array"
"""Text, integers, floats, timestamps or durations; null and NaN are missing values."""


def as_column(values: pa.Array | pa.ChunkedArray, name: str, source: str) -> Column:
    """Return a column as text, integers, double precision, timestamps or durations.

    Text has no null: a missing value is empty, as in a text table. Numbers in single precision
    become the numbers that their texts mean, 0.1 and not 0.10000000149.

    Args:
        values: The column, of any type.
        name: Its name, for the error.
        source: File of the table, for the error.

    Raises:
        DataError: If the cells are lists, records, or bytes that are not text.
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    kind = values.type
    if pa.types.is_dictionary(kind):
        return as_column(values.dictionary_decode(), name, source)
    for accepts, convert in CONVERSIONS:
        if accepts(kind):
            return convert(values)
    if is_bytes(kind):
        try:
            return as_words(pc.cast(values, pa.string()))
        except pa.ArrowInvalid:
            pass
    first = int(np.argmax(values.is_valid().to_numpy(zero_copy_only=False)))
    cell = values[first].as_py()
    what = {dict: "a record", list: "a list", bytes: "bytes"}.get(type(cell), f"{kind}")
    raise DataError(
        f"{source}, column {name!r}, row {first + 1}: {shown(cell)} is {what}, but a cell must "
        "be a number, a word, a date or a truth value: give each part a column of its own."
    )


def as_words(values: pa.Array) -> pa.StringArray:
    """Return cells as stripped text, empty where missing."""
    text = values if pa.types.is_string(values.type) else pc.cast(values, pa.string())
    if is_time(values.type):
        text = without_zeros(text)
    return pc.utf8_trim_whitespace(pc.fill_null(text, "") if text.null_count else text)


def as_truth_values(values: pa.BooleanArray) -> pa.StringArray:
    """Return truth values as Python and pandas write them."""
    return pc.fill_null(pc.if_else(values, "True", "False"), "")


def as_doubles(values: pa.Array) -> pa.DoubleArray:
    """Return numbers of lower precision as the doubles nearest to their shortest texts."""
    numbers = values.to_numpy(zero_copy_only=False)
    exact = np.array(numbers.astype("U32"), float)
    return pa.array(exact, pa.float64(), from_pandas=True)


def is_time(kind: pa.DataType) -> bool:
    """Return whether a type holds the time of a day."""
    return pa.types.is_time(kind)


def is_words(kind: pa.DataType) -> bool:
    """Return whether a type is stored as text: words, and decimals, which may be codes."""
    views = pa.types.is_string_view(kind) or pa.types.is_large_string(kind)
    return pa.types.is_string(kind) or views or pa.types.is_decimal(kind) or is_time(kind)


def is_bytes(kind: pa.DataType) -> bool:
    """Return whether a type holds bytes, which may be text."""
    return any(
        test(kind)
        for test in (
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_fixed_size_binary,
            pa.types.is_binary_view,
        )
    )


def unchanged(values: pa.Array) -> pa.Array:
    """Return a column as it is."""
    return values


# What accepts a type, and what converts it; the first that accepts it is used.
CONVERSIONS: tuple[
    tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], pa.Array]], ...
] = (
    (is_words, as_words),
    (pa.types.is_null, as_words),
    (pa.types.is_uint64, unchanged),
    (pa.types.is_integer, lambda values: pc.cast(values, pa.int64())),
    (pa.types.is_float64, unchanged),
    (pa.types.is_floating, as_doubles),
    (pa.types.is_boolean, as_truth_values),
    (pa.types.is_timestamp, unchanged),
    (pa.types.is_date, lambda values: pc.cast(pc.cast(values, pa.date32()), pa.timestamp("s"))),
    (pa.types.is_duration, unchanged),
)


def is_text(column: Column) -> bool:
    """Return whether a column is text, whose cells may be numbers in any notation."""
    return pa.types.is_string(column.type)


def as_text(column: Column) -> pa.StringArray:
    """Return the cells of a column as text, empty where missing.

    Args:
        column: Result of `as_column`.
    """
    if is_text(column):
        return column
    if pa.types.is_duration(column.type):
        texts = (None if cell is None else str(cell) for cell in column.to_pylist())
        return pc.fill_null(pa.array(texts, pa.string()), "")
    text = pc.fill_null(pc.cast(column, pa.string()), "")
    if pa.types.is_timestamp(column.type):
        return without_zeros(text)
    return pc.if_else(pc.equal(text, "nan"), "", text)


def without_zeros(text: pa.StringArray) -> pa.StringArray:
    """Return times without fractions that are zero, as dates if all are midnights."""
    text = pc.replace_substring_regex(text, r"(\d\d:\d\d:\d\d)\.0+", r"\1")
    midnight = pc.match_substring_regex(text, r"^$|^\S+ 00:00:00$")
    return pc.replace_substring(text, " 00:00:00", "") if pc.all(midnight).as_py() else text


def as_numbers(column: Column) -> np.ndarray:
    """Return a column of numbers or durations in double precision, NaN where missing.

    Args:
        column: A column that is neither text nor timestamps. Durations become seconds.
    """
    ticks = 1.0
    if pa.types.is_duration(column.type):
        ticks = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[column.type.unit]
        column = pc.cast(column, pa.int64())
    if not column.null_count:
        values = column.to_numpy(zero_copy_only=False)
    elif pa.types.is_floating(column.type):
        values = pc.fill_null(column, np.nan).to_numpy(zero_copy_only=False)
    else:
        values = pc.fill_null(column, 0).to_numpy(zero_copy_only=False).astype(float)
        values[column.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return (
        values.astype(float, copy=False) / ticks
        if ticks > 1
        else values.astype(float, copy=False)
    )
