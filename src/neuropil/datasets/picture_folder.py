"""Pictures in one folder per class, in training, validation and test folders or not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from neuropil.datasets.dataset import Dataset
from neuropil.datasets.errors import DataError
from neuropil.datasets.paths import counted, visible
from neuropil.datasets.picture_batch import read_headers, read_pictures, say_broken
from neuropil.datasets.picture_file import SUFFIXES
from neuropil.datasets.picture_preparation import PicturePreparation, rim_brightness
from neuropil.datasets.splits import Splits
from neuropil.datasets.target import Target

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from neuropil.datasets.options import Options

PARTS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}

LONGEST_SIDE = 64
"""What pictures of different sizes are reduced to unless the caller says otherwise."""
MAX_BYTES = 2**31
"""Equal pictures that need more memory than this are reduced as well."""


@final
@dataclass(frozen=True)
class Files:
    """The pictures of one part by class, and how many other files lie among them."""

    folder: Path
    pictures: list[tuple[Path, str]]
    others: int


def open_picture_folder(folder: Path, options: Options) -> Splits:
    """Read pictures that lie in one folder per class.

    Args:
        folder: Holds the class folders, or ``train``, ``test`` and ``validation`` folders that
            hold them.
        options: What the caller asked for.

    Raises:
        DataError: If there are fewer than two classes, or no picture that can be read.
    """
    options.refuse("a folder of pictures", "target")
    if options.task == "regression":
        raise DataError(
            f"{folder} holds pictures by class: that is classification, not regression."
        )
    parts = find_parts(folder)
    files = find_files(parts["train"])
    notes: list[str] = []
    shape = common_shape(files, options, notes)
    pixels, labels, names = read_files(files, shape, folder, notes)
    if shape[0] == 3 and options.color is None and holds_only_greys(pixels):
        pixels, shape = pixels[:, :1].clone(), (1, *shape[1:])
        notes.append("The pictures are stored in colour but hold only greys: read as grey.")
    target = Target.of_labels(labels, str(parts["train"]))

    def read_part(name: str, notes: list[str]) -> Dataset:
        found = find_files(parts[name])
        pixels, labels, names = read_files(found, shape, folder, notes)
        return Dataset(pixels, target.encode_classes(labels, str(found.folder)), names=names)

    data = Dataset(pixels, target.encode_classes(labels, str(folder)), names=names)
    train, validation, test = options.cut(
        data,
        read_part("validation", notes) if "validation" in parts else None,
        partial(read_part, "test") if "test" in parts else None,
    )
    background = rim_brightness(train.inputs, 0, 255)
    preparation = PicturePreparation(shape, target, background=background)
    return Splits(
        train, validation, test, preparation=preparation, source=str(folder), notes=notes
    )


def find_parts(folder: Path) -> dict[str, Path]:
    """Return the folders of the training, validation and test pictures by name of the part."""
    known = {name: part for part, names in PARTS.items() for name in names}
    folders = [entry for entry in visible(folder) if entry.is_dir()]
    parts = {known[e.name.casefold()]: e for e in folders if e.name.casefold() in known}
    # A class may be called "train" as well: then it holds pictures rather than folders.
    inside = visible(parts["train"]) if "train" in parts else []
    if any(entry.is_dir() for entry in inside) and not any(map(is_picture, inside)):
        return parts
    return {"train": folder}


def find_files(folder: Path) -> Files:
    """Return the pictures below the class folders, in natural order.

    Raises:
        DataError: If there are none.
    """
    entries = visible(folder)
    pictures: list[tuple[Path, str]] = []
    others = sum(entry.is_file() for entry in entries)
    for label in (entry for entry in entries if entry.is_dir()):
        below = files_below(label)
        found = [(file, label.name) for file in below if is_picture(file)]
        others += len(below) - len(found)
        pictures += found
    if pictures:
        return Files(folder, pictures, others)
    if loose := sum(map(is_picture, entries)):
        raise DataError(
            f"{folder} holds {counted(loose, 'picture')} but no folders: put the pictures of "
            "each class into a folder with the name of the class."
        )
    held = (
        f"holds no pictures or tables ({counted(others, 'other file')})"
        if others
        else "is empty"
    )
    raise DataError(f"{folder} {held}.")


def files_below(folder: Path) -> list[Path]:
    """Return all files in a folder and its folders, hidden ones left out."""
    found: list[Path] = []
    for entry in visible(folder):
        if entry.is_file():
            found.append(entry)
        elif entry.is_dir() and not entry.is_symlink():  # A link may lead round in a circle.
            found += files_below(entry)
    return found


def is_picture(path: Path) -> bool:
    """Tell by its name whether a file should be a picture."""
    return path.suffix.lower() in SUFFIXES and path.is_file()


def common_shape(files: Files, options: Options, notes: list[str]) -> tuple[int, int, int]:
    """Return channels, height and width for all pictures, and say why.

    Raises:
        DataError: If no picture can be read.
    """
    paths = [path for path, _ in files.pictures]
    results, broken = read_headers(paths)
    headers = [header for header in results if header is not None]
    if not headers:
        path, reason = next(iter(broken.items()))
        raise DataError(
            f"None of the {counted(len(paths), 'picture')} in {files.folder} can be read: "
            f"{path.name}: {reason}."
        )
    if options.color is None:
        channels = 1 if all(header.grey for header in headers) else 3
    else:
        channels = 1 if options.color == "grey" else 3
    height, width = options.size or common_size(
        [header.size for header in headers], channels, notes
    )
    return channels, height, width


def common_size(
    sizes: Sequence[tuple[int, int]], channels: int, notes: list[str]
) -> tuple[int, int]:
    """Return the size that all pictures have, or their median size within bounds."""
    height, width = (int(median(sides)) for sides in zip(*sizes, strict=True))
    if len(set(sizes)) == 1:
        if height * width * channels * len(sizes) <= MAX_BYTES:
            return height, width
        why = f"All {counted(len(sizes), 'picture')} are {height}×{width}, too much for memory"
    else:
        why = f"The pictures have {len(set(sizes)):,} sizes, the median is {height}×{width}"
    shrink = min(1.0, LONGEST_SIDE / max(height, width))
    height, width = max(1, round(height * shrink)), max(1, round(width * shrink))
    notes.append(f"{why}: brought to {height}×{width} (height × width); image_size= overrides.")
    return height, width


def read_files(
    files: Files, shape: tuple[int, int, int], root: Path, notes: list[str]
) -> tuple[Tensor, list[str], list[str]]:
    """Return the pictures, labels and names of the files that can be read.

    Raises:
        DataError: If none can.
    """
    batch = read_pictures([path for path, _ in files.pictures], shape[0], shape[1:])
    if not batch.kept:
        raise DataError(f"None of the pictures in {files.folder} can be read.")
    notes += say_broken(batch.broken, root)
    notes += batch.notes()
    if files.others:
        notes.append(
            f"{counted(files.others, 'other file')} in {files.folder.name} left alone."
        )
    kept = [files.pictures[place] for place in batch.kept]
    return (
        batch.pixels,
        [label for _, label in kept],
        [str(path.relative_to(root)) for path, _ in kept],
    )


def holds_only_greys(pixels: Tensor) -> bool:
    """Tell whether pictures with three channels have three equal ones."""
    return all(torch.equal(pixels[:, 0], pixels[:, channel]) for channel in (1, 2))
