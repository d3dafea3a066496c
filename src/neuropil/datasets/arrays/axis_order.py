"""Axis order of picture arrays: batch, channels, height, width."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuropil.datasets.data_errors import DataError

CHANNELS = (1, 3, 4)
"""Axis lengths that are recognised as numbers of channels."""


def example_shape(array: np.ndarray[Any, Any]) -> tuple[int, ...]:
    """Return the shape of one example, channels first, of an array of examples.

    Four axes with 1, 3 or 4 channels first or last, and bytes with three axes, are pictures.

    Args:
        array: Examples along axis 0.
    """
    shape = array.shape[1:]
    if len(shape) == 2 and array.dtype == np.uint8:
        return (1, *shape)
    if len(shape) == 3 and shape[0] not in CHANNELS and shape[-1] in CHANNELS:
        return (shape[-1], *shape[:-1])
    return shape


def as_batch(
    array: np.ndarray[Any, Any], shape: tuple[int, ...], where: str
) -> np.ndarray[Any, Any]:
    """Return an array of one or more examples as a batch of examples of the given shape.

    Args:
        array: Pictures may have their channels last, and grey ones no channels.
        shape: Shape of one example, channels first.
        where: Name of the array, for the error.

    Raises:
        DataError: If it holds examples of another shape.
    """
    forms = [array]
    if len(shape) == 3 and array.ndim >= 3:
        forms.append(np.moveaxis(array, -1, -3))
    if len(shape) == 3 and shape[0] == 1 and array.ndim >= 2:
        forms.append(np.expand_dims(array, -3))
    for form in forms:
        if form.shape == shape:
            return form[None]
        if form.ndim and form.shape[1:] == shape:
            return form
    raise DataError(
        f"{where} must hold examples of shape {shape}, got an array of shape {array.shape}."
    )


def value_range(array: np.ndarray[Any, Any]) -> tuple[float, float] | None:
    """Return the likely values of black and white in an array, or None.

    Args:
        array: Pictures.
    """
    if array.dtype == np.uint8:
        return 0.0, 255.0
    low, high = float(array.min()), float(array.max())
    if array.dtype.kind not in "uif" or low < 0 or high > 255:
        return None
    return (0.0, 1.0) if high <= 1 else (0.0, 255.0)
