"""Read new input in the form that a network was trained on."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch
from torch import Tensor

from neuropil.datasets.arrays.array_file import ArrayFile, read_npy
from neuropil.datasets.errors import DataError
from neuropil.datasets.paths import existing, listed
from neuropil.datasets.pictures.class_folders import Finds, is_picture
from neuropil.datasets.pictures.picture_file import SUFFIXES
from neuropil.datasets.reader_boundary import reading
from neuropil.datasets.tables.table_file import read_table
from neuropil.datasets.unpacking import unpacked_suffix

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from neuropil.datasets.preparation import Preparation

TABLES = (".csv", ".tsv")
ARRAYS = (".npz", ".npy")


@final
@dataclass
class PredictionInputs:
    """New input in the form that a network was trained on.

    Args:
        inputs: ``(N, *input_shape)``.
        names: What each example is called: its file, or its file and row.
        notes: Lines that a person should read.
        set_aside: The files that could not be read, each with its reason.
    """

    inputs: Tensor
    names: list[str]
    notes: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)


def read_for_prediction(
    preparation: Preparation, paths: Iterable[str | os.PathLike[str]]
) -> PredictionInputs:
    r"""Read files in the form that a network was trained on.

    Pictures are brought to the training pictures' size and colours, and what was done is said.
    Tables need the training table's columns; the target may be left out. Broken pictures among
    good ones are set aside.

    Args:
        preparation: How the training data were read.
        paths: Pictures, folders of pictures, tables or array files, as the preparation takes
            them.

    Raises:
        DataError: If a file is missing or does not fit, or no picture can be read.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from neuropil import datasets
        >>> ages = datasets.TablePreparation(
        ...     (datasets.NumberColumn("age", 30.0, indicator=False),),
        ...     datasets.Classes(["no", "yes"], name="ill"),
        ...     names=("age", "ill"),
        ... )
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "people.csv")
        ...     _ = file.write_text("age\n41\n52\n")
        ...     people = read_for_prediction(ages, [file])
        >>> people.inputs.tolist(), people.names
        ([[41.0], [52.0]], ['people.csv, row 2', 'people.csv, row 3'])
    """
    several = [paths] if isinstance(paths, str | os.PathLike) else paths
    found = [existing(path) for path in several]
    gathered = PredictionInputs(torch.empty(0), [])
    files = [
        file
        for path in found
        for file in (picture_files(path, gathered.set_aside) if path.is_dir() else [path])
    ]
    count = Counter(file.name for file in files)
    batches: list[Tensor] = []
    for file in files:
        try:
            with reading(file):
                batch, names = read_one(preparation, file, gathered.notes)
        except DataError as error:
            if file.suffix.casefold() not in SUFFIXES or len(files) == 1:
                raise
            gathered.set_aside.append(str(error))
        else:
            batches.append(batch)
            if count[file.name] > 1:  # such as cat/1.png and dog/1.png
                names = [str(file) + name.removeprefix(file.name) for name in names]
            gathered.names += names
    if not batches:
        why = f"none of {len(files)} files can be used: {listed(gathered.set_aside)}"
        raise DataError(
            why if files else "There is nothing to predict: name at least one file."
        )
    gathered.inputs = torch.cat(batches)
    return gathered


def picture_files(folder: Path, set_aside: list[str]) -> list[Path]:
    """Return the pictures in a folder and its folders.

    Args:
        folder: Where to look.
        set_aside: Gains a line for each picture that is no file.

    Raises:
        DataError: If there are none.
    """
    finds = Finds(folder)
    finds.walk(folder)
    set_aside += [f"{path.name} is {why}." for path, why in finds.unreadable.items()]
    found = [file for file in finds.files if is_picture(file)]
    if not found:
        raise DataError(" ".join([f"{folder} holds no pictures.", *set_aside]))
    return found


def read_one(
    preparation: Preparation, file: Path, notes: list[str]
) -> tuple[Tensor, list[str]]:
    """Return one file's examples and their names.

    Raises:
        DataError: If the file does not fit.
    """
    readers = READERS[preparation.kind]
    for suffixes, read in readers.items():
        if unpacked_suffix(file) in suffixes:
            return read(preparation, file, notes)
    trained = {"table": "a table", "array": "an array"}.get(preparation.kind, preparation.kind)
    known = listed(sorted(suffix for suffixes in readers for suffix in suffixes), 20)
    raise DataError(
        f"{file} cannot be used with this network: it was trained on {trained} and takes "
        f"{known}."
    )


def read_rows(preparation: Any, file: Path, notes: list[str]) -> tuple[Tensor, list[str]]:
    """Return the rows of a table, with or without the target column."""
    table = preparation.read(file, notes)
    return preparation.encode(table, notes), row_names(file, table.rows)


def read_numbers(preparation: Any, file: Path, notes: list[str]) -> tuple[Tensor, list[str]]:
    """Return the rows of a table of numbers for a network that was trained on an array.

    Raises:
        DataError: If a cell holds none.
    """
    table = read_table(file, notes)
    columns = [table.numbers(name) for name in table.names]
    known = [column.values for column in columns if column is not None]
    if len(known) < len(columns) or np.isnan(known).any():
        raise DataError(
            f"{file} must hold a number in every cell: the network was trained on arrays."
        )
    return preparation.encode(np.stack(known, axis=1)), row_names(file, table.rows)


def row_names(file: Path, rows: Iterable[int]) -> list[str]:
    """Return what each row of a table is called."""
    return [f"{file.name}, row {row}" for row in rows]


def read_array(preparation: Any, file: Path, notes: list[str]) -> tuple[Tensor, list[str]]:
    """Return the examples in an array file.

    Raises:
        DataError: If the array does not fit.
    """
    if file.suffix.casefold() == ".npy":
        name, array = file.name, read_npy(file)
    else:
        arrays = ArrayFile(file)
        name = arrays.inputs_name()
        array = arrays[name]
        name = f"{file.name}, {name}"
    try:
        batch = preparation.encode(array, notes)
    except DataError as error:
        raise DataError(f"{file}: {error}") from None
    if len(batch) == 1:
        return batch, [name]
    return batch, [f"{name}, row {row}" for row in range(len(batch))]


def read_picture_file(
    preparation: Any, file: Path, notes: list[str]
) -> tuple[Tensor, list[str]]:
    """Return one picture."""
    return preparation.encode(file, notes), [file.name]


READERS = {
    "table": {TABLES: read_rows},
    "pictures": {SUFFIXES: read_picture_file, ARRAYS: read_array},
    "arrays": {ARRAYS: read_array, TABLES: read_numbers},
}
"""What reads which files for which kind of preparation."""
