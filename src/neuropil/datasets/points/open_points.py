"""Open pictures with points, whatever the format of the labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.datasets.annotations.open_annotations import check_not_empty, readers_of_parts
from neuropil.datasets.data_errors import DataError, adding_notes
from neuropil.datasets.pictures.class_folders import LabelledFiles
from neuropil.datasets.pictures.picture_batch import read_headers
from neuropil.datasets.pictures.picture_set import open_pictures, read_more
from neuropil.datasets.pictures.picture_sizes import located_size
from neuropil.datasets.points.point_labels import checked_points
from neuropil.datasets.points.points_target import Points
from neuropil.text import some_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from neuropil.datasets.open_options import Options
    from neuropil.datasets.pictures.picture_set import Pictures
    from neuropil.datasets.points.point_labels import PointedPictures, PointLabels
    from neuropil.datasets.splits import Splits

LONGEST_SIDE = 128
"""Default longest side of pictures with points, all of one size."""


def open_points(
    path: Path, options: Options, *, reader: Callable[[Path], PointLabels]
) -> Splits:
    """Read pictures with points.

    Args:
        path: The folder or file.
        options: Options of the caller.
        reader: Reads the labels of this format.

    Raises:
        DataError: If no picture can be read, or none of them has a point.
    """
    options.refuse("pictures with points", "target")
    found = reader(path)
    if "train" not in found.parts:
        raise DataError(f"{path} has no pictures with points for the training.")
    files = {name: labelled_files(path, part, found) for name, part in found.parts.items()}
    notes = found.notes + found.problems.notes()
    with adding_notes(notes):
        check_not_empty(files["train"])
        return open_pictures(
            files["train"],
            lambda labels: Points.fit(labels, str(path), points=found.names),
            one_size(files["train"], options, notes),
            found.root,
            notes,
            readers_of_parts(files, found.root, notes),
        )


def read_labelled(
    preparation: Any, path: Path, notes: list[str], *, reader: Callable[[Path], PointLabels]
) -> Pictures:
    """Return the test pictures with their points, or all pictures.

    Args:
        preparation: Preparation of the training pictures, whose target is points.
        path: The folder or file.
        notes: Gains notes for the user.
        reader: Reads the labels of this format.

    Raises:
        DataError: If no picture can be read, or the points have other names.
    """
    found = reader(path)
    names = preparation.target.points
    if lacking := [name for name in names if name not in found.names]:
        raise DataError(
            f"{path} lacks the {'points' if len(lacking) > 1 else 'point'} "
            f"{some_of(map(repr, lacking), 5)} of the training data; it has "
            f"{some_of(map(repr, found.names), 5)}."
        )
    order = [found.names.index(name) for name in names]
    parts = found.parts
    part = next(parts[name] for name in ("test", "train", "validation") if name in parts)
    part.rows = [rows[order] for rows in part.rows]
    files = labelled_files(path, part, replace(found, names=names))
    notes += found.notes + found.problems.notes()
    check_not_empty(files)
    return read_more(files, preparation, found.root, notes)


def labelled_files(path: Path, part: PointedPictures, found: PointLabels) -> LabelledFiles:
    """Return the pictures of a part that have points.

    Args:
        path: The folder or file that the user named.
        part: The part.
        found: The labels; gains the problems of the points.
    """
    headers, broken = read_headers(part.pictures)
    sizes = np.zeros((len(part.pictures), 2), np.int64)
    for place, header in headers.items():
        sizes[place] = header.size
    kept = dict(checked_points(part, sizes, found.names, found.problems))
    pictures = [(part.pictures[place], rows) for place, rows in kept.items()]
    known = {new: headers[old] for new, old in enumerate(kept) if old in headers}
    return LabelledFiles(path, pictures, [], located=True, scanned=(known, broken))


def one_size(files: LabelledFiles, options: Options, notes: list[str]) -> Options:
    """Return options with one size for all pictures, if the user has not chosen any.

    Args:
        files: The pictures.
        options: The options of the user.
        notes: Gains a line if the pictures are resized.
    """
    headers, _ = files.scanned or ({}, {})
    sizes = [header.size for header in headers.values()]
    if options.image_size is not None or not sizes:
        return options
    return replace(options, image_size=located_size(sizes, LONGEST_SIDE, notes))
