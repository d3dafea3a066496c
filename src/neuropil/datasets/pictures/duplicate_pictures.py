"""Pictures that are in several parts, or in several classes."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any

from neuropil.datasets.dataset import Dataset
from neuropil.datasets.splits import duplicates_in_words
from neuropil.datasets.target import Classes
from neuropil.text import all_of, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from neuropil.datasets.pictures.picture_source import PictureSource
    from neuropil.datasets.target import Target

MOST_FILES = 20_000
"""Up to this number of files on disk, those of one length are compared."""
TAIL = 4096
"""Number of bytes at the end of a file that are compared: those of a photograph differ."""


def note_equal_pictures(parts: Mapping[str, Any], target: Target, notes: list[str]) -> None:
    """Add notes about equal pictures that are in several parts, or in several classes.

    Pictures in memory are equal if their pixels are; those on disk if their files are: of files
    with as many bytes, the last few thousand are compared. If there are very many files, only
    one that is named more than once is found.

    Args:
        parts: The parts of the data by name, ``"train"`` first; None, and those that are not
            read yet, are skipped.
        target: The target.
        notes: Gains a line for each kind that there is.
    """
    read = {name: part for name, part in parts.items() if hasattr(part, "fetch")}
    keys = keys_of(read)
    note_duplicates(keys, notes)
    if isinstance(target, Classes):
        note_contradictions(read, keys, target, notes)


def note_duplicates(keys: Mapping[str, list[Any]], notes: list[str]) -> None:
    """Add a note about held-out pictures that equal a training picture.

    Args:
        keys: The keys of the pictures of each part.
        notes: Gains a line if there are such pictures.
    """
    held_out = dict(keys)
    known = set(held_out.pop("train"))
    counts = {name: sum(key in known for key in own) for name, own in held_out.items()}
    words = duplicates_in_words(counts, held_out, "picture")
    if words is not None:
        notes.append(
            f"{words}, which makes the figures too optimistic. Remove repeated pictures, or "
            "let a table name them and set split_by= to a column that they share."
        )


def note_contradictions(
    parts: Mapping[str, Any], keys: Mapping[str, list[Any]], target: Classes, notes: list[str]
) -> None:
    """Add a note about equal pictures that have several classes.

    Args:
        parts: The parts of the data.
        keys: The keys of the pictures of each part.
        target: The classes.
        notes: Gains a line if there are such pictures.
    """
    found: dict[Any, list[tuple[str, int]]] = {}
    for place, part in parts.items():
        if part.targets is None:
            continue
        names = part.names or [f"no. {number}" for number in range(len(part))]
        labels = part.targets.tolist()
        for key, name, label in zip(keys[place], names, labels, strict=True):
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


def keys_of(parts: Mapping[str, Dataset | PictureSource]) -> dict[str, list[Any]]:
    """Return a key of each picture of each part, the same for equal pictures.

    Args:
        parts: The parts of the data by name.
    """
    on_disk = [part for part in parts.values() if not isinstance(part, Dataset)]
    lengths = Counter(length for part in on_disk for length in lengths_of(part))
    repeated = {length for length, count in lengths.items() if count > 1}
    if sum(map(len, on_disk)) > MOST_FILES:
        repeated.clear()
    return {
        name: list(pixel_keys(part) if isinstance(part, Dataset) else file_keys(part, repeated))
        for name, part in parts.items()
    }


def pixel_keys(pictures: Dataset) -> Iterator[bytes]:
    """Yield a hash of the pixels of each picture."""
    for picture in pictures.inputs.numpy():
        yield hashlib.blake2b(picture.tobytes(), digest_size=16).digest()


def file_keys(pictures: PictureSource, repeated: set[int]) -> Iterator[Any]:
    """Yield a key of each file.

    Args:
        pictures: The pictures.
        repeated: The numbers of bytes that several files have: these are compared.
    """
    names = pictures.names
    for place, length in enumerate(lengths_of(pictures)):
        yield (length, end_of(pictures.path(place))) if length in repeated else names[place]


def lengths_of(pictures: PictureSource) -> list[int]:
    """Return the number of bytes of each file."""
    return pictures.files.stamps[pictures.rows.numpy(), 0].tolist()


def end_of(path: Path) -> bytes:
    """Return a hash of the last bytes of a file; nothing if it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL))
            return hashlib.blake2b(file.read(), digest_size=16).digest()
    except OSError:
        return b""
