"""Pictures that are in several parts, or in several classes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from neuropil.datasets.dataset import Dataset
from neuropil.datasets.splits import duplicates_in_words
from neuropil.datasets.target import Classes
from neuropil.text import all_of, number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from neuropil.datasets.pictures.picture_source import PictureSource
    from neuropil.datasets.target import Target


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
    words = duplicates_in_words(counts, parts, "picture")
    if words is not None:
        notes.append(
            f"{words}, which makes the figures too optimistic. Remove repeated pictures, or "
            "let a table name them and set split_by= to a column that they share."
        )


def note_contradictions(parts: Iterable[Any], target: Target, notes: list[str]) -> None:
    """Add a note about equal pictures that have several classes.

    Args:
        parts: The parts of the data; None, and those that are not read yet, are skipped.
        target: The target; numbers may differ, so nothing is said about them.
        notes: Gains a line if there are such pictures.
    """
    if not isinstance(target, Classes):
        return
    found: dict[Any, list[tuple[str, int]]] = {}
    for part in parts:
        if not hasattr(part, "fetch") or part.targets is None:
            continue
        names = part.names or [f"no. {number}" for number in range(len(part))]
        labels = part.targets.tolist()
        for key, name, label in zip(keys(part), names, labels, strict=True):
            found.setdefault(key, []).append((name, label))
    mixed = [alike for alike in found.values() if len({label for _, label in alike}) > 1]
    if mixed:
        pair = {label: name for name, label in reversed(mixed[0])}
        shown = [f"{name} ({target.classes[label]})" for label, name in sorted(pair.items())]
        notes.append(
            f"{number_of(len(mixed), 'picture')} with several classes, such as "
            f"{all_of(shown[:2])}: they are the same, so at most one of them can be classified "
            "correctly."
        )


def keys(pictures: Dataset | PictureSource) -> Iterable[Any]:
    """Yield a key of each picture, the same for equal pictures."""
    if isinstance(pictures, Dataset):
        for picture in pictures.inputs.numpy():
            yield hashlib.blake2b(picture.tobytes(), digest_size=16).digest()
    else:
        yield from pictures.names
