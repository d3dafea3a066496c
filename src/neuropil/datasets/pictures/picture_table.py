"""Reader for tables that name picture files: classes or numbers for each picture."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import torch

from neuropil.datasets.data_errors import DataError, adding_notes
from neuropil.datasets.paths import PACKED, is_file, name_below, unpacked_suffix
from neuropil.datasets.pictures.class_folders import LabelledFiles
from neuropil.datasets.pictures.picture_set import open_pictures, read_more
from neuropil.datasets.pictures.picture_suffixes import SUFFIXES
from neuropil.datasets.tables.files.table_suffixes import TEXT
from neuropil.datasets.tables.table_preparation import READERS
from neuropil.datasets.tables.table_splits import (
    Outcome,
    holds_dates,
    note_series,
    split_table,
)
from neuropil.datasets.tables.table_target import drop_unknown_targets, read_outcomes
from neuropil.datasets.tables.target_choice import find_targets
from neuropil.datasets.tables.text_table import make_target
from neuropil.datasets.target import Classes, Target
from neuropil.text import number_of, some_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.datasets.open_options import Options
    from neuropil.datasets.pictures.picture_preparation import PicturePreparation
    from neuropil.datasets.pictures.picture_set import Pictures
    from neuropil.datasets.splits import Splits
    from neuropil.datasets.tables.table import Table, TableReader

PEEK = 2**16
"""Number of bytes of a table in which names of pictures are looked for."""
TRIED = 50
"""Number of names of which one must be that of an existing file."""
NAME = re.compile(rf"[^\r\n,;\t|\"]+(?:{'|'.join(map(re.escape, SUFFIXES))})", re.IGNORECASE)


def recognise(path: Path) -> str | None:
    """Return ``"a table of pictures"`` for a text table with the name of an existing picture.

    Only the first names in the beginning of the file are tried; compressed files are not read.
    """
    if path.is_dir() or path.suffix.lower() in PACKED or unpacked_suffix(path) not in TEXT:
        return None
    with path.open("rb") as file:
        text = file.read(PEEK).decode(errors="surrogateescape")
    names = [match[0].strip() for match in NAME.finditer(text)][:TRIED]
    found = any(is_file(path.parent / name) for name in names)
    return "a table of pictures" if found else None


def open_picture_table(path: Path, options: Options, *, reader: TableReader) -> Splits:
    """Read the pictures that a table names, whose target is the last or the given column.

    Args:
        path: The table; the names of the pictures are relative to its folder.
        options: Options of the caller.
        reader: Reads a table of this format.

    Raises:
        DataError: If the table or its target cannot be used, or most pictures are missing.
    """
    notes: list[str] = []
    table = reader(path, notes, header=options.header, encoding=options.encoding)
    table, files = with_files_first(table, path.parent)
    targets = find_targets(table, options.target, notes)
    if files in targets:
        raise DataError(
            f"{path}: the target column {files!r} holds the names of the pictures; name "
            "another one."
        )
    table = drop_unknown_targets(table, targets, notes)
    with adding_notes(notes):
        table, missing = drop_missing_pictures(table, files, path)
        note_unused(table, (files, *targets), targets, options, notes)
        outcome = read_outcomes(table, targets, options.task, notes)
        labels = labels_of(outcome.tolist())
        paths = [path.parent / name for name in table.text(files).to_pylist()]
        found = LabelledFiles(path, list(zip(paths, labels, strict=True)), missing)

        def fit(labels: list[Any]) -> Target:
            if isinstance(outcome, pa.DictionaryArray):
                where = f"The target column {targets[0]!r}"
                return Classes.fit(labels, where, name=targets[0])
            return make_target(np.array(labels), torch.arange(len(labels)), targets)

        def divide(data: Any) -> tuple[Any, Any, Any]:
            readable = set(data.names)
            kept = [name_below(path.parent, picture) in readable for picture in paths]
            rows, known = table.where(np.array(kept)), outcome_of(outcome, kept)
            parts = split_table(rows, targets, known, options, test=options.test, notes=notes)
            train, *held_out = (data[part] if len(part) else None for part in parts[:3])
            return train, held_out[0], held_out[1]

        return open_pictures(found, fit, options, path.parent, notes, {}, divide)


def note_unused(
    table: Table,
    used: Sequence[str],
    targets: Sequence[str],
    options: Options,
    notes: list[str],
) -> None:
    """Add a note about columns that are not used, and about dates among them.

    Args:
        table: The table.
        used: Names of the column of pictures and of the targets.
        targets: Names of the targets.
        options: Options of the caller.
        notes: Gains the notes.
    """
    unused = [name for name in table.names if name not in (*used, options.split_by)]
    if unused:
        named, predicted = (some_of(map(repr, names), 5) for names in (unused, targets))
        notes.append(f"Only the pictures are used to predict {predicted}, not {named}.")
    if options.split_by is None:
        note_series([name for name in unused if holds_dates(table, name)], notes)


def outcome_of(outcome: Outcome, kept: Sequence[bool]) -> Outcome:
    """Return the outcome of some rows."""
    mask = np.array(kept)
    return outcome[mask] if isinstance(outcome, np.ndarray) else outcome.filter(pa.array(mask))


def labels_of(values: list[Any]) -> list[Any]:
    """Return labels that can be compared: several numbers as a tuple."""
    return [tuple(value) if isinstance(value, list) else value for value in values]


def read_labelled(
    preparation: PicturePreparation, path: Path, notes: list[str], *, reader: TableReader
) -> Pictures:
    """Return the pictures that a table names, with their labels.

    Args:
        preparation: Preparation of the training pictures.
        path: The table.
        notes: Gains notes for the user.
        reader: Reads a table of this format.

    Raises:
        DataError: If the table lacks a target column, or most pictures are missing.
    """
    table, files = with_files_first(reader(path, notes), path.parent)
    target = preparation.target
    names = target.names or find_targets(table, None, notes)
    if lacking := [name for name in names if name not in table.names]:
        raise DataError(f"{path} lacks the target column {lacking[0]!r}.")
    table = drop_unknown_targets(table, names, notes)
    table, missing = drop_missing_pictures(table, files, path)
    columns = [READERS[target.kind](target, table, name) for name in names]
    values = columns[0] if len(columns) == 1 else torch.stack(columns, dim=1)
    labels = labels_of(values.tolist())
    if isinstance(target, Classes):
        labels = [target.classes[number] for number in labels]
    paths = [path.parent / name for name in table.text(files).to_pylist()]
    found = LabelledFiles(path, list(zip(paths, labels, strict=True)), missing)
    return read_more(found, preparation, path.parent, notes)


def read_paths(
    path: Path, notes: list[str], *, reader: TableReader
) -> tuple[Table, list[Path]]:
    """Return the rows of a table whose picture exists, and the pictures.

    Args:
        path: The table, with or without the target columns.
        notes: Gains notes for the user.
        reader: Reads a table of this format.

    Raises:
        DataError: If no column names pictures, or most of them do not exist.
    """
    read = reader(path, notes)
    _, files = with_files_first(read, path.parent)
    table, missing = drop_missing_pictures(read, files, path)
    notes += missing
    return table, [path.parent / name for name in table.text(files).to_pylist()]


def with_files_first(table: Table, folder: Path) -> tuple[Table, str]:
    """Return a table with the column of picture files first, and the name of this column.

    Args:
        table: The table.
        folder: The folder that the names are relative to.

    Raises:
        DataError: If no column names pictures.
    """
    for place, name in enumerate(table.names):
        if names_pictures(table, name, folder):
            order = [place, *(n for n in range(len(table.names)) if n != place)]
            names, columns = (
                [all_of[n] for n in order] for all_of in (table.names, table.columns)
            )
            return replace(table, names=names, columns=columns), name
    raise DataError(f"{table.source} has no column with the names of pictures in {folder}.")


def names_pictures(table: Table, column: str, folder: Path) -> bool:
    """Return whether most cells of a column have the suffix of a picture, and one exists."""
    cells = [text for text in table.text(column).to_pylist() if text]
    suited = [text for text in cells if Path(text).suffix.lower() in SUFFIXES]
    return 2 * len(suited) > len(cells) and any(is_file(folder / text) for text in suited)


def drop_missing_pictures(table: Table, files: str, path: Path) -> tuple[Table, list[str]]:
    """Return the rows whose picture exists, and a note about the others.

    Args:
        table: The table.
        files: Name of the column with the names of the pictures.
        path: File of the table.

    Raises:
        DataError: If most of the pictures do not exist.
    """
    names = table.text(files).to_pylist()
    exist = np.array([bool(name) and is_file(path.parent / name) for name in names], bool)
    missing = [
        f"row {row} ({name or 'no name'})"
        for row, name, there in zip(table.rows, names, exist, strict=True)
        if not there
    ]
    if not missing:
        return table, []
    what = number_of(len(missing), "row")
    if 2 * len(missing) > len(names):
        raise DataError(
            f"{path}, column {files!r}: there is no picture for {what} of {len(names):,}: "
            f"{some_of(missing)}. The names are relative to {path.parent}."
        )
    lost = f"{what} without a picture file set aside: {some_of(missing, 5)}."
    return table.where(exist), [lost]
