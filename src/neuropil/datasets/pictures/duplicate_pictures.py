"""Pictures that are both in the training part and in a held-out part."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from neuropil.datasets.dataset import Dataset
from neuropil.text import all_of, number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from neuropil.datasets.pictures.picture_source import PictureSource


def note_duplicates(
    train: Dataset | PictureSource, held_out: Mapping[str, Any], notes: list[str]
) -> None:
    """Add a note about held-out pictures that equal a training picture.

    Pictures in memory are equal if their pixels are; those on disk, which are not read for
    this, if they are one file that is named more than once.

    Args:
        train: The training pictures.
        held_out: The other parts by name; None, and those that are not read yet, are skipped.
        notes: Gains a line if there are such pictures.
    """
    parts = {name: part for name, part in held_out.items() if hasattr(part, "fetch")}
    known = set(keys(train)) if parts else set()
    counts = {name: sum(key in known for key in keys(part)) for name, part in parts.items()}
    each = [
        f"{count:,} of {number_of(len(parts[name]), f'{name} picture')}"
        for name, count in counts.items()
        if count
    ]
    if each:
        notes.append(
            f"Duplicates: {all_of(each)} equal a training picture, which makes the figures too "
            "optimistic. Remove repeated pictures, or let a table name them and set split_by= "
            "to a column that they share."
        )


def keys(pictures: Dataset | PictureSource) -> Iterable[Any]:
    """Yield a key of each picture, the same for equal pictures."""
    if isinstance(pictures, Dataset):
        for picture in pictures.inputs.numpy():
            yield hashlib.blake2b(picture.tobytes(), digest_size=16).digest()
    else:
        yield from pictures.names
