"""Open data of any known format, to train a network or to evaluate it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from neuropil.core.reading import reading
from neuropil.datasets.data_errors import DataError, adding_notes
from neuropil.datasets.formats import (
    FORMATS,
    Format,
    misfit_message,
    unknown_data_message,
)
from neuropil.datasets.open_options import Options
from neuropil.datasets.paths import find_existing, visible_entries
from neuropil.datasets.tables.row_sets import as_frame
from neuropil.datasets.tables.text_table import open_frame
from neuropil.text import some_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from neuropil.datasets.dataset import Dataset
    from neuropil.datasets.preparation import Preparation
    from neuropil.datasets.splits import Splits


def open(  # noqa: A001 - read as datasets.open
    path: str | os.PathLike[str] | Any,
    *,
    target: str | Sequence[str] | None = None,
    task: str | None = None,
    seed: int = 0,
    validation: float = 0.1,
    test: float = 0.2,
    image_size: int | tuple[int, int] | str | None = None,
    color: str | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    split_by: str | None = None,
) -> Splits:
    r"""Open data of any known format, split into training, validation and test parts.

    It takes a folder with one folder of pictures per class, a folder with MNIST's idx files, an
    ``.npz`` file of arrays, and a table: text (``.csv``, ``.tsv``), Parquet, Feather, JSON
    lines, a workbook (``.xlsx``, ``.xls``, ``.ods``) or ARFF, compressed or not, a folder of
    such files with the same columns, or a data frame in memory. If the files are
    divided into training and test, validation is cut from the training files, and the
    test files are read when `test` is first used. A text table may have a column of picture
    files, with classes or numbers in another. A folder with VOC or YOLO annotations, and COCO's
    ``.json`` files, give pictures with boxes; folders ``images`` and ``masks`` give pictures
    with masks. COCO's keypoints, a table with columns such as ``nose_x`` and ``nose_y``, and
    arrays of points ``(N, P, 2)`` give pictures with points. Labels and pictures that cannot be
    used are set aside, and notes name and count them. Pictures that take more than 1 GB, or a
    quarter of the free memory, are decoded when they are needed: the parts are then a
    `PictureSource`.

    Args:
        path: The file or folder; or a data frame of pandas, Polars or PyArrow, a dict of
            columns, dicts as rows, or a data set of Hugging Face.
        target: For tables: name of the target column, or of several columns of numbers, as a
            list or with commas between them; None for the last column. For arrays of points:
            their names, or ``"face68"`` for the 68 landmarks of a face, which tell left from
            right.
        task: ``"classification"``, ``"regression"``, for boxes ``"detection"`` or
            ``"localisation"``, for points ``"landmarks"``, for masks ``"segmentation"``; for
            folders of people ``"verification"``, which divides the people into the parts; None
            to decide by the targets: words, or at most 20 distinct integers, are classes.
        seed: Seed of the split; the same seed gives the same parts.
        validation: Fraction (below 1) or number of examples for validation; 0 for none.
        test: Fraction (below 1) or number of examples for the test, 0 for none; not used if
            there are test files.
        image_size: For pictures: size to resize to, one number or (height, width);
            ``"buckets"`` for at most 8 sizes, so that each picture is changed little;
            ``"native"`` for the size of each picture, padded to that of the largest in its
            batch. None keeps a common size; pictures of different sizes get their median size,
            at most 64 pixels per side. Pictures with boxes or masks keep their proportions by
            default: their sides are at most about 320 pixels, in ``"buckets"`` if their sizes
            differ. Pictures with points get one size, at most 128 pixels per side. Boxes,
            masks and points move along with a resized picture.
        color: For a folder of pictures: ``"grey"`` or ``"rgb"``; None for grey if all pictures
            are grey.
        header: For tables: whether the first row holds the names of the columns; None to detect
            it.
        encoding: For tables: name of the encoding, such as ``"gb18030"``; None to detect it.
        split_by: For tables, also those of pictures: name of a column, such as that of the
            patient, whose values are never divided between two parts; a column of dates splits
            by time, the earliest rows for training and the latest for the test. None splits the
            rows at random.

    Raises:
        DataError: If the data cannot be used; the message says what, where, and what would be
            right.
        ValueError: If an option is out of range.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from neuropil import datasets
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "fruit.csv")
        ...     rows = [f"{n + 120},green,apple\n{n + 3},red,cherry" for n in range(10)]
        ...     _ = file.write_text("\n".join(["weight,colour,fruit", *rows]))
        ...     fruit = datasets.open(file)
        >>> fruit.target.classes, fruit.preparation.feature_names
        (('apple', 'cherry'), ['weight', 'colour=green', 'colour=red'])
        >>> len(fruit.train), len(fruit.validation), len(fruit.test)
        (14, 2, 4)
        >>> fruit.notes
        ["Target 'fruit' holds 2 distinct words: classification; set task= to override."]
    """
    options = Options(
        target, task, seed, validation, test, image_size, color, header, encoding, split_by
    )
    if not isinstance(path, str | os.PathLike):
        options.require_labels(("classes", "numbers"), "tables")
        return open_frame(as_frame(path), options)
    given = find_existing(path)
    with reading(given, DataError):
        found = find_format(given, options.labels)
        if found is None:
            raise DataError(unknown_data_message(given))
        known, opened, seen = found
        takes = [each.opens for each in FORMATS if options.labels in each.labels]
        options.require_labels(known.labels, f"{given} ({seen})", takes)
        return known.open(opened, options)


def read_for_evaluation(
    preparation: Preparation, path: str | os.PathLike[str]
) -> tuple[Dataset, list[str]]:
    """Read labelled data with the preparation of the training data, to evaluate a network.

    If the files are divided into training and test, only the test part is read.

    Args:
        preparation: Preparation of the training data.
        path: Data of the same kind, as `open` takes them.

    Returns:
        The examples, and notes for the user.

    Raises:
        DataError: If the data do not fit, or hold a class that the training data lack.
    """
    given = find_existing(path)
    kind = preparation.kind
    notes: list[str] = []
    with reading(given, DataError), adding_notes(notes):
        found = find_format(given, preparation.target.kind)
        if found is None or kind not in found[0].read_labelled:
            takes = [
                known.opens
                for known in FORMATS
                if kind in known.read_labelled and preparation.target.kind in known.labels
            ]
            what = f"{given} ({found[2]})" if found else given
            raise DataError(misfit_message(what, kind, takes))
        known, opened, seen = found
        if preparation.target.kind not in known.labels:
            raise DataError(
                f"{given} ({seen}) cannot be used with this network: it was trained on "
                f"{preparation.target.kind}, not on {' or '.join(known.labels)}."
            )
        return known.read_labelled[kind](preparation, opened, notes), notes


def find_format(path: Path, labels: str | None = None) -> tuple[Format, Path, str] | None:
    """Return the format that opens a path, the path to open, and a description of the data.

    A folder that holds a single data file is opened as that file.

    Args:
        path: An existing file or folder.
        labels: The kind of labels that is wanted, if any: one file may hold boxes and points,
            one folder boxes and masks.

    Raises:
        DataError: If a folder holds several such files.
    """
    recognised = ((known, path, seen) for known in FORMATS if (seen := known.recognises(path)))
    if first := next(recognised, None):
        fits = labels is None or labels in first[0].labels
        others = () if fits else recognised
        return next((other for other in others if has_labels(other[0], labels, path)), first)
    if not path.is_dir():
        return None
    single = [known for known in FORMATS if not known.folder]
    files = [
        (known, file, seen)
        for file in visible_entries(path)
        for known in single
        if (seen := known.recognises(file))
    ]
    if len(files) > 1:
        raise DataError(
            f"{path} contains {len(files)} data files: open one of them, such as "
            f"{some_of(file.name for _, file, _ in files)}."
        )
    return files[0] if files else None


def has_labels(known: Format, labels: str | None, path: Path) -> bool:
    """Return whether a format has labels of a kind; of folders, only for pictures.

    Args:
        known: The format.
        labels: The kind of labels.
        path: The file or folder.
    """
    return labels in known.labels and not (path.is_dir() and known.pictures is None)
