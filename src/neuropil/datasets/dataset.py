"""Examples in memory: inputs, and targets if there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final, overload

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from neuropil.core.moments import narrow
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.source import Batch
from neuropil.digest import digest_of

MAX_INT64 = np.iinfo(np.int64).max

if TYPE_CHECKING:
    from collections.abc import Sequence


@final
class Dataset:
    """Examples in memory: inputs, and targets if there are any.

    A slice, mask or list of indices gives a smaller `Dataset`; one index gives the pair
    ``(input, target)``, so that a torch ``DataLoader`` accepts a `Dataset`. It is the `Source`
    whose examples are in memory.

    Shape:
        ``inputs``: ``(N, ...)``, channels first. ``targets``: ``(N)`` class numbers (int64),
        ``(N)`` or ``(N, k)`` floating-point numbers for regression, ``(N, …)`` for labels of
        several rows, or None.

    Args:
        inputs: NumPy array, torch tensor or nested lists with the examples along axis 0. Bytes
            stay bytes (pictures), other integers become int64. NumPy's floating-point numbers
            become float32, or float64 if float32 cannot distinguish them (10⁹ + x). A torch
            tensor is not converted.
        targets: One target per example, or None.
        names: One name per example, such as that of its file, or None.

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
                    f"got {len(self.inputs):,} inputs and {len(values):,} {title}: the numbers "
                    "must be equal."
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
            place = int(key)
            return self.inputs[place], None if self.targets is None else self.targets[place]
        index = key if isinstance(key, slice | Tensor) else torch.as_tensor(np.asarray(key))
        names = None
        if self.names is not None:
            names = [self.names[i] for i in torch.arange(len(self))[index].tolist()]
        targets = None if self.targets is None else self.targets[index]
        return Dataset(self.inputs[index], targets, names=names)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example, without the batch axis."""
        return tuple(self.inputs.shape[1:])

    @property
    def fingerprint(self) -> str:
        """A hash of the inputs and the targets."""
        return digest_of([self.inputs, self.targets])

    def size_of(self, index: int) -> tuple[int, ...]:  # noqa: ARG002 - a source's, equal here
        """Return the sizes of the axes of an example after the first.

        Args:
            index: The place of the example; here all have the same sizes.
        """
        return self.input_shape[1:]

    def fetch(self, indices: Sequence[int]) -> Batch:
        """Return examples as a batch.

        Args:
            indices: Their places; the batch has their order.
        """
        places = torch.as_tensor(indices)
        targets = None if self.targets is None else self.targets[places]
        return Batch(self.inputs[places], targets)

    def to(self, device: torch.device | str) -> Dataset:
        """Return the same examples on another device.

        Args:
            device: Device of the tensors, such as ``"cuda"``.
        """
        targets = None if self.targets is None else self.targets.to(device)
        return Dataset(self.inputs.to(device), targets, names=self.names)

    @override
    def __repr__(self) -> str:
        shape = ", ".join(map(str, self.inputs.shape[1:]))
        noun = "example" if len(self) == 1 else "examples"
        return f"Dataset({len(self):,} {noun} of shape ({shape}), {describe(self.targets)})"


def describe(targets: Tensor | None) -> str:
    """Return a short description of the targets."""
    if targets is None:
        return "no targets"
    if not targets.is_floating_point():
        masks = targets.dtype == torch.uint8
        return "masks" if masks else f"{len(targets.unique())} classes"
    if targets.ndim > 2:
        return f"{int((targets[..., -1] != -1).sum()):,} boxes"
    return f"{targets.shape[1]} target values" if targets.ndim > 1 else "one target value"


def as_inputs(values: Any, title: str = "inputs") -> Tensor:
    """Return examples as a tensor of uint8, int64 or floating-point numbers.

    Args:
        values: An array, a tensor or nested lists.
        title: Their name, for the error.

    Raises:
        DataError: If the value is a single number.
    """
    tensor = values if isinstance(values, Tensor) else from_array(values, title)
    if tensor.ndim == 0:
        raise DataError(f"{title} must have the examples along axis 0, got a single number.")
    return tensor


def as_targets(values: Any) -> Tensor:
    """Return targets as int64 class numbers or floating-point numbers.

    Masks in bytes stay in bytes: they have a class number for each pixel.
    """
    tensor = as_inputs(values, "targets")
    is_mask = tensor.dtype == torch.uint8 and tensor.ndim > 2
    return tensor if is_mask or tensor.is_floating_point() else tensor.long()


def from_array(values: Any, title: str) -> Tensor:
    """Return an array as a tensor of a type that networks take, without a copy if possible.

    Raises:
        DataError: If the values are not numbers.
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
        wanted = np.float64  # int64 would wrap round to negative numbers
    array = np.ascontiguousarray(array, dtype=wanted).reshape(array.shape)
    # Torch warns about memory that is not writable.
    tensor = torch.from_numpy(array if array.flags.writeable else array.copy())
    return narrow(tensor) if tensor.ndim and tensor.numel() else tensor
