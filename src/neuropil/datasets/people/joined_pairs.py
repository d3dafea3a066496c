"""People by pairs of pictures that show the same one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def people_of_pairs(
    first: Sequence[str], second: Sequence[str], same: Sequence[bool]
) -> dict[str, int]:
    """Return a number of the person in each picture: pairs of one person join pictures.

    Args:
        first: The first picture of each pair.
        second: The second picture.
        same: Whether the pair shows one person.

    Example:
        >>> people_of_pairs(["a", "b", "a"], ["b", "c", "d"], [True, True, False])
        {'a': 0, 'b': 0, 'c': 0, 'd': 1}
    """
    parent = {picture: picture for pair in zip(first, second, strict=True) for picture in pair}

    def root(picture: str) -> str:
        """Return the picture that stands for all that are joined to one."""
        while parent[picture] != picture:
            parent[picture] = picture = parent[parent[picture]]
        return picture

    for one, other, joined in zip(first, second, same, strict=True):
        if joined:
            parent[root(other)] = root(one)
    numbers: dict[str, int] = {}
    return {picture: numbers.setdefault(root(picture), len(numbers)) for picture in parent}
