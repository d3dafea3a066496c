"""Fields of plain data that hold the sizes of pictures."""

from __future__ import annotations

from typing import Any

from neuropil.datasets.plain_fields import field, is_shape


def picture_shape(data: Any, name: str) -> tuple[int | None, ...]:
    """Return a field that must be the shape of a picture, with None for sizes that vary."""
    sizes = field(data, name, "channels, height and width of a picture", is_picture_shape)
    return tuple(sizes)


def is_picture_shape(value: Any) -> bool:
    """Return whether a value is a list of three sizes, of which the last two may vary."""
    if not isinstance(value, list) or len(value) != 3:
        return False
    return is_shape(value[:1] if value[1:] == [None, None] else value)


def size_list(data: Any, name: str) -> tuple[tuple[int, int], ...]:
    """Return a field that must be a list of heights and widths."""
    sizes = field(data, name, "a list of heights and widths", is_size_list)
    return tuple((height, width) for height, width in sizes)


def is_size_list(value: Any) -> bool:
    """Return whether a value is a list of pairs of positive sizes."""
    return isinstance(value, list) and all(is_shape(s) and len(s) == 2 for s in value)
