"""Reader for folders of pictures with one folder per class."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neuropil.datasets.data_errors import DataError, adding_notes
from neuropil.datasets.dataset import Dataset
from neuropil.datasets.paths import natural_key, visible_entries
from neuropil.datasets.pictures.class_folders import ClassFiles, find_files, is_picture
from neuropil.datasets.pictures.picture_batch import (
    Batch,
    broken_notes,
    read_headers,
    read_pictures,
)
from neuropil.datasets.pictures.picture_preparation import PicturePreparation, rim_brightness
from neuropil.datasets.splits import Splits
from neuropil.datasets.target import Classes
from neuropil.text import number_of, some_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from neuropil.datasets.open_options import Options

PARTS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}

LONGEST_SIDE = 64
"""Default longest side of pictures of different sizes."""
MAX_BYTES = 2**31
"""Pictures of equal size that need more memory than this are reduced as well."""


def open_picture_folder(folder: Path, options: Options) -> Splits:
    """Read a folder of pictures with one folder per class.

    Args:
        folder: Contains the class folders, or ``train``, ``test`` and ``validation`` folders
            that contain them.
        options: Options of the caller.

    Raises:
        DataError: If there are fewer than two classes, or no picture that can be read.
    """
    options.refuse("a folder of pictures", "target")
    options.require_task("classification", f"{folder} holds pictures by class")
    notes: list[str] = []
    with adding_notes(notes):
        return open_parts(find_parts(folder), folder, options, notes)


def open_parts(
    parts: dict[str, Path], folder: Path, options: Options, notes: list[str]
) -> Splits:
    """Read the training pictures, and cut or read the other parts.

    Args:
        parts: The folders by name of the part.
        folder: The folder that the user named.
        options: Options of the caller.
        notes: Gains notes for the user.
    """
    files = find_files(parts["train"])
    shape = common_shape(files, options, notes)
    batch, labels, names = read_files(files, shape, folder, notes)
    if shape[0] == 3 and options.color is None and holds_only_greys(batch.pixels):
        batch, shape = replace(batch, pixels=batch.pixels[:, :1].clone()), (1, *shape[1:])
        notes.append("The pictures are stored in colour but are all grey: read as grey.")
    target = Classes.fit(labels, str(parts["train"]))
    white = batch.white
    preparation = PicturePreparation(
        shape, target, "float32" if white else "uint8", white=white
    )
    data = Dataset(
        preparation.from_files(batch), target.collate(labels, str(folder)), names=names
    )

    def read_part(name: str, notes: list[str]) -> Dataset:
        own: list[str] = []
        try:
            with adding_notes(own):
                return read_pictures_by_class(find_files(parts[name]), preparation, folder, own)
        finally:
            notes += own

    train, validation, test = options.cut(
        data,
        read_part("validation", notes) if "validation" in parts else None,
        partial(read_part, "test") if "test" in parts else None,
    )
    background = rim_brightness(train.inputs, preparation.low, preparation.high)
    preparation = replace(preparation, background=background)
    return Splits(
        train, validation, test, preparation=preparation, source=str(folder), notes=notes
    )


def recognise(path: Path) -> str | None:
    """Return ``"folders of pictures"`` for a folder with subfolders, else None."""
    found = path.is_dir() and any(entry.is_dir() for entry in visible_entries(path))
    return "folders of pictures" if found else None


def read_labelled(preparation: PicturePreparation, folder: Path, notes: list[str]) -> Dataset:
    """Return the test pictures of a folder, or all of its pictures.

    Args:
        preparation: Preparation of the training pictures.
        folder: The folder.
        notes: Gains notes for the user.
    """
    parts = find_parts(folder)
    files = find_files(parts.get("test", parts["train"]))
    return read_pictures_by_class(files, preparation, folder, notes)


def read_pictures_by_class(
    files: ClassFiles, preparation: PicturePreparation, root: Path, notes: list[str]
) -> Dataset:
    """Return the pictures of another part with the preparation of the training pictures.

    Args:
        files: The pictures.
        preparation: Preparation of the training pictures.
        root: The folder that names are relative to.
        notes: Gains notes for the user.
    """
    batch, labels, names = read_files(
        files, preparation.shape, root, notes, white=preparation.white
    )
    targets = preparation.target.collate(labels, str(files.folder))
    return Dataset(preparation.from_files(batch), targets, names=names)


def find_parts(folder: Path) -> dict[str, Path]:
    """Return the folders of the training, validation and test pictures by name of the part."""
    known = {name: part for part, names in PARTS.items() for name in names}
    folders = [entry for entry in visible_entries(folder) if entry.is_dir()]
    parts = {known[e.name.casefold()]: e for e in folders if e.name.casefold() in known}
    # A class may also be called "train": then its folder contains pictures, not folders.
    inside = visible_entries(parts["train"]) if "train" in parts else []
    if any(entry.is_dir() for entry in inside) and not any(map(is_picture, inside)):
        return parts
    return {"train": folder}


def common_shape(files: ClassFiles, options: Options, notes: list[str]) -> tuple[int, int, int]:
    """Return channels, height and width for all pictures, and add a note if they change.

    Raises:
        DataError: If no picture can be read.
    """
    paths = [path for path, _ in files.pictures]
    headers, broken = read_headers(paths)
    if not headers:
        path, reason = next(iter(broken.items()))
        raise DataError(
            f"None of the {number_of(len(paths), 'picture')} in {files.folder} can be read: "
            f"{path.name}: {reason}."
        )
    all_grey = all(header.grey for header in headers)
    channels = 1 if (options.color or ("grey" if all_grey else "rgb")) == "grey" else 3
    # Pictures of more than 8 bits are stored in single precision.
    width_in_bytes = 4 if any(header.deep for header in headers) else 1
    height, width = options.size or common_size(
        [header.size for header in headers], channels * width_in_bytes, notes
    )
    return channels, height, width


def common_size(
    sizes: Sequence[tuple[int, int]], pixel: int, notes: list[str]
) -> tuple[int, int]:
    """Return the common size of all pictures, or their median size within bounds.

    Args:
        sizes: Height and width of each.
        pixel: Bytes per pixel in memory.
        notes: Gains a line if the pictures must be resized.
    """
    height, width = (int(median(sides)) for sides in zip(*sizes, strict=True))
    if len(set(sizes)) == 1:
        if height * width * pixel * len(sizes) <= MAX_BYTES:
            return height, width
        why = (
            f"All {number_of(len(sizes), 'picture')} are {height}×{width}, too large for memory"
        )
    else:
        why = f"The pictures have {len(set(sizes)):,} sizes, the median is {height}×{width}"
    shrink = min(1.0, LONGEST_SIDE / max(height, width))
    height, width = max(1, round(height * shrink)), max(1, round(width * shrink))
    notes.append(
        f"{why}: resized to {height}×{width} (height × width); set image_size= to override."
    )
    return height, width


def read_files(
    files: ClassFiles,
    shape: tuple[int, int, int],
    root: Path,
    notes: list[str],
    *,
    white: float | None = None,
) -> tuple[Batch, list[str], list[str]]:
    """Return the pictures, labels and names of the files that can be read.

    Args:
        files: The pictures.
        shape: Channels, height and width of the result.
        root: The folder that names are relative to.
        notes: Gains notes for the user.
        white: The value of white in files of more than 8 bits; None to find it.

    Raises:
        DataError: If no picture can be read.
    """
    batch = read_pictures([path for path, _ in files.pictures], shape[0], shape[1:])
    notes += broken_notes(batch.broken, root)
    notes += files.notes
    if not batch.kept:
        raise DataError(f"None of the pictures in {files.folder} can be read.")
    notes += batch.notes(white or batch.white)
    kept = [files.pictures[place] for place in batch.kept]
    labels = [label for _, label in kept]
    lost = {label for _, label in files.pictures} - set(labels)
    if lost:
        named = some_of(map(repr, sorted(lost, key=natural_key)))
        notes.append(f"No picture of {named} can be read: not used as a class.")
    return batch, labels, [str(path.relative_to(root)) for path, _ in kept]


def holds_only_greys(pixels: Tensor) -> bool:
    """Return whether the three channels of all pictures are equal."""
    return all(torch.equal(pixels[:, 0], pixels[:, channel]) for channel in (1, 2))
