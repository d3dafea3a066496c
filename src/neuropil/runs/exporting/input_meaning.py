"""The meaning of a network's inputs, for those who use an exported file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from neuropil.core.shape import format_shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuropil.datasets import (
        ArrayPreparation,
        PicturePreparation,
        Preparation,
        TablePreparation,
    )


class InputMeaning(NamedTuple):
    """Type and meaning of the inputs of a network.

    Attributes:
        dtype: Name of the type of the values.
        text: The meaning of one example as a sentence.
        details: Further facts as plain data, by name.
    """

    dtype: str
    text: str
    details: dict[str, Any]


def meaning_of(preparation: Preparation) -> InputMeaning:
    """Return type and meaning of the inputs that a preparation makes.

    Example:
        >>> from neuropil.datasets import Classes, PicturePreparation
        >>> meaning_of(PicturePreparation((1, 8, 8), Classes("ab"), high=16)).text
        'grey pictures of 8×8 pixels (height × width), from 0 for black to 16 for white'
    """
    return MEANINGS[preparation.kind](preparation)


def meaning_of_table(preparation: TablePreparation) -> InputMeaning:
    """Return the meaning of encoded rows: one number for each feature."""
    features = preparation.feature_names
    text = f"rows of a table, encoded as {len(features):,} numbers in the order of `features`"
    return InputMeaning("float32", text, {"features": features})


def meaning_of_pictures(preparation: PicturePreparation) -> InputMeaning:
    """Return the meaning of pictures: channels, size and range of values."""
    channels, height, width = preparation.shape
    low, high = preparation.low, preparation.high
    size = (
        "of any size" if preparation.varies else f"of {height}×{width} pixels (height × width)"
    )
    if preparation.pads:
        size += ", padded at the right and the bottom"
    color = "grey" if channels == 1 else "RGB"
    text = f"{color} pictures {size}, from {low:g} for black to {high:g} for white"
    details: dict[str, Any] = {"channels": color, "black": low, "white": high}
    if preparation.buckets:
        details["sizes"] = [list(size) for size in preparation.buckets]
    return InputMeaning(preparation.dtype, text, details)


def meaning_of_arrays(preparation: ArrayPreparation) -> InputMeaning:
    """Return the meaning of arrays: their shape, and what was subtracted and divided by."""
    text = f"arrays of shape {format_shape(preparation.shape)}"
    if not preparation.center:
        return InputMeaning(preparation.dtype, text, {})
    text += ", less `center`, divided by `scale`, both in double precision"
    details = {"center": list(preparation.center), "scale": list(preparation.scale)}
    return InputMeaning(preparation.dtype, text, details)


# By kind of preparation.
MEANINGS: dict[str, Callable[[Any], InputMeaning]] = {
    "table": meaning_of_table,
    "pictures": meaning_of_pictures,
    "arrays": meaning_of_arrays,
}
