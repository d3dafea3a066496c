"""Parts of the records that predictions are written as."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING

from neuropil.datasets.pictures.picture_suffixes import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Sequence


def picture_numbers(names: Sequence[str]) -> list[int | str]:
    """Return the number of each picture, or the whole name of those that would share one.

    Example:
        >>> picture_numbers(["07.png", "old/1.png", "new/1.png"])
        [7, 'old/1.png', 'new/1.png']
    """
    numbers = [picture_number(name) for name in names]
    often = Counter(map(picture_number, set(names)))
    return [
        number if often[number] == 1 else name
        for name, number in zip(names, numbers, strict=True)
    ]


def picture_number(name: str) -> int | str:
    """Return the number of a picture, which is the name of its file, or else this name.

    Example:
        >>> picture_number("faces/07.png"), picture_number("x.npz, row 1")
        (7, 'x.npz, row 1')
    """
    path = PurePath(name)
    # A row of an array has no suffix of a picture, but may have a dot in its name.
    stem = path.stem if path.suffix.lower() in SUFFIXES else name
    return int(stem) if stem.isdecimal() else stem


def short(value: float) -> float:
    """Return a number without the digits that single precision does not have."""
    return float(f"{value:.6g}")
