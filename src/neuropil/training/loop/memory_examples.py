"""Examples in memory and their checks."""

from __future__ import annotations

import dataclasses
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
    """Inputs, targets and weights with the examples along axis 0.

    Attributes:
        inputs: One tensor per input of the network.
        targets: One tensor, a tuple of tensors, or None.
        title: Purpose of the examples, such as ``"training"``, for messages.
        weights: The weight of each example, with a mean of 1; None if all are equal.
    """

    inputs: tuple[Tensor, ...]
    targets: Targets
    title: str
    weights: Tensor | None = None

    def __len__(self) -> int:
        return len(self.inputs[0])

    @property
    def columns(self) -> tuple[Tensor, ...]:
        """All tensors: inputs, targets and weights."""
        return (*self.inputs, *as_tuple(self.targets), *as_tuple(self.weights))

    def batch(self, columns: tuple[Tensor, ...]) -> Any:
        """Return tensors in the order of `columns` as a batch, the argument of a step."""
        count = len(self.inputs)
        inputs = columns[0] if count == 1 else columns[:count]
        if self.targets is None:
            return inputs
        end = count + len(as_tuple(self.targets))
        targets = columns[count:end] if isinstance(self.targets, tuple) else columns[count]
        return inputs, targets, *columns[end:]

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
        data: ``(inputs, targets)`` or ``(inputs, targets, weights)``, an object with the
            attributes `inputs` and `targets`, or one array.
        title: Purpose of the examples, for messages.

    Raises:
        ValueError: If an array does not contain numbers, or the examples cannot be used.
    """
    parts = parts_of(data)
    if parts is None:
        return None
    inputs = as_tensors(parts[0], f"{title} inputs")
    targets = as_tensors(parts[1], f"{title} targets")
    weights = None if parts[2] is None else as_tensor(parts[2], f"{title} weights")
    arrays = Arrays(as_tuple(inputs), targets, title, weights)
    arrays.check_lengths()
    arrays.check_finite(arrays.inputs, "inputs")
    arrays.check_finite(as_tuple(targets), "targets")
    if weights is None:
        return arrays
    return dataclasses.replace(arrays, weights=relative_weights(weights, title))


def parts_of(data: Any) -> tuple[Any, Any, Any] | None:
    """Return inputs, targets and weights, or None if `data` is an iterable of batches.

    Raises:
        ValueError: If a tuple has another number of parts.
    """
    if hasattr(data, "inputs") and hasattr(data, "targets"):
        return data.inputs, data.targets, None
    rows = isinstance(data, TensorDataset)  # the last part of a row is its target
    if rows:
        data = data.tensors
    if isinstance(data, tuple):
        if len(data) != 2 and (rows or len(data) != 3):
            raise ValueError(
                f"data in memory must be (inputs, targets) or (inputs, targets, weights), got "
                f"{len(data)} parts; put several inputs in a tuple: ((first, second), targets)."
            )
        return data[0], data[1], data[2] if len(data) == 3 else None
    is_array = isinstance(data, Tensor) or hasattr(data, "__array__")
    return (data, None, None) if is_array else None


def relative_weights(weights: Tensor, title: str) -> Tensor:
    """Return the weights of the examples divided by their mean.

    Raises:
        ValueError: If there is not one weight per example, or a weight is negative or not
            finite, or all are zero.
    """
    if weights.ndim != 1:
        raise ValueError(
            f"the {title} weights must be one number per example, (N,), got "
            f"{tuple(weights.shape)}; several inputs are a tuple: ((first, second), targets)."
        )
    weights = weights.double()
    if not (weights.isfinite().all() and (weights >= 0).all() and weights.sum() > 0):
        raise ValueError(f"the {title} weights must be finite, not negative, and not all zero.")
    return weights / weights.mean()


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
