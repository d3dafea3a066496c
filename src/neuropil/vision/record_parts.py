"""Parts of the records that predictions are written as."""

from __future__ import annotations

from pathlib import PurePath

from neuropil.datasets.pictures.picture_suffixes import SUFFIXES


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
