"""Reader for MNIST's idx files: a short header, then all values as bytes."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.core.reading import reading, require_file
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.dataset import Dataset
from neuropil.datasets.paths import visible_entries
from neuropil.datasets.pictures.picture_preparation import PicturePreparation, rim_brightness
from neuropil.datasets.splits import Splits
from neuropil.datasets.target import Classes
from neuropil.datasets.unpacking import check_unpacked

if TYPE_CHECKING:
    from neuropil.datasets.open_options import Options

MOST_ZLIB_CAN = 1032
"""Maximum compression ratio of deflate."""

DEEPEST = 2
"""Number of folder levels that are searched for the files."""

Pair = tuple[Path, Path]


def find_idx(folder: Path) -> dict[str, Path]:
    """Return the idx files of a folder by role: ``train images``, ``test labels`` and so on.

    Some tools unpack each file into a folder of its name, others all of them into
    ``MNIST/raw``: if the folder itself holds no idx files, its subfolders are searched.

    Args:
        folder: Where to look.
    """
    entries = visible_entries(folder)
    found = roles(entries)
    for _ in range(DEEPEST):
        below = [entry for entry in entries if entry.is_dir()]
        if found or not below:
            break
        found = roles([file for entry in below for file in named_idx(entry)])
        entries = visible_entries(below[0]) if len(below) == 1 else []
    return found


def recognise(path: Path) -> str | None:
    """Return ``"idx files"`` for a folder that holds some, else None."""
    return "idx files" if path.is_dir() and find_idx(path) else None


def named_idx(folder: Path) -> list[Path]:
    """Return the entries of a folder that are named like idx files."""
    with reading(folder, DataError):
        return sorted(entry for entry in folder.iterdir() if "-ubyte" in entry.name.casefold())


def roles(entries: list[Path]) -> dict[str, Path]:
    """Return the first idx file of each role among the entries of a folder."""
    found: dict[str, Path] = {}
    for file in entries:
        name = file.name.casefold()
        what = "images" if "idx3-ubyte" in name else "labels" if "idx1-ubyte" in name else None
        is_test = "t10k" in name or "test" in name
        part = "train" if "train" in name else "test" if is_test else None
        if what and part and file.is_file():
            found.setdefault(f"{part} {what}", file)
    return found


def open_idx(folder: Path, options: Options) -> Splits:
    """Read MNIST's idx files, compressed or not; test files are read when first used.

    Args:
        folder: Holds ``train-images-idx3-ubyte`` and ``train-labels-idx1-ubyte``, and
            ``t10k-…`` for the test.
        options: Options of the caller.

    Raises:
        DataError: If a file is missing, damaged, or does not fit the others.
    """
    options.refuse("idx files", "target", "image_size", "color")
    files = find_idx(folder)
    pixels, labels = read_pair(pair(files, "train", folder))
    target = Classes.fit(map(str, np.unique(labels)), str(files["train labels"]))

    def as_dataset(
        pixels: np.ndarray[Any, Any], labels: np.ndarray[Any, Any], where: str
    ) -> Dataset:
        numbers = target.collate([str(label) for label in labels.tolist()], where)
        return Dataset(pixels[:, None], numbers)

    has_test = "test images" in files or "test labels" in files
    found = pair(files, "test", folder) if has_test else None
    train, validation, test = options.cut(
        as_dataset(pixels, labels, str(folder)),
        test=found and (lambda _notes: as_dataset(*read_pair(found), str(found[1]))),
    )
    background = rim_brightness(train.inputs, 0, 255)
    shape = (1, *pixels.shape[1:])
    preparation = PicturePreparation(shape, target, background=background)
    return Splits(train, validation, test, preparation=preparation, source=str(folder))


def read_labelled(preparation: PicturePreparation, folder: Path, _notes: list[str]) -> Dataset:
    """Return the test pictures of a folder of idx files, or its training pictures.

    Args:
        preparation: Preparation of the training data.
        folder: The folder.
    """
    files = find_idx(folder)
    part = "test" if "test images" in files else "train"
    pixels, labels = read_pair(pair(files, part, folder))
    targets = preparation.target.collate(list(map(str, labels)), str(folder))
    return Dataset(preparation.from_bytes(preparation.encode(pixels)), targets)


def pair(files: dict[str, Path], part: str, folder: Path) -> Pair:
    """Return the files with the pictures and the labels of a part.

    Raises:
        DataError: If one of them is missing.
    """
    for what in ("images", "labels"):
        if f"{part} {what}" not in files:
            prefix, axes = "train" if part == "train" else "t10k", 3 if what == "images" else 1
            name = f"{prefix}-{what}-idx{axes}-ubyte"
            raise DataError(
                f"{folder} lacks {name} (or {name}.gz), which the other idx files need."
            )
    return files[f"{part} images"], files[f"{part} labels"]


def read_pair(files: Pair) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return pictures and their labels.

    Raises:
        DataError: If the numbers of pictures and labels differ.
    """
    pixels, labels = read_idx(files[0], 3), read_idx(files[1], 1)
    if len(pixels) != len(labels):
        raise DataError(
            f"{files[0].name} holds {len(pixels):,} pictures, but {files[1].name} holds "
            f"{len(labels):,} labels: each picture needs one label."
        )
    if pixels.size == 0:
        raise DataError(f"{files[0]} holds no pictures.")
    return pixels, labels


def read_idx(path: Path, axes: int) -> np.ndarray[Any, Any]:
    """Return the bytes of an idx file as an array.

    Args:
        path: The file; compressed by gzip if it ends in ``.gz``.
        axes: Number of axes that it must have.

    Raises:
        DataError: If the header or the length is wrong.
    """
    packed = path.suffix.casefold() == ".gz"
    with reading(path, DataError):
        require_file(path, failure=DataError)
        try:
            with gzip.open(path) if packed else path.open("rb") as file:
                shape = read_shape(file, path, axes)
                size, room = math.prod(shape), path.stat().st_size
                if packed:
                    room *= MOST_ZLIB_CAN
                if packed and size <= room:
                    check_unpacked(path, size)
                # Checked before memory is allocated: the header may claim anything.
                values = np.empty(size if size <= room else 0, np.uint8)
                got = file.readinto(values.data) if values.size else 0
                rest = file.read(1)
        except (EOFError, zlib.error):
            raise DataError(f"{path} ends too early: the file is truncated.") from None
    if got != size or rest:
        problem = "more" if got == size else "fewer"
        raise DataError(
            f"{path} should hold {size:,} bytes after its header, but holds {problem}."
        )
    return values.reshape(shape)


def read_shape(file: Any, path: Path, axes: int) -> tuple[int, ...]:
    """Read the header: two zero bytes, the type, the number of axes, and the sizes.

    Raises:
        DataError: If the header is not that of an idx file.
    """
    header = file.read(4 + 4 * axes)
    magic = bytes([0, 0, 8, axes])
    if header[:4] != magic or len(header) < 4 + 4 * axes:
        raise DataError(
            f"{path} is not an idx file of bytes with {axes} axes: it starts with "
            f"{header[:4].hex(' ')}, not {magic.hex(' ')}."
        )
    return tuple(np.frombuffer(header, ">u4", offset=4).tolist())
