"""Open pictures with boxes, whatever the format of the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.datasets.annotations.box_checks import check_boxes
from neuropil.datasets.annotations.boxes_target import Boxes
from neuropil.datasets.data_errors import DataError, adding_notes
from neuropil.datasets.paths import natural_key
from neuropil.datasets.pictures.class_folders import LabelledFiles
from neuropil.datasets.pictures.picture_batch import read_headers
from neuropil.datasets.pictures.picture_set import open_pictures, read_more
from neuropil.text import number_of, some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from neuropil.datasets.annotations.annotated_pictures import (
        AnnotatedPictures,
        Annotations,
    )
    from neuropil.datasets.open_options import Options
    from neuropil.datasets.pictures.picture_set import Pictures
    from neuropil.datasets.splits import Splits

SHOWN = 8
"""Number of classes that a note names."""


def open_annotations(
    path: Path, options: Options, *, reader: Callable[[Path], Annotations]
) -> Splits:
    """Read pictures with boxes.

    Args:
        path: The folder or file.
        options: Options of the caller.
        reader: Reads the labels of this format.

    Raises:
        DataError: If no picture can be read, or none of them has a box.
    """
    options.refuse("pictures with boxes", "target")
    found = reader(path)
    if not found.parts:
        raise DataError(f"{path} has no picture whose labels can be used.")
    if len(found.parts) == 1:
        found.parts = {"train": next(iter(found.parts.values()))}
    if "train" not in found.parts:
        raise DataError(
            f"{path} has pictures for {' and '.join(found.parts)}, but none for the training: "
            "their folder or list must be called train."
        )
    classes = found.classes if found.listed else used_classes(found)
    files = {
        name: labelled_files(path, part, found, classes) for name, part in found.parts.items()
    }
    notes = found.notes + found.problems.notes()
    with adding_notes(notes):
        check_not_empty(files["train"])
        notes += absent_classes(files["train"], classes)
        return open_pictures(
            files["train"],
            lambda labels: Boxes.fit(labels, str(path), classes=classes),
            options,
            found.root,
            notes,
            readers_of_parts(files, found.root, notes),
        )


def readers_of_parts(
    files: Mapping[str, LabelledFiles], root: Path, notes: list[str]
) -> dict[str, Callable[[Any], Any]]:
    """Return the readers of the validation and the test pictures for `open_pictures`.

    Args:
        files: The pictures of each part that there is.
        root: The folder that names are relative to.
        notes: Gains notes on the validation pictures; the test has its own.
    """
    more: dict[str, Callable[[Any], Any]] = {
        "validation": lambda preparation: read_more(
            files["validation"], preparation, root, notes
        ),
        "test": lambda preparation: (
            lambda notes: read_more(files["test"], preparation, root, notes)
        ),
    }
    return {name: more[name] for name in files if name in more}


def read_labelled(
    preparation: Any,
    path: Path,
    notes: list[str],
    *,
    reader: Callable[[Path], Annotations],
) -> Pictures:
    """Return the test pictures with their boxes, or all pictures.

    Args:
        preparation: Preparation of the training pictures, whose target is boxes.
        path: The folder or file.
        notes: Gains notes for the user.
        reader: Reads the labels of this format.

    Raises:
        DataError: If no picture can be read.
    """
    found = reader(path)
    parts = found.parts
    part = next(parts[name] for name in ("test", "train", "validation") if name in parts)
    files = labelled_files(path, part, found, preparation.target.classes)
    notes += found.notes + found.problems.notes()
    check_not_empty(files)
    return read_more(files, preparation, found.root, notes)


def check_not_empty(files: LabelledFiles) -> None:
    """Refuse a part without pictures.

    Raises:
        DataError: If it has none.
    """
    if not files.pictures:
        raise DataError(f"{files.folder} has no picture whose labels can be used.")


def used_classes(found: Annotations) -> list[str]:
    """Return the classes of the training boxes, in natural order."""
    used = {int(max(n, -2 - n)) for n in found.parts["train"].rows()[:, 4].tolist()}
    return sorted((found.classes[number] for number in used), key=natural_key)


def labelled_files(
    path: Path, part: AnnotatedPictures, found: Annotations, classes: Sequence[str]
) -> LabelledFiles:
    """Return the pictures of a part with their boxes, as rows of numbers.

    Args:
        path: The folder or file that the user named.
        part: The part.
        found: The annotations; gains the problems of the boxes.
        classes: Name of each class of the target.
    """
    headers, broken = read_headers(part.pictures)
    sizes = np.zeros((len(part.pictures), 2), np.int64)
    for place, header in headers.items():
        sizes[place] = header.size
    boxes = check_boxes(part, sizes, found.problems, numbers_of(found.classes, classes))
    pictures = list(zip(part.pictures, boxes, strict=True))
    return LabelledFiles(path, pictures, [], located=True, scanned=(headers, broken))


def numbers_of(names: Sequence[str], classes: Sequence[str]) -> list[int]:
    """Return the class number of each name; −1 for a name that is not a class.

    Args:
        names: The names that the label files use.
        classes: Name of each class of the target.
    """
    known = {name: number for number, name in enumerate(classes)}
    return [known.get(name, -1) for name in names]


def absent_classes(boxes: LabelledFiles, classes: Sequence[str]) -> list[str]:
    """Return a note about the classes without a training box, if there are any.

    Args:
        boxes: The training pictures, with their boxes.
        classes: Name of each class.
    """
    rows = [rows[:, 4] for _, rows in boxes.pictures]
    used = set(np.concatenate([*rows, []]).astype(int).tolist())
    absent = [name for number, name in enumerate(classes) if number not in used]
    if not absent:
        return []
    count = number_of(len(absent), "class")
    return [f"{count} without a box among the training pictures: {some_of(absent, SHOWN)}."]
