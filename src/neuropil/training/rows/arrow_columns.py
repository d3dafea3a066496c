"""Columns of PyArrow as tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neuropil.datasets.data_errors import DataError
from neuropil.text import number_of
from neuropil.training.rows.values import parts_of_batch

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.training.rows.fields import Layout


def parts_of_table(table: Any, layout: Layout) -> tuple[tuple[Tensor, ...], Tensor | None]:
    """Return the inputs and the targets of a PyArrow table or record batch.

    Args:
        table: The table.
        layout: The names of the columns of the inputs and of the target.

    Raises:
        DataError: If a column has empty cells or does not contain numbers.
    """
    wanted = names_of(layout)
    columns = {name: column_tensor(table.column(name), name) for name in wanted}
    return parts_of_batch(columns, layout)


def names_of(layout: Layout) -> list[Any]:
    """Return the names of all columns that a layout needs."""
    names = [name for keys in layout.inputs for name in keys]
    return names if layout.target is None else [*names, layout.target]


def column_tensor(column: Any, name: Any) -> Tensor:
    """Return a column of numbers, or of lists of numbers of one length, as a tensor.

    Raises:
        DataError: If it has empty cells or does not contain such values.
    """
    if column.null_count:
        raise DataError(
            f"column {name!r} has {number_of(column.null_count, 'empty cell')}: fill them or "
            "drop the rows first."
        )
    array = column.combine_chunks() if hasattr(column, "combine_chunks") else column
    sizes = [len(array)]
    while hasattr(array.type, "value_type") and hasattr(array, "flatten"):
        inner = array.flatten()
        length = len(inner) // max(1, len(array))
        lengths = array.value_lengths() if hasattr(array, "value_lengths") else None
        if lengths is not None and np.any(lengths.to_numpy(zero_copy_only=False) != length):
            raise DataError(f"column {name!r} has lists of different lengths.")
        sizes.append(length)
        array = inner
    values = array.to_numpy(zero_copy_only=False)
    if values.dtype.kind not in "buif":
        raise DataError(
            f"column {name!r} has values of type {array.type}, and numbers are needed: encode "
            "them first, as neuropil.datasets.open does for a table."
        )
    return torch.from_numpy(np.array(values, order="C")).reshape(sizes)
