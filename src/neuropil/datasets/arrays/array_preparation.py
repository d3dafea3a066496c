"""Preparation of arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
import torch
from typing_extensions import override

from neuropil.core.moments import describe_unresolved
from neuropil.datasets.arrays.axis_order import as_batch
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.dataset import as_inputs
from neuropil.datasets.plain_fields import number_tuple, shape_tuple, text
from neuropil.datasets.preparation import Preparation, read_target

if TYPE_CHECKING:
    from torch import Tensor

    from neuropil.datasets.target import Target

DTYPES = ("uint8", "int64", "float32")


@final
@dataclass(frozen=True)
class ArrayPreparation(Preparation):
    """Preparation of arrays: new examples get the shape and type of the training data.

    x becomes ``(x − center) / scale`` in double precision before it is cast. Both are used only
    if single precision cannot distinguish the training examples, as with timestamps.

    Args:
        shape: Shape of one example.
        target: The target that the network predicts.
        dtype: ``"uint8"``, ``"int64"`` or ``"float32"``.
        center: Values to subtract: one per column for examples with one axis, one per channel
            for three or more axes, a single one for two axes; empty for none.
        scale: Values to divide by afterwards, of the same length.

    Raises:
        DataError: If the type is none of these, or `center` and `scale` do not fit.

    Example:
        >>> from neuropil.datasets import ArrayPreparation, Classes, Target
        >>> ArrayPreparation((2,), Classes(["a", "b"])).encode([[1, 2], [3, 4]])
        tensor([[1., 2.],
                [3., 4.]])
    """

    kind: ClassVar[str] = "arrays"
    readers: ClassVar = {
        "target": read_target,
        "shape": shape_tuple,
        "dtype": text,
        **dict.fromkeys(("center", "scale"), number_tuple),
    }

    shape: tuple[int, ...]
    target: Target
    dtype: str = "float32"
    center: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise DataError(f"arrays are kept as {', '.join(DTYPES)}, got {self.dtype!r}.")
        lengths = (0, 1 if len(self.shape) == 2 else self.shape[0])
        fits = len(self.center) == len(self.scale) and len(self.scale) in lengths
        if not fits or not all(self.scale) or (self.scale and self.dtype != "float32"):
            raise DataError(
                f"center and scale need {lengths[1]} numbers each, with no scale of 0, and "
                f"float32; got {len(self.center)} and {len(self.scale)} for {self.dtype}."
            )

    @property
    @override
    def input_shape(self) -> tuple[int, ...]:
        return self.shape

    @override
    def encode(self, raw: Any, notes: list[str] | None = None) -> Tensor:
        """Return an array of one or more examples as a batch.

        Args:
            raw: Shape ``(N, *shape)``, or ``shape`` for a single example; with three axes the
                channels may be last.
            notes: Unused.

        Raises:
            DataError: If the shape or the type differs, or a number is NaN or infinite.
        """
        array = as_batch(np.asarray(raw), self.shape, "the array")
        if self.center and array.dtype.kind in "buif":
            check_finite(array, "the array")
            axes = (-1, *[1] * (len(self.shape) - 1))
            center, scale = (np.reshape(value, axes) for value in (self.center, self.scale))
            with np.errstate(over="ignore"):
                array = ((array - center) / scale).astype(np.float64)
        return as_inputs(as_type(array, self.dtype))


def as_type(array: np.ndarray[Any, Any], dtype: str) -> np.ndarray[Any, Any]:
    """Return numbers in the type of the training data.

    Args:
        array: Examples along axis 0.
        dtype: One of `DTYPES`.

    Raises:
        DataError: If the type cannot hold the values, or a value is NaN or infinite.
    """
    if array.dtype.kind not in "buif":
        raise DataError(f"needs {dtype} values, got {array.dtype}.")
    check_finite(array, "the array")
    with np.errstate(invalid="ignore"):
        cast = array.astype(dtype)
    if dtype != "float32" and not np.array_equal(cast, array):
        raise DataError(
            f"needs {dtype} values as in the training data, got {array.dtype} values that "
            f"{dtype} cannot hold."
        )
    return cast


def check_finite(array: np.ndarray[Any, Any], where: str) -> None:
    """Refuse NaN and infinity, with the row in the error.

    Args:
        array: Examples along axis 0.
        where: Name of the array.

    Raises:
        DataError: If a number is NaN, or infinite in single precision.
    """
    if array.dtype.kind != "f":
        return
    with np.errstate(over="ignore"):
        finite = np.isfinite(array.astype(np.float32, copy=False))
    if finite.all():
        return
    rows = np.flatnonzero(~finite.reshape(len(array), -1).all(axis=1))
    value = array[rows[0]][~finite[rows[0]]].flat[0] if array.ndim > 1 else array[rows[0]]
    more = f" (and {len(rows) - 1:,} more rows)" if len(rows) > 1 else ""
    raise DataError(f"{where}: row {rows[0]} holds {value}{more}; rows are counted from 0.")


def unresolved_notes(array: np.ndarray[Any, Any], where: str) -> list[str]:
    """Return a note about columns whose type has too few digits for their values.

    Args:
        array: Examples along axis 0, as they were read.
        where: Name of the array.
    """
    wide = array.dtype.kind == "f" or array.dtype.itemsize == 8
    if array.dtype.kind not in "fiu" or not wide or array.ndim > 2 or not len(array):
        return []
    native = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    if native.dtype.kind == "u" or native.dtype.itemsize > 8:
        native = native.astype(np.float64)
    found = describe_unresolved(torch.from_numpy(native))
    return [f"{where}: {found}: digits were lost when the file was written."] if found else []
