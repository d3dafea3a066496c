"""Options and shapes, checked: what several families of layers ask of what they are given."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

from neuropil.core.shape import count

if TYPE_CHECKING:
    from neuropil.core import Layer, Shape
    from neuropil.core.layer import Initializer


def number(value: object, what: str, interval: str = "(-inf, inf)") -> float:
    """Return `value` as a float, or say where it should have been.

    Args:
        value: What was given.
        what: Whose option it is, such as ``"Dropout: rate"``.
        interval: As written on paper: ``"[0, 1)"`` holds 0 and not 1.

    Raises:
        ValueError: When it is no number of that interval.

    Example:
        >>> number(0, "Dropout: rate", "[0, 1)")
        0.0
        >>> number(1.5, "Dropout: rate", "[0, 1)")
        Traceback (most recent call last):
        ValueError: Dropout: rate must be a number in [0, 1), got 1.5.
    """
    low, high = map(float, interval[1:-1].split(","))
    if isinstance(value, int | float | Real) and not isinstance(value, bool):
        number = float(value)
        above = low <= number if interval[0] == "[" else low < number
        if above and (number <= high if interval[-1] == "]" else number < high):
            return number
    raise ValueError(f"{what} must be a number in {interval}, got {value!r}.")


def initializer(value: Initializer, what: str) -> Initializer:
    """Return an initialiser, or say that it is none.

    Raises:
        ValueError: When it cannot be called.
    """
    if not callable(value):
        raise ValueError(f"{what} must be an initialiser, such as HeNormal(), got {value!r}.")
    return value


def known_count(layer: Layer, shape: Shape) -> int:
    """Return the number of elements of a shape whose cost is asked for.

    Raises:
        ShapeError: When a length is free.
    """
    elements = count(shape)
    if elements is None:
        mend = "say which the free ones are"
        raise layer.refuse("known lengths to count multiply–adds", shape, mend)
    return elements
