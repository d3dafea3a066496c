"""New input for the predictions of a trained network."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from neuropil.core.reading import reading
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.formats import FORMATS, misfit_message, suffixes_for
from neuropil.datasets.paths import find_existing, name_below, unpacked_suffix
from neuropil.datasets.pictures.class_folders import FolderScan, is_picture
from neuropil.datasets.pictures.picture_table import read_paths, recognise
from neuropil.datasets.pictures.source_opening import source_of_files
from neuropil.datasets.prediction_inputs import PredictionInputs
from neuropil.datasets.tables.files.table_file import read_table
from neuropil.datasets.tables.files.table_suffixes import TEXT
from neuropil.text import some_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from neuropil.datasets.preparation import Preparation
    from neuropil.datasets.source import Source
    from neuropil.datasets.tables.table import Table


def read_for_prediction(
    preparation: Preparation, paths: Iterable[str | os.PathLike[str]]
) -> PredictionInputs:
    r"""Read new input with the preparation of the training data.

    Pictures are converted to the size and colours of the training pictures, and a note reports
    each change; their own sizes are kept. Tables need the columns of the training table; the
    target may be left out. Broken pictures among good ones are set aside.

    Args:
        preparation: Preparation of the training data.
        paths: Pictures, folders of pictures, tables with the names of pictures, tables or array
            files of the kind of the training data.

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
    gathered = PredictionInputs(torch.empty(0), [])
    files, table = files_to_read(
        preparation, [find_existing(path) for path in several], gathered
    )
    read = read_each(preparation, files, gathered)
    if len(gathered.sizes or ()) < len(gathered.names):
        gathered.sizes = None  # some examples are arrays, which have no file of their own size
    if not read:
        why = f"none of {len(files)} files can be used: {some_of(gathered.set_aside)}"
        raise DataError(
            why if files else "there is nothing to predict: give at least one file."
        )
    if table is not None:
        gathered.table = table.where(np.isin(np.arange(len(files)), list(read)))
    used = [files[place][0] for place in read]
    if gathered.sizes is not None:
        gathered.files = used
    gathered.inputs = join_inputs(used, read.values(), preparation)
    return gathered


# A file with the name that its examples have.
NamedFile = tuple[Path, str]


def files_to_read(
    preparation: Preparation, paths: Sequence[Path], gathered: PredictionInputs
) -> tuple[list[NamedFile], Table | None]:
    """Return the files to read, and the table that names them if there is one.

    A folder of pictures is read picture by picture, and so is a table with their names. A
    folder of parts of a table is one file.

    Args:
        preparation: Preparation of the training data.
        paths: What the user named.
        gathered: Gains notes, and lines about files that are set aside.
    """
    files: list[NamedFile] = []
    tables: list[Table] = []
    for path in paths:
        if preparation.kind == "pictures" and path.is_dir():
            top = Path() if len(paths) == 1 else path
            inside = picture_files(path, gathered.set_aside)
            files += [(file, (top / file.relative_to(path)).as_posix()) for file in inside]
        elif preparation.kind == "pictures" and recognise(path):
            with reading(path, DataError):
                table, named = read_paths(path, gathered.notes, reader=read_table)
            tables.append(table)
            files += [(file, name_below(path.parent, file)) for file in named]
        else:
            files.append((path, path.name))
    # Pictures of several tables, or besides those of a table, have no row in one table.
    alone = len(tables) == 1 and len(tables[0]) == len(files)
    return files, tables[0] if alone else None


def read_each(
    preparation: Preparation, files: Sequence[NamedFile], gathered: PredictionInputs
) -> dict[int, Any]:
    """Return the examples in each file that can be read, by the place of the file.

    Args:
        preparation: Preparation of the training data.
        files: The files.
        gathered: Gains names, notes and lines about broken pictures.

    Raises:
        DataError: If a file cannot be used and is not a picture among others.
    """
    count = Counter(name for _, name in files)
    read: dict[int, Any] = {}
    notes: dict[Path, list[str]] = {}
    for place, (file, name) in enumerate(files):
        try:
            with reading(file, DataError):
                notes[file] = []
                own = read_file(preparation, file, notes[file])
        except DataError as error:
            if not is_picture(file) or len(files) == 1:
                raise
            gathered.set_aside.append(str(error))
        else:
            read[place] = own.inputs
            gathered.table = own.table if len(files) == 1 else None
            if own.sizes is not None:
                gathered.sizes = [*(gathered.sizes or ()), *own.sizes]
            shown = str(file) if count[name] > 1 else name  # such as cat/1.png and dog/1.png
            gathered.names += [shown + row.removeprefix(file.name) for row in own.names]
    gathered.notes += count_alike(notes)
    return read


def count_alike(notes: Mapping[Path, Sequence[str]]) -> list[str]:
    """Return the notes about files, with one line for all files that have the same.

    Args:
        notes: The notes about each file. What differs from file to file is in brackets.

    Example:
        >>> from pathlib import Path
        >>> pictures = {
        ...     Path("a.png"): ["a.png: resized to 8×8 (it is 28×28)."],
        ...     Path("b.png"): ["b.png: resized to 8×8 (it is 30×20)."],
        ... }
        >>> count_alike(pictures)
        ['2 files, such as a.png: resized to 8×8 (it is 28×28).']
    """
    alike: dict[str, list[str]] = {}
    for file, lines in notes.items():
        for line in lines:
            what = line.removeprefix(f"{file.name}: ")
            key = what.partition(" (")[0] if len(notes) > 1 else line
            alike.setdefault(key, []).append(line)
    return [
        lines[0] if len(lines) == 1 else f"{len(lines):,} files, such as {lines[0]}"
        for lines in alike.values()
    ]


def join_inputs(
    files: Sequence[Path], read: Iterable[Tensor], preparation: Any
) -> Tensor | Source:
    """Return the examples of several files: a source if their sizes vary.

    Args:
        files: The files.
        read: The examples in each.
        preparation: Preparation of the training data.
    """
    if None in preparation.input_shape:
        return source_of_files(files, preparation)
    return torch.cat(list(read))


def picture_files(folder: Path, set_aside: list[str]) -> list[Path]:
    """Return the pictures in a folder and its subfolders.

    Of a folder with labels, they are those that have labels: others may be masks.

    Args:
        folder: The folder.
        set_aside: Gains a line for each picture that is not a regular file.

    Raises:
        DataError: If the folder contains no pictures.
    """
    for known in FORMATS:
        if known.pictures and known.recognises(folder):
            return known.pictures(folder)
    scan = FolderScan(folder)
    scan.walk(folder)
    set_aside += [f"{path.name} is {why}." for path, why in scan.unreadable.items()]
    found = [file for file in scan.files if is_picture(file)]
    if not found:
        raise DataError(" ".join([f"{folder} contains no pictures.", *set_aside]))
    return found


def read_file(preparation: Preparation, file: Path, notes: list[str]) -> PredictionInputs:
    """Return the examples in one file.

    Raises:
        DataError: If the network does not take such a file.
    """
    for known in FORMATS:
        if preparation.kind in known.read:
            is_parts = file.is_dir() and known.recognises(file)
            if is_parts or unpacked_suffix(file) in known.suffixes:
                return known.read[preparation.kind](preparation, file, notes)
    if preparation.kind == "pictures" and unpacked_suffix(file) in TEXT:
        raise DataError(
            f"{file} cannot be used with this network: it was trained on pictures, and the "
            f"table names none in the folder {file.parent.absolute()}."
        )
    raise DataError(misfit_message(file, preparation.kind, suffixes_for(preparation.kind)))
