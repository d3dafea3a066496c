"""Objects as plain data, and validated access to the fields of plain data from a file."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias, TypeVar

from neuropil.datasets.data_errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
# Takes plain data and the name of a field; returns the value, or raises a DataError.
Reader: TypeAlias = "Callable[[Any, str], Any]"

MAX_SIZE = 100_000_000
"""Largest number of values in one example: a damaged file must not exhaust the memory."""


class PlainFields:
    """Base class of dataclasses that a run stores as plain data.

    Attributes:
        kind: Name of the class in plain data.
        readers: The function that reads each stored field, by the name of the field.
    """

    kind: ClassVar[str]
    readers: ClassVar[dict[str, Reader]]

    def to_json(self) -> dict[str, Any]:
        """Return this as plain data that JSON can hold."""
        return {"kind": self.kind} | {name: plain(getattr(self, name)) for name in self.readers}

    @classmethod
    def from_fields(cls, data: dict[str, Any]) -> Self:
        """Return the object that plain data describe.

        Args:
            data: Result of `to_json`.

        Raises:
            DataError: If a field is missing or damaged.
        """
        return cls(**{name: read(data, name) for name, read in cls.readers.items()})


def plain(value: Any) -> Any:
    """Return a field as plain data: sequences as lists, objects by their `to_json`."""
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value.to_json() if isinstance(value, PlainFields) else value


def field(data: Any, name: str, expected: str, accept: Callable[[Any], bool]) -> Any:
    """Return one field of a JSON object after a check.

    Raises:
        DataError: If it is not accepted.
    """
    value = data.get(name) if isinstance(data, dict) else None
    if not accept(value):
        raise DataError(f"damaged preparation: {name!r} must be {expected}, got {value!r:.60}.")
    return value


def text(data: Any, name: str) -> str:
    """Return a field that must be text."""
    return field(data, name, "a text", lambda value: isinstance(value, str))


def optional(read: Callable[[Any, str], T]) -> Callable[[Any, str], T | None]:
    """Return a reader that gives None for a field that is missing."""
    return lambda data, name: None if data.get(name) is None else read(data, name)


def class_of_kind(data: Any, known: Mapping[str, T]) -> T:
    """Return the class, or its name, that the field ``kind`` of an object names.

    Raises:
        DataError: If the kind is unknown.
    """
    kind = text(data, "kind")
    if kind not in known:
        raise DataError(f"damaged data: unknown kind {kind!r}, known are {sorted(known)}.")
    return known[kind]


def flag(data: Any, name: str) -> bool:
    """Return a field that must be true or false."""
    return field(data, name, "true or false", lambda value: isinstance(value, bool))


def number(data: Any, name: str) -> float:
    """Return a field that must be a finite number."""
    return float(field(data, name, "a finite number", is_number))


def text_tuple(data: Any, name: str) -> tuple[str, ...]:
    """Return a field that must be a list of texts."""
    accept = list_of(lambda value: isinstance(value, str))
    return tuple(field(data, name, "a list of texts", accept))


def number_tuple(data: Any, name: str) -> tuple[float, ...]:
    """Return a field that must be a list of finite numbers."""
    return tuple(map(float, field(data, name, "a list of finite numbers", list_of(is_number))))


def shape_tuple(data: Any, name: str) -> tuple[int, ...]:
    """Return a field that must be the shape of one example."""
    return tuple(field(data, name, "a shape of at most 100,000,000 numbers", is_shape))


def object_list(data: Any, name: str) -> list[dict[str, Any]]:
    """Return a field that must be a list of JSON objects."""
    return field(
        data, name, "a list of objects", list_of(lambda value: isinstance(value, dict))
    )


def list_of(accept: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return a test for lists of accepted values."""
    return lambda value: isinstance(value, list) and all(map(accept, value))


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number and not a truth value."""
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    )


def is_shape(value: Any) -> bool:
    """Return whether a value is a list of positive sizes whose product fits in memory."""
    positive = list_of(lambda size: type(size) is int and 0 < size <= MAX_SIZE)
    return positive(value) and len(value) <= 8 and math.prod(value) <= MAX_SIZE
