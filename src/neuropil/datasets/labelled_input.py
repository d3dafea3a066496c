"""Read labelled data in the form that a network was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.datasets.arrays.array_file import ArrayFile
from neuropil.datasets.arrays.idx import find_idx, pair, read_pair
from neuropil.datasets.arrays.named_arrays import class_names, encode_outcome, load_pair
from neuropil.datasets.dataset import Dataset
from neuropil.datasets.errors import DataError, recalling
from neuropil.datasets.new_input import TABLES
from neuropil.datasets.paths import existing, visible
from neuropil.datasets.pictures.class_folders import find_files
from neuropil.datasets.pictures.picture_folder import find_parts, read_pictures_by_class
from neuropil.datasets.pictures.picture_preparation import PicturePreparation
from neuropil.datasets.reader_boundary import reading
from neuropil.datasets.tables.table_preparation import TablePreparation
from neuropil.datasets.tables.text_table import read_labelled
from neuropil.datasets.unpacking import unpacked_suffix

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from neuropil.datasets.preparation import Preparation


def read_for_evaluation(
    preparation: Preparation, path: str | os.PathLike[str]
) -> tuple[Dataset, list[str]]:
    """Read labelled data in the form that a network was trained on, to measure the network.

    Where the files say train and test, the test part is read; otherwise everything.

    Args:
        preparation: How the training data were read.
        path: Data of the same kind, as `open` takes them.

    Returns:
        The examples, and lines that a person should read.

    Raises:
        DataError: If the data do not fit, or hold a class that the training data lack.
    """
    found = existing(path)
    notes: list[str] = []
    with reading(found), recalling(notes):
        return read_labels(preparation, found, notes), notes


def read_labels(preparation: Preparation, found: Path, notes: list[str]) -> Dataset:
    """Return the labelled examples of a file or folder.

    Raises:
        DataError: If it is not of the kind that the network was trained on.
    """
    if isinstance(preparation, TablePreparation):
        if unpacked_suffix(found) not in TABLES:
            raise DataError(
                f"{found} is no table (.csv, .tsv), which the network was trained on."
            )
        return read_labelled(preparation, found, notes)
    if holds_arrays(found):
        return read_arrays(preparation, found)
    if isinstance(preparation, PicturePreparation) and found.is_dir():
        if find_idx(found):
            return read_idx_pictures(preparation, found)
        return read_picture_classes(preparation, found, notes)
    raise DataError(
        f"{found} is not what the network was trained on, which is {preparation.kind}."
    )


def holds_arrays(path: Path) -> bool:
    """Tell whether a path is an array file, or a folder of them."""
    if path.is_dir():
        return any(entry.suffix.casefold() == ".npy" for entry in visible(path))
    return path.suffix.casefold() == ".npz"


def read_arrays(preparation: Preparation, path: Path) -> Dataset:
    """Return the test arrays of a file, or all it has."""
    file = ArrayFile(path)
    inputs, values = load_pair(file, file.pair("test") or file.require_training_pair())
    targets = encode_outcome(values, preparation.target, class_names(file), str(path))
    return Dataset(preparation.encode(inputs), targets)


def read_idx_pictures(preparation: PicturePreparation, folder: Path) -> Dataset:
    """Return the test pictures of a folder of idx files, or its training pictures."""
    files = find_idx(folder)
    pixels, labels = read_pair(
        pair(files, "test" if "test images" in files else "train", folder)
    )
    targets = preparation.target.collate([str(label) for label in labels.tolist()], str(folder))
    return Dataset(preparation.from_bytes(preparation.encode(pixels)), targets)


def read_picture_classes(
    preparation: PicturePreparation, folder: Path, notes: list[str]
) -> Dataset:
    """Return the test pictures of a folder of classes, or all it has."""
    parts = find_parts(folder)
    files = find_files(parts.get("test", parts["train"]))
    return read_pictures_by_class(files, preparation, folder, notes)
