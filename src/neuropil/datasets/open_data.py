"""Open data by looking at what is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from neuropil.datasets.arrays.idx import find_idx, open_idx
from neuropil.datasets.arrays.named_arrays import open_arrays
from neuropil.datasets.errors import DataError
from neuropil.datasets.open_options import Options
from neuropil.datasets.paths import existing, listed, visible
from neuropil.datasets.pictures.picture_file import SUFFIXES
from neuropil.datasets.pictures.picture_folder import open_picture_folder
from neuropil.datasets.reader_boundary import reading
from neuropil.datasets.tables.text_table import open_table
from neuropil.datasets.unpacking import unpacked_suffix

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    from neuropil.datasets.splits import Splits

KINDS = (
    "a folder with a folder of pictures per class, a folder with MNIST's idx files, a table "
    "(.csv, .tsv), and arrays (.npz, or a folder with x.npy and y.npy)"
)
TABLES = (".csv", ".tsv")
FILE_READERS: dict[str, Callable[[Path, Options], Splits]] = {
    ".csv": open_table,
    ".tsv": open_table,
    ".npz": open_arrays,
}


def open(  # noqa: A001 - read as datasets.open
    path: str | os.PathLike[str],
    *,
    target: str | None = None,
    task: str | None = None,
    seed: int = 0,
    validation: float = 0.1,
    test: float = 0.2,
    image_size: int | tuple[int, int] | None = None,
    color: str | None = None,
    header: bool | None = None,
    encoding: str | None = None,
) -> Splits:
    r"""Open data by looking at what is there, split into training, validation and test.

    It takes a folder with one folder of pictures per class, a folder with MNIST's idx files, a
    ``.csv`` or ``.tsv`` table, both packed or not, and an ``.npz`` file of arrays. Where the
    files say train and test, validation is cut from the training files, and the test files are
    read only when `test` is first used. Broken pictures are counted, named in the notes and set
    aside.

    Args:
        path: The file or folder.
        target: For tables: name of the target column; the last one if None.
        task: ``"classification"`` or ``"regression"``; None to see from the targets: words, or
            at most 20 distinct integers, are classes.
        seed: Seed of the split; the same seed gives the same parts.
        validation: Share of the examples (below 1) or their number; 0 for none.
        test: Share of the examples (below 1) or their number, 0 for none, where no files are
            set apart for the test.
        image_size: For a folder of pictures: the size they are brought to, one number or
            (height, width). None keeps a common size; pictures of different sizes get their
            median size, at most 64 pixels a side.
        color: For a folder of pictures: ``"grey"`` or ``"rgb"``; None for grey if all pictures
            are grey.
        header: For tables: whether the first row holds the names of the columns; None to see
            from the rows.
        encoding: For tables: name of the encoding, such as ``"gb18030"``; None to find it.

    Raises:
        DataError: If the data cannot be used; the message says what, where, and what would be
            right.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from neuropil import datasets
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "fruit.csv")
        ...     rows = ["weight,colour,fruit", *["120,green,apple", "7,red,cherry"] * 10]
        ...     _ = file.write_text("\n".join(rows))
        ...     fruit = datasets.open(file)
        >>> fruit.classes, fruit.preparation.feature_names
        (['apple', 'cherry'], ['weight', 'colour=green', 'colour=red'])
        >>> len(fruit.train), len(fruit.validation), len(fruit.test)
        (14, 2, 4)
        >>> fruit.notes
        ["Target 'fruit' holds 2 distinct words: classification; task= overrides."]
    """
    found = existing(path)
    options = Options(target, task, seed, validation, test, image_size, color, header, encoding)
    with reading(found):
        return open_folder(found, options) if found.is_dir() else open_file(found, options)


SPREADSHEETS = (".xlsx", ".xls", ".ods")


def open_file(path: Path, options: Options) -> Splits:
    """Open a file by its suffix.

    Raises:
        DataError: If its kind is not known.
    """
    suffix = unpacked_suffix(path)
    if suffix in FILE_READERS:
        return FILE_READERS[suffix](path, options)
    hint = "one picture alone teaches nothing" if suffix in SUFFIXES else f"known are {KINDS}"
    if suffix in SPREADSHEETS:
        hint = "export the sheet as .csv"
    if re.search(r"idx\d-ubyte", path.name):
        hint = f"open the folder {path.parent}, which holds the other idx files too"
    raise DataError(f"{path} cannot be opened as data: {hint}.")


def open_folder(folder: Path, options: Options) -> Splits:
    """Open a folder by what it holds: idx files, arrays, tables, or pictures."""
    if find_idx(folder):
        return open_idx(folder, options)
    files = [entry for entry in visible(folder) if entry.is_file()]
    if any(file.suffix.casefold() == ".npy" for file in files):
        return open_arrays(folder, options)
    readable = [file for file in files if unpacked_suffix(file) in FILE_READERS]
    if readable and len(files) == len(visible(folder)):
        return open_files(readable, options)
    return open_picture_folder(folder, options)


def open_files(files: list[Path], options: Options) -> Splits:
    """Open the only table or array file of a folder, or ``train.csv`` with ``test.csv``.

    Raises:
        DataError: If there are others.
    """
    by_name = {file.name.casefold().split(".")[0]: file for file in files}
    tables = all(unpacked_suffix(file) in TABLES for file in files)
    if set(by_name) == {"train", "test"} and len(files) == 2 and tables:
        return open_table(by_name["train"], options, by_name["test"])
    if len(files) > 1:
        raise DataError(
            f"{files[0].parent} holds {len(files)} tables or array files: open one of them, "
            f"such as {listed(file.name for file in files)}."
        )
    return FILE_READERS[unpacked_suffix(files[0])](files[0], options)
