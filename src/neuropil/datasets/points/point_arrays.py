"""Reader for arrays of pictures with an array of points for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuropil.datasets.annotations.label_problems import LabelProblems
from neuropil.datasets.arrays import array_file
from neuropil.datasets.arrays.array_file import ArrayFile
from neuropil.datasets.arrays.array_preparation import check_finite
from neuropil.datasets.arrays.axis_order import as_batch, example_shape, value_range
from neuropil.datasets.arrays.named_arrays import in_double_precision, prepare, prepared_splits
from neuropil.datasets.data_errors import DataError, adding_notes
from neuropil.datasets.dataset import Dataset
from neuropil.datasets.pictures.picture_preparation import PicturePreparation
from neuropil.datasets.points.point_labels import PointedPictures, checked_points
from neuropil.datasets.points.point_schemes import SCHEMES
from neuropil.datasets.points.points_target import COLUMNS, Points
from neuropil.text import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from neuropil.datasets.open_options import Options
    from neuropil.datasets.splits import Splits

    Array = np.ndarray[Any, Any]

INPUTS = ("x", "inputs", "images", "data")
POINTS = ("k", "points", "keypoints", "landmarks", "y", "targets", "labels", "target")
"""Known names of arrays of pictures, and of arrays ``(N, P, 2)`` or ``(N, P, 3)`` of points."""


def recognise(path: Path) -> str | None:
    """Return ``"arrays of points"`` for arrays with points ``(N, P, 2 or 3)``, else None."""
    if not (array_file.recognise(path) or array_file.recognise_folder(path)):
        return None
    try:
        file = ArrayFile(path)
        names = find_pair(file, "train") or find_pair(file, None)
        found = names is not None and are_points(*file.header(names[1]))
    except DataError:
        return None  # a damaged file is reported by the reader of all other arrays
    return "arrays of points" if found else None


def open_point_arrays(path: Path, options: Options) -> Splits:
    """Read pictures and their points; those of the test are read when first used.

    Args:
        path: The file or the folder.
        options: Options of the caller; ``target`` names the points.

    Raises:
        DataError: If the arrays do not fit each other, or there is nothing to learn.
    """
    options.refuse("arrays of points", "image_size", "color")
    file = ArrayFile(path)
    notes: list[str] = []
    with adding_notes(notes):
        train = find_pair(file, "train") or find_pair(file, None)
        pictures, rows = load(file, train or ("", ""))
        names = names_of_points(options.target, rows.shape[1], path)
        target, shape = Points(names), example_shape(pictures)

        def as_dataset(pictures: Array, rows: Array, notes: list[str]) -> Dataset:
            kept, points = usable(pictures, rows, target, path, notes)
            batch = as_batch(kept, shape, f"the pictures in {path.name}")
            return Dataset(in_double_precision(batch), target.collate(points, str(path)))

        validation, test = find_pair(file, "validation"), find_pair(file, "test")
        parts = options.cut(
            as_dataset(pictures, rows, notes),
            as_dataset(*load(file, validation), notes) if validation else None,
            (lambda notes: as_dataset(*load(file, test), notes)) if test else None,
        )
        preparation = prepare(parts[0], target, value_range(pictures))
        if not isinstance(preparation, PicturePreparation):
            raise DataError(not_pictures(pictures, path))

        def prepare_part(part: Dataset) -> Dataset:
            return Dataset(preparation.encode(part.inputs), part.targets)

        return prepared_splits(parts, prepare_part, preparation, source=str(path), notes=notes)


def read_labelled(preparation: Any, path: Path, notes: list[str]) -> Dataset:
    """Return the test arrays of a file or folder, or all of its arrays.

    Args:
        preparation: Preparation of the training pictures, whose target is points.
        path: The file or the folder.
        notes: Gains notes for the user.
    """
    file, target = ArrayFile(path), preparation.target
    names = find_pair(file, "test") or find_pair(file, "train") or find_pair(file, None)
    kept, points = usable(*load(file, names or ("", "")), target, path, notes)
    return Dataset(preparation.encode(kept), target.collate(points, str(path)))


def find_pair(file: ArrayFile, part: str | None) -> tuple[str, str] | None:
    """Return the names of the pictures and the points of a part, or None.

    Args:
        file: The arrays.
        part: ``"train"``, ``"validation"``, ``"test"``, or None for arrays without a part in
            their names.
    """
    found = [
        next((own for name in known if (own := file.find(name, part))), None)
        for known in (INPUTS, POINTS)
    ]
    return (found[0], found[1]) if found[0] and found[1] else None


def are_points(shape: Sequence[int], dtype: np.dtype[Any]) -> bool:
    """Return whether an array holds two or three numbers for each point of each example."""
    return len(shape) == 3 and shape[2] in (2, COLUMNS) and dtype.kind in "uif"


def load(file: ArrayFile, names: tuple[str, str]) -> tuple[Array, Array]:
    """Return pictures, and their points ``(N, P, 3)`` with NaN for what is not given.

    Raises:
        DataError: If they do not fit each other.
    """
    pictures, points = file[names[0]], file[names[1]]
    fits = pictures.ndim >= 3 and pictures.dtype.kind in "buif"
    if not fits or not are_points(points.shape, points.dtype):
        raise DataError(
            f"{file.path}: {names[0]} must be pictures and {names[1]} points (N, P, 2) or "
            f"(N, P, 3), got the shapes {pictures.shape} and {points.shape}."
        )
    if len(example_shape(pictures)) != 3:
        raise DataError(not_pictures(pictures, file.path))
    if len(pictures) != len(points) or 0 in (*pictures.shape, *points.shape):
        raise DataError(
            f"{file.path}: {names[0]} has shape {pictures.shape}, {names[1]} has "
            f"{points.shape}: each picture needs its points."
        )
    check_finite(pictures, f"{names[0]} of {file.path.name}")
    rows = np.full((*points.shape[:2], COLUMNS), np.nan)
    rows[..., : points.shape[2]] = points
    return pictures, rows


def not_pictures(inputs: Array, path: Path) -> str:
    """Return the error message for inputs that are not pictures."""
    return (
        f"{path}: points need pictures (N, H, W) in bytes, or (N, H, W, C) or (N, C, H, W) in "
        f"bytes or numbers from 0 to 1 or 255; got {inputs.dtype} of shape {inputs.shape}."
    )


def usable(
    pictures: Array, rows: Array, target: Points, path: Path, notes: list[str]
) -> tuple[Array, list[Array]]:
    """Return the pictures that have points, and these points.

    Args:
        pictures: All pictures.
        rows: Their points.
        target: The names of the points.
        path: The file, for notes and errors.
        notes: Gains notes on what is not used.

    Raises:
        DataError: If there are other points than the target has, or no picture is left.
    """
    if rows.shape[1] != len(target.points):
        raise DataError(
            f"{path} has {number_of(rows.shape[1], 'point')} for each picture; the network was "
            f"trained on {len(target.points)}."
        )
    _, height, width = example_shape(pictures)
    sizes = np.broadcast_to(np.array([height, width]), (len(pictures), 2))
    places = list(range(1, len(pictures) + 1))
    part = PointedPictures(path, "example", [path] * len(places), places, list(rows))
    problems = LabelProblems(path.parent)
    kept = dict(checked_points(part, sizes, target.points, problems))
    notes += problems.notes()
    if not kept:
        raise DataError(f"{path} has no picture with points that can be used.")
    return pictures[list(kept)], list(kept.values())


def names_of_points(asked: str | Sequence[str] | None, count: int, path: Path) -> Sequence[str]:
    """Return the names of points: those of a scheme, those given, or numbers.

    Args:
        asked: Name of a scheme, or the names as a list or with commas between them.
        count: The number of points.
        path: The file, for the error.

    Raises:
        DataError: If there is another number of names.
    """
    if asked is None:
        return [f"point_{place}" for place in range(1, count + 1)]
    names = asked.split(",") if isinstance(asked, str) else list(asked)
    names = [name.strip() for name in names]
    known: Sequence[str] = SCHEMES.get(names[0].casefold(), names) if len(names) == 1 else names
    if len(known) != count:
        raise DataError(
            f"{path} has {number_of(count, 'point')} for each picture, but {asked!r:.80} names "
            f"{len(known)}: give a name for each, or one of the schemes {', '.join(SCHEMES)}."
        )
    return known
