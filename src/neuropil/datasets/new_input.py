"""New input for the predictions of a trained network."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from neuropil.core.reading import reading
from neuropil.datasets.data_errors import DataError
from neuropil.datasets.formats import FORMATS, misfit_message
from neuropil.datasets.paths import find_existing, unpacked_suffix
from neuropil.datasets.pictures.class_folders import FolderScan, is_picture
from neuropil.datasets.prediction_inputs import PredictionInputs
from neuropil.text import some_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from neuropil.datasets.preparation import Preparation
    from neuropil.datasets.source import Source


def read_for_prediction(
    preparation: Preparation, paths: Iterable[str | os.PathLike[str]]
) -> PredictionInputs:
    r"""Read new input with the preparation of the training data.

    Pictures are converted to the size and colours of the training pictures, and a note reports
    each change. Tables need the columns of the training table; the target may be left out.
    Broken pictures among good ones are set aside.

    Args:
        preparation: Preparation of the training data.
        paths: Pictures, folders of pictures, tables or array files of the kind of the training
            data.

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
    found = [find_existing(path) for path in several]
    gathered = PredictionInputs(torch.empty(0), [])
    files = files_with_names(found, preparation, gathered.set_aside)
    count = Counter(files.values())
    read: list[tuple[Path, Any]] = []
    notes: dict[Path, list[str]] = {}
    for file, name in files.items():
        try:
            with reading(file, DataError):
                own = read_file(preparation, file, notes.setdefault(file, []))
        except DataError as error:
            if not is_picture(file) or len(files) == 1:
                raise
            gathered.set_aside.append(str(error))
        else:
            read.append((file, own.inputs))
            gathered.table = own.table if len(files) == 1 else None
            shown = str(file) if count[name] > 1 else name  # such as cat/1.png and dog/1.png
            gathered.names += [shown + row.removeprefix(file.name) for row in own.names]
    if not read:
        why = f"none of {len(files)} files can be used: {some_of(gathered.set_aside)}"
        raise DataError(
            why if files else "there is nothing to predict: give at least one file."
        )
    gathered.inputs = join_inputs(read, preparation)
    gathered.notes = count_alike(notes)
    return gathered


def files_with_names(
    paths: Sequence[Path], preparation: Preparation, set_aside: list[str]
) -> dict[Path, str]:
    """Return the files to read with their names: those in a folder have their path in it.

    Args:
        paths: Files and folders.
        preparation: Preparation of the training data.
        set_aside: Gains a line for each picture that is not a regular file.
    """
    files: dict[Path, str] = {}
    for path in paths:
        # A folder of pictures is read picture by picture; `read_file` takes parts of a table.
        if path.is_dir() and preparation.kind == "pictures":
            top = Path() if len(paths) == 1 else path
            inside = picture_files(path, set_aside)
            files |= {file: (top / file.relative_to(path)).as_posix() for file in inside}
        else:
            files[path] = path.name
    return files


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


def join_inputs(read: list[tuple[Path, Any]], preparation: Any) -> Tensor | Source:
    """Return the examples of several files: a source if their sizes vary.

    Args:
        read: The files, and the examples in each.
        preparation: Preparation of the training data.
    """
    from neuropil.datasets.pictures.source_opening import source_of_files

    if None in preparation.input_shape:
        return source_of_files([file for file, _ in read], preparation)
    return torch.cat([inputs for _, inputs in read])


def picture_files(folder: Path, set_aside: list[str]) -> list[Path]:
    """Return the pictures in a folder and its subfolders.

    Args:
        folder: The folder.
        set_aside: Gains a line for each picture that is not a regular file.

    Raises:
        DataError: If the folder contains no pictures.
    """
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
    takes: list[str] = []
    for known in FORMATS:
        if preparation.kind in known.read:
            is_parts = file.is_dir() and known.recognises(file)
            if is_parts or unpacked_suffix(file) in known.suffixes:
                return known.read[preparation.kind](preparation, file, notes)
            takes += known.suffixes
    raise DataError(misfit_message(file, preparation.kind, takes))
