"""Examples in memory: inputs and, where there are any, targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final, overload

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from neuropil.core.moments import narrow
from neuropil.datasets.data_errors import DataError

MAX_INT64 = np.iinfo(np.int64).max

if TYPE_CHECKING:
    from collections.abc import Sequence


@final
class Dataset:
    """Examples in memory, indexed alike in inputs and targets.

    A slice, mask or list of indices gives a smaller `Dataset`; one number gives the pair
    ``(input, target)``, so a torch ``DataLoader`` takes it too.

    Shape:
        ``inputs``: ``(N, ...)``, channels first. ``targets``: ``(N)`` class numbers (int64),
        ``(N)`` or ``(N, k)`` numbers to be met (floating point), or none.

    Args:
        inputs: NumPy array, torch tensor or nested lists, the examples along axis 0. Bytes stay
            bytes (pictures), other integers become int64, NumPy's floating-point numbers
            float32, or float64 where float32 cannot tell them apart (10⁹ + x); a torch tensor
            is kept as it is.
        targets: One target per example, or None.
        names: One text per example, such as its file's name, or None.

    Raises:
        DataError: If the lengths differ or the values are not numbers.

    Example:
        >>> from neuropil.datasets import Dataset
        >>> data = Dataset([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]], [0, 1, 1])
        >>> data
        Dataset(3 examples of shape (2), 2 classes)
        >>> data[1:].targets
        tensor([1, 1])
        >>> data[0]
        (tensor([0., 1.]), tensor(0))
    """

    def __init__(
        self, inputs: Any, targets: Any = None, *, names: Sequence[str] | None = None
    ) -> None:
        self.inputs = as_inputs(inputs)
        self.targets = None if targets is None else as_targets(targets)
        self.names = None if names is None else list(names)
        for title, values in (("targets", self.targets), ("names", self.names)):
            if values is not None and len(values) != len(self.inputs):
                raise DataError(
                    f"{len(self.inputs):,} inputs came with {len(values):,} {title}: there "
                    "must be one for each."
                )

    def __len__(self) -> int:
        return len(self.inputs)

    @overload
    def __getitem__(self, key: int) -> tuple[Tensor, Tensor | None]: ...
    @overload
    def __getitem__(
        self, key: slice | Tensor | np.ndarray[Any, Any] | Sequence[int]
    ) -> Dataset: ...
    def __getitem__(self, key: Any) -> Dataset | tuple[Tensor, Tensor | None]:
        if isinstance(key, int | np.integer):
            return self.inputs[int(key)], None if self.targets is None else self.targets[
                int(key)
            ]
        index = key if isinstance(key, slice | Tensor) else torch.as_tensor(np.asarray(key))
        names = None
        if self.names is not None:
            names = [self.names[i] for i in torch.arange(len(self))[index].tolist()]
        targets = None if self.targets is None else self.targets[index]
        return Dataset(self.inputs[index], targets, names=names)

    def to(self, device: torch.device | str) -> Dataset:
        """Return the same examples on another device.

        Args:
            device: Where the tensors go, such as ``"cuda"``.
        """
        targets = None if self.targets is None else self.targets.to(device)
        return Dataset(self.inputs.to(device), targets, names=self.names)

    @override
    def __repr__(self) -> str:
        shape = ", ".join(map(str, self.inputs.shape[1:]))
        noun = "example" if len(self) == 1 else "examples"
        return f"Dataset({len(self):,} {noun} of shape ({shape}), {describe(self.targets)})"


def describe(targets: Tensor | None) -> str:
    """Return what the targets are, in two words."""
    if targets is None:
        return "no targets"
    if targets.is_floating_point():
        return (
            "one number to meet" if targets.ndim == 1 else f"{targets.shape[1]} numbers to meet"
        )
    return f"{len(targets.unique())} classes"


def as_inputs(values: Any, title: str = "inputs") -> Tensor:
    """Return examples as a tensor: bytes and floats as they are, other integers as int64.

    Args:
        values: An array, a tensor or nested lists.
        title: What they are, for the error.

    Raises:
        DataError: If there is no axis of examples.
    """
    tensor = values if isinstance(values, Tensor) else from_array(values, title)
    if tensor.ndim == 0:
        raise DataError(f"{title} need the examples along axis 0, got a single number.")
    return tensor


def as_targets(values: Any) -> Tensor:
    """Return targets as int64 class numbers or floating-point numbers."""
    tensor = as_inputs(values, "targets")
    return tensor if tensor.is_floating_point() else tensor.long()


def from_array(values: Any, title: str) -> Tensor:
    """Return an array as a tensor of a type that networks take, sharing memory if possible.

    Raises:
        DataError: If the values are no numbers.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "buif":
        raise DataError(f"{title} must be numbers, got an array of {array.dtype}.")
    wanted: type[np.generic] = np.int64
    if array.dtype == np.uint8 or array.dtype == np.bool_:
        wanted = np.uint8
    elif array.dtype.kind == "f":
        wanted = np.float64 if array.dtype.itemsize > 4 else np.float32
    elif array.dtype.kind == "u" and array.size and array.max() > MAX_INT64:
        wanted = np.float64  # it would wrap round to negative numbers
    array = np.ascontiguousarray(array, dtype=wanted).reshape(array.shape)
    # Torch warns about memory it may not write to.
    tensor = torch.from_numpy(array if array.flags.writeable else array.copy())
    return narrow(tensor) if tensor.ndim and tensor.numel() else tensor
