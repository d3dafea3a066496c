"""The parts of rows and batches as tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from neuropil.checks import shown
from neuropil.datasets.data_errors import DataError
from neuropil.training.rows.fields import flat, part

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuropil.training.rows.fields import Layout


def batch_of_rows(
    rows: Sequence[Any], layout: Layout, numbers: Sequence[int]
) -> tuple[tuple[Tensor, ...], Tensor | None]:
    """Return the inputs and the targets of some rows, with the rows along axis 0.

    Args:
        rows: The rows, at least one.
        layout: Where their inputs and targets are.
        numbers: Their numbers, for messages.

    Raises:
        DataError: If rows differ in their parts or shapes, or a part is not numbers.
    """
    rows = [*map(flat, rows)]
    keys = keys_of(rows[0])
    for number, row in zip(numbers, rows, strict=True):
        if keys_of(row) != keys:
            raise DataError(
                f"row {number:,} has {entries(keys_of(row))}, row {numbers[0]:,} has "
                f"{entries(keys)}: all rows must have the same."
            )

    def column(key: Any) -> Tensor:
        return stack([part(row, key) for row in rows], name_of(key), numbers)

    inputs = tuple(combine(keys, column) for keys in layout.inputs)
    return inputs, None if layout.target is None else column(layout.target)


def parts_of_batch(batch: Any, layout: Layout) -> tuple[tuple[Tensor, ...], Tensor | None]:
    """Return the inputs and the targets of a batch.

    Args:
        batch: A tuple or a dict of arrays with the examples along axis 0.
        layout: Where its inputs and targets are.

    Raises:
        DataError: If it has other parts than the first batch, or a part is not numbers.
    """
    batch = flat(batch)

    def column(key: Any) -> Tensor:
        try:
            return as_numbers(part(batch, key), name_of(key))
        except (KeyError, IndexError):
            raise DataError(
                f"a batch has {entries(keys_of(batch))}, but no {name_of(key)}: all batches "
                "must have the same parts."
            ) from None

    inputs = tuple(combine(keys, column) for keys in layout.inputs)
    return inputs, None if layout.target is None else column(layout.target)


def unpack_single(inputs: tuple[Tensor, ...]) -> Any:
    """Return inputs as a network takes them: the only one, or a tuple of several."""
    return inputs if len(inputs) != 1 else inputs[0]


def as_columns(inputs: Any) -> tuple[Tensor, ...]:
    """Return inputs as a tuple, also if there is only one."""
    return inputs if isinstance(inputs, tuple) else (inputs,)


def combine(keys: Sequence[Any], column: Callable[[Any], Tensor]) -> Tensor:
    """Return one input: a part as it is, or several columns side by side."""
    if len(keys) == 1:
        return column(keys[0])
    columns = [column(key) for key in keys]
    kind = torch.float32
    for each in columns:
        kind = torch.promote_types(kind, each.dtype)
    return torch.stack([each.to(kind) for each in columns], dim=1)


def stack(values: Sequence[Any], name: str, numbers: Sequence[int]) -> Tensor:
    """Return a part of all rows as one tensor.

    Raises:
        DataError: If a value is not numbers, or the shapes differ.
    """
    tensors = [
        as_numbers(value, f"{name} of row {number:,}")
        for value, number in zip(values, numbers, strict=True)
    ]
    first = tensors[0]
    for number, tensor in zip(numbers, tensors, strict=True):
        if tensor.shape != first.shape:
            raise DataError(
                f"the {name} of row {number:,} has shape {tuple(tensor.shape)}, that of row "
                f"{numbers[0]:,} has {tuple(first.shape)}: rows of a batch need one shape."
            )
    return torch.stack(tensors)


def as_numbers(value: Any, name: str) -> Tensor:
    """Return an array, a picture, nested lists or a number as a tensor.

    Pictures of Pillow become bytes with the channels first.

    Raises:
        DataError: If it does not contain numbers.
    """
    if isinstance(value, Tensor):
        return value.detach()
    try:
        array = np.asarray(value)
    except ValueError:  # lists of different lengths
        raise DataError(f"the {name} is a list of lists of different lengths.") from None
    if array.dtype.kind not in "buif":
        raise DataError(f"the {name} must be numbers, got {shown(value)}.")
    if hasattr(value, "getbands"):
        array = array[None] if array.ndim == 2 else np.moveaxis(array, -1, 0)
    tensor = torch.from_numpy(np.array(array, order="C"))
    # Python's own numbers are as exact as torch makes them of a list.
    plain = not hasattr(value, "dtype") and tensor.dtype == torch.float64
    return tensor.to(torch.get_default_dtype()) if plain else tensor


def keys_of(item: Any) -> list[Any]:
    """Return the keys of a row or a batch, sorted so that their order does not count."""
    if isinstance(item, dict):
        return sorted(item, key=str)
    return list(range(len(item))) if isinstance(item, tuple | list) else []


def name_of(key: Any) -> str:
    """Return the name of a part for messages."""
    if key is None:
        return "input"
    return f"part {key + 1}" if isinstance(key, int) else f"{key!r}"


def entries(keys: Sequence[Any]) -> str:
    """Return the keys of a row as text."""
    if all(isinstance(key, int) for key in keys):
        return f"{len(keys)} parts"
    return ", ".join(map(str, keys))
