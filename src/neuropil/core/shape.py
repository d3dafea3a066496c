"""Shapes: tuples of axis lengths, without the batch axis, channels first."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

from neuropil.checks import shown, whole

Shape: TypeAlias = tuple[int | None, ...]

# Shapes with more axes are a mistake, and are shortened when printed.
MOST_SHOWN = 20


class ShapeError(ValueError):
    """A layer cannot take or produce a shape; the message says what would fit."""


def format_shape(shape: Shape) -> str:
    """Return a shape in the usual notation.

    Args:
        shape: Lengths of the axes; ``None`` for a free length.

    Example:
        >>> format_shape((3, 32, None)), format_shape((10,))
        ('(3, 32, None)', '(10)')
    """
    if len(shape) > MOST_SHOWN:
        return f"({', '.join(map(str, shape[:3]))}, … {len(shape):,} axes)"
    return "(" + ", ".join(map(str, shape)) + ")"


def format_shapes(shapes: tuple[Shape, ...]) -> str:
    """Return several shapes joined by "and"."""
    return " and ".join(map(format_shape, shapes)) or "nothing"


def count(shape: Shape) -> int | None:
    """Return the number of elements of one sample; ``None`` for a free length."""
    known = [length for length in shape if length is not None]
    return math.prod(known) if len(known) == len(shape) else None


def per_axis(value: object, rank: int, what: str, *, minimum: int = 1) -> tuple[int, ...]:
    """Return one integer per axis, from a single integer or a sequence of them.

    Raises:
        ShapeError: When the length of a sequence is not the number of axes.
    """
    if not isinstance(value, tuple | list):
        return (whole(value, what, minimum=minimum),) * rank
    if len(value) != rank:
        raise ShapeError(
            f"{what} has {len(value)} numbers, {shown(tuple(value))}, for {rank} axes: "
            f"give one number, or one per axis."
        )
    return tuple(whole(item, what, minimum=minimum) for item in value)


def only(shapes: tuple[Any, ...], what: str) -> Any:
    """Return the only one of several shapes.

    Raises:
        ValueError: When there is none, or more than one.
    """
    if len(shapes) != 1:
        raise ValueError(f"this network has {len(shapes)} {what}s; ask for {what}_shapes.")
    return shapes[0]
