"""Examples in memory and their checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from neuropil.training.nonfinite import first_bad_row

if TYPE_CHECKING:
    from collections.abc import Iterable

Targets = Tensor | tuple[Tensor, ...] | None


@final
@dataclass(frozen=True)
class Arrays:
    """Inputs and targets with the examples along axis 0.

    Attributes:
        inputs: One tensor per input of the network.
        targets: One tensor, a tuple of tensors, or None.
        title: Purpose of the examples, such as ``"training"``, for messages.
    """

    inputs: tuple[Tensor, ...]
    targets: Targets
    title: str

    def __len__(self) -> int:
        return len(self.inputs[0])

    @property
    def columns(self) -> tuple[Tensor, ...]:
        """All tensors, inputs first."""
        return (*self.inputs, *as_tuple(self.targets))

    def batch(self, columns: tuple[Tensor, ...]) -> Any:
        """Return tensors in the order of `columns` as a batch, the argument of a step."""
        count = len(self.inputs)
        inputs = columns[0] if count == 1 else columns[:count]
        if self.targets is None:
            return inputs
        return inputs, columns[count:] if isinstance(self.targets, tuple) else columns[count]

    def head(self, rows: int) -> Any:
        """Return a batch of the first examples."""
        return self.batch(tuple(column[:rows] for column in self.columns))

    def check_lengths(self) -> None:
        """Check that there are examples, and the same number in all arrays.

        Raises:
            ValueError: If there are none, or their numbers differ.
        """
        lengths = {len(column) for column in self.columns}
        if len(lengths) > 1:
            raise ValueError(
                f"the arrays of the {self.title} data, inputs first, have "
                f"{', '.join(f'{len(column):,}' for column in self.columns)} examples: the "
                f"numbers must be equal."
            )
        if lengths == {0}:
            raise ValueError(f"the {self.title} data is empty.")

    def check_finite(self, columns: Iterable[Tensor], name: str) -> None:
        """Check that all numbers are finite.

        Raises:
            ValueError: If an example contains NaN or infinity.
        """
        for column in columns:
            row = first_bad_row(column)
            if row is not None:
                raise ValueError(
                    f"row {row} of the {self.title} {name} contains NaN or infinity: fill or "
                    f"drop such rows first."
                )


def as_arrays(data: Any, title: str) -> Arrays | None:
    """Return data in memory as checked tensors, or None if `data` is an iterable of batches.

    Args:
        data: ``(inputs, targets)``, an object with these attributes, or one array.
        title: Purpose of the examples, for messages.

    Raises:
        ValueError: If an array does not contain numbers, or the examples cannot be used.
    """
    pair = as_pair(data)
    if pair is None:
        return None
    inputs = as_tensors(pair[0], f"{title} inputs")
    targets = as_tensors(pair[1], f"{title} targets")
    arrays = Arrays(as_tuple(inputs), targets, title)
    arrays.check_lengths()
    arrays.check_finite(arrays.inputs, "inputs")
    arrays.check_finite(as_tuple(targets), "targets")
    return arrays


def as_pair(data: Any) -> tuple[Any, Any] | None:
    """Return inputs and targets, or None if `data` is an iterable of batches.

    Raises:
        ValueError: If a tuple is not a pair.
    """
    if hasattr(data, "inputs") and hasattr(data, "targets"):
        return data.inputs, data.targets
    if isinstance(data, TensorDataset):
        data = data.tensors
    if isinstance(data, tuple):
        if len(data) != 2:
            raise ValueError(
                f"data in memory must be a pair (inputs, targets), got a tuple of {len(data)}; "
                f"put several inputs in a tuple: ((first, second), targets)."
            )
        return data
    return (data, None) if isinstance(data, Tensor) or hasattr(data, "__array__") else None


def as_tensors(values: Any, title: str) -> Targets:
    """Convert an array, or a tuple of arrays, to tensors; None stays None."""
    if isinstance(values, tuple):
        return tuple(as_tensor(value, title) for value in values)
    return None if values is None else as_tensor(values, title)


def as_tensor(values: Any, title: str) -> Tensor:
    """Convert an array to a tensor, without a copy if possible.

    Raises:
        ValueError: If it does not contain numbers, or is a single number.
    """
    if not isinstance(values, Tensor):
        array = np.asarray(values)
        if array.dtype.kind not in "buif":
            raise ValueError(f"the {title} must be numbers, got an array of {array.dtype}.")
        array = np.ascontiguousarray(array).reshape(array.shape)
        values = torch.from_numpy(array if array.flags.writeable else array.copy())
    if values.ndim == 0:
        raise ValueError(f"the {title} need the examples along axis 0, got a single number.")
    return values.detach()


def as_tuple(targets: Targets) -> tuple[Tensor, ...]:
    """Return targets as a tuple, empty if there are none."""
    if targets is None:
        return ()
    return targets if isinstance(targets, tuple) else (targets,)
