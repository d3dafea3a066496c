"""What a fitted network consists of: plain numbers and arrays, each checked when read back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

# The types of the elements of each kind of array.
TYPES = {
    "float": ("float32", "float64"),
    "double": ("float64",),
    "whole": ("int64",),
    "level": ("int32",),
    "word": ("uint64",),
    "flag": ("bool",),
    "label": ("bool", "int32", "int64", "float32", "float64"),
}
# The length of the axis that stands for the columns of the input.
COLUMNS = "features"


@dataclass(frozen=True)
class Array:
    """An array of one of several shapes, by the names of its lengths.

    Attributes:
        kind: One of `TYPES`. All arrays of the kind ``"float"`` are of one precision.
        shapes: Each possible shape: numbers, and names of lengths, which agree wherever they
            are used.
        optional: Whether there may be none.
    """

    kind: str
    shapes: tuple[tuple[str, ...], ...]
    optional: bool = False

    def lacks(self, value: Any, lengths: dict[str, int]) -> str:
        """Return what a value should have been; nothing where it is right.

        Args:
            value: What is there.
            lengths: Lengths by name; those that this value settles are added.
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
    """A number, a truth value or a text.

    Attributes:
        type: Its type.
    """

    type: type

    def lacks(self, value: Any, lengths: dict[str, int]) -> str:
        """Return what a value should have been; nothing where it is right."""
        del lengths
        right = type(value) is self.type and (self.type is not float or math.isfinite(value))
        return "" if right else f"of type {self.type.__name__}"


@dataclass(frozen=True)
class Networks:
    """A list of fitted networks of one class, at least one.

    Attributes:
        kind: Name of the class.
    """

    kind: str

    def lacks(self, value: Any, lengths: dict[str, int]) -> str:
        """Return what a value should have been; nothing where it is right."""
        del lengths
        names = [type(item).__name__ for item in value] if isinstance(value, list) else []
        return "" if set(names) == {self.kind} else f"a list of {self.kind}"


WHOLE, NUMBER, FLAG, TEXT = Plain(int), Plain(float), Plain(bool), Plain(str)


def array(kind: str, *shapes: str, optional: bool = False) -> Array:
    """Return the declaration of an array: ``array("float", "units features")``.

    Args:
        kind: One of `TYPES`.
        *shapes: Possible shapes: lengths, separated by spaces; "" is a single number.
        optional: Whether there may be none.
    """
    return Array(kind, tuple(tuple(shape.split()) for shape in shapes), optional)


def check_learnt(
    name: str, declared: Mapping[str, Any], values: Mapping[str, Any], columns: int
) -> None:
    """Refuse values that are not what a network of a class has learnt.

    Args:
        name: Name of the class.
        declared: What it learns: kinds of values, by name.
        values: What a network of it is to have learnt, by name.
        columns: Columns of its input.

    Raises:
        ValueError: When one is missing, too many, or not what the class declares.
    """
    odd = sorted(set(values) ^ set(declared))
    if odd:
        raise ValueError(f"{name} has learnt {', '.join(declared)}: {odd[0]!r} does not fit.")
    lengths = {COLUMNS: columns}
    for key, kind in declared.items():
        problem = kind.lacks(values[key], lengths)
        if problem:
            raise ValueError(f"{name}: {key} must be {problem}.")
    floats = {
        values[key].dtype.name
        for key, kind in declared.items()
        if isinstance(kind, Array) and kind.kind == "float"
    }
    if len(floats) > 1:
        raise ValueError(f"{name}: arrays must be of one precision, got {sorted(floats)}.")


def match(
    names: tuple[str, ...], shape: tuple[int, ...], known: Mapping[str, int]
) -> dict[str, int] | None:
    """Return all lengths that are known once a shape is; None where it contradicts them."""
    if len(names) != len(shape):
        return None
    found = dict(known)
    for name, length in zip(names, shape, strict=True):
        wanted = int(name) if name.isdigit() else found.setdefault(name, length)
        if length != wanted:
            return None
    return found
