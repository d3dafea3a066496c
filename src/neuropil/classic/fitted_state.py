"""Declarations of a fitted network's values, and their check when they are loaded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

# The dtypes of each kind of array.
TYPES = {
    "float": ("float32", "float64"),
    "double": ("float64",),
    "whole": ("int64",),
    "level": ("int32",),
    "word": ("uint64",),
    "flag": ("bool",),
    "label": ("bool", "int32", "int64", "float32", "float64"),
}
# The name of the length of an axis that has one entry per column of the input.
COLUMNS = "features"


@dataclass(frozen=True)
class Array:
    """The declaration of an array, by its possible shapes.

    Attributes:
        kind: One of `TYPES`. All arrays of the kind ``"float"`` have the same precision.
        shapes: The possible shapes: numbers, and names of lengths; a name means the same length
            in all arrays.
        optional: Whether None is allowed.
    """

    kind: str
    shapes: tuple[tuple[str, ...], ...]
    optional: bool = False

    def problem_with(self, value: Any, lengths: dict[str, int]) -> str:
        """Return the allowed values in words if a value is wrong; otherwise "".

        Args:
            value: The value.
            lengths: Known lengths by name; the lengths of this value are added.
        """
        types = TYPES[self.kind]
        if value is None and self.optional:
            return ""
        if not isinstance(value, np.ndarray) or value.dtype.name not in types:
            return f"an array of {' or '.join(types)}"
        found = (match(shape, value.shape, lengths) for shape in self.shapes)
        first = next(filter(None, found), None)
        lengths.update(first or {})
        shapes = " or ".join(f"({', '.join(shape)})" for shape in self.shapes)
        finite = bool(np.isfinite(value).all())
        return "" if first and finite else f"finite numbers of the shape {shapes}"


@dataclass(frozen=True)
class Plain:
    """The declaration of a number, a truth value or a string.

    Attributes:
        type: The type.
    """

    type: type

    def problem_with(self, value: Any, lengths: dict[str, int]) -> str:
        """Return the allowed values in words if a value is wrong; otherwise ""."""
        del lengths
        right = type(value) is self.type and (self.type is not float or math.isfinite(value))
        return "" if right else f"of type {self.type.__name__}"


@dataclass(frozen=True)
class Networks:
    """The declaration of a non-empty list of fitted networks of one class.

    Attributes:
        kind: The name of the class.
    """

    kind: str

    def problem_with(self, value: Any, lengths: dict[str, int]) -> str:
        """Return the allowed values in words if a value is wrong; otherwise ""."""
        del lengths
        names = [type(item).__name__ for item in value] if isinstance(value, list) else []
        return "" if set(names) == {self.kind} else f"a list of {self.kind}"


WHOLE, NUMBER, FLAG, TEXT = Plain(int), Plain(float), Plain(bool), Plain(str)


def array(kind: str, *shapes: str, optional: bool = False) -> Array:
    """Return the declaration of an array: ``array("float", "units features")``.

    Args:
        kind: One of `TYPES`.
        *shapes: Possible shapes: lengths, separated by spaces; "" means a single number.
        optional: Whether None is allowed.
    """
    return Array(kind, tuple(tuple(shape.split()) for shape in shapes), optional)


def check_learnt(
    name: str, declared: Mapping[str, Any], values: Mapping[str, Any], columns: int
) -> None:
    """Check learnt values against the declarations of a class.

    Args:
        name: The name of the class.
        declared: The declarations, by name.
        values: The learnt values, by name.
        columns: The number of columns of the input.

    Raises:
        ValueError: If a value is missing, unknown, or not as declared.
    """
    odd = sorted(set(values) ^ set(declared))
    if odd:
        problem = "is missing" if odd[0] in declared else "is unknown"
        raise ValueError(f"{name} learns {', '.join(declared)}, but {odd[0]!r} {problem}.")
    lengths = {COLUMNS: columns}
    for key, kind in declared.items():
        problem = kind.problem_with(values[key], lengths)
        if problem:
            raise ValueError(f"{name}: {key} must be {problem}.")
    floats = {
        values[key].dtype.name
        for key, kind in declared.items()
        if isinstance(kind, Array) and kind.kind == "float"
    }
    if len(floats) > 1:
        raise ValueError(f"{name}: arrays must have one precision, got {sorted(floats)}.")


def match(
    names: tuple[str, ...], shape: tuple[int, ...], known: Mapping[str, int]
) -> dict[str, int] | None:
    """Return the known lengths extended by those of a shape; None if they contradict it."""
    if len(names) != len(shape):
        return None
    found = dict(known)
    for name, length in zip(names, shape, strict=True):
        wanted = int(name) if name.isdigit() else found.setdefault(name, length)
        if length != wanted:
            return None
    return found
