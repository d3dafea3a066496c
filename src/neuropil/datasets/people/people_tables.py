"""Reader for tables of people: one picture and a person a row, or two pictures and "same"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuropil.datasets.data_errors import DataError, adding_notes
from neuropil.datasets.people.identities_target import Identities
from neuropil.datasets.people.joined_pairs import people_of_pairs
from neuropil.datasets.pictures.class_folders import LabelledFiles
from neuropil.datasets.pictures.picture_set import open_pictures, read_more
from neuropil.datasets.pictures.picture_table import (
    drop_missing_pictures,
    names_pictures,
    with_files_first,
)
from neuropil.datasets.tables.table_target import drop_unknown_target
from neuropil.datasets.tables.target_choice import find_targets
from neuropil.text import number_of

if TYPE_CHECKING:
    from pathlib import Path

    from neuropil.datasets.open_options import Options
    from neuropil.datasets.pictures.picture_preparation import PicturePreparation
    from neuropil.datasets.pictures.picture_set import Pictures
    from neuropil.datasets.splits import Splits
    from neuropil.datasets.tables.table import Table, TableReader

# Words for a pair that shows one person, and for one that shows two.
SAME = {"1", "true", "yes", "y", "same"}
OTHER = {"0", "false", "no", "n", "different"}


def open_people_table(path: Path, options: Options, *, reader: TableReader) -> Splits:
    """Read the pictures that a table names, with the person in each.

    Args:
        path: The table; the names of the pictures are relative to its folder.
        options: Options of the caller; ``target`` names the column of people, or of "same".
        reader: Reads a table of this format.

    Raises:
        DataError: If the table cannot be used, or most pictures are missing.
    """
    if options.split_by is not None:
        raise DataError(
            "`split_by` does not apply to people, who are divided themselves: leave it out."
        )
    notes: list[str] = []
    table = reader(path, notes, header=options.header, encoding=options.encoding)
    with adding_notes(notes):
        found, name = labelled_people(table, options.target, path, notes)
        return open_pictures(
            found,
            lambda labels: Identities.fit(labels, str(path), name=name),
            options,
            path.parent,
            notes,
            {},
        )


def read_labelled(
    preparation: PicturePreparation, path: Path, notes: list[str], *, reader: TableReader
) -> Pictures:
    """Return the pictures that a table names, with the person in each.

    Args:
        preparation: Preparation of the training pictures.
        path: The table.
        notes: Gains notes for the user.
        reader: Reads a table of this format.
    """
    table = reader(path, notes)
    name = preparation.target.name
    found, _ = labelled_people(table, name if name in table.names else None, path, notes)
    return read_more(found, preparation, path.parent, notes)


def labelled_people(
    table: Table, target: object, path: Path, notes: list[str]
) -> tuple[LabelledFiles, str]:
    """Return the pictures with the person in each, and the name of the column that tells.

    Args:
        table: The rows.
        target: The name that the user gave for this column, or None.
        path: File of the table.
        notes: Gains notes for the user.

    Raises:
        DataError: If the table cannot be used.
    """
    wanted = target if target is None else str(target)
    (name, *others) = find_targets(table, wanted, notes)
    if others:
        raise DataError(
            f"{path}: people are in one column, but {wanted!r} names {1 + len(others)}."
        )
    files = [
        column
        for column in table.names
        if column != name and names_pictures(table, column, path.parent)
    ]
    if len(files) == 2:
        return pairs_of(table, (files[0], files[1]), name, path), name
    table, column = with_files_first(table, path.parent)
    if column == name:
        raise DataError(
            f"{path}: the column {name!r} holds the names of the pictures; name that of the "
            "people with target=."
        )
    table = drop_unknown_target(table, name, notes)
    table, missing = drop_missing_pictures(table, column, path)
    pictures = [path.parent / file for file in table.text(column).to_pylist()]
    people = table.text(name).to_pylist()
    return LabelledFiles(path, list(zip(pictures, people, strict=True)), missing), name


def pairs_of(table: Table, files: tuple[str, str], name: str, path: Path) -> LabelledFiles:
    """Return the pictures of pairs, with a number for the person in each.

    Args:
        table: The rows.
        files: The two columns of pictures.
        name: The column that tells whether a pair shows one person.
        path: File of the table.

    Raises:
        DataError: If a cell is neither yes nor no, or the pairs contradict each other.
    """
    missing: list[str] = []
    for column in files:
        table, lost = drop_missing_pictures(table, column, path)
        missing += lost
    first, second = (table.text(column).to_pylist() for column in files)
    words = [word.strip().casefold() for word in table.text(name).to_pylist()]
    wrong = next((k for k, word in enumerate(words) if word not in SAME | OTHER), None)
    if wrong is not None:
        raise DataError(
            f"{path}, row {table.rows[wrong]}, column {name!r}: {words[wrong]!r} must be 1 for "
            "two pictures of one person, or 0 for pictures of two."
        )
    same = [word in SAME for word in words]
    people = people_of_pairs(first, second, same)
    for k, (one, other) in enumerate(zip(first, second, strict=True)):
        if not same[k] and people[one] == people[other]:
            raise DataError(
                f"{path}, row {table.rows[k]}: {one} and {other} are said to show two people, "
                "but other rows join them to one."
            )
    count = len(set(people.values()))
    note = (
        f"{number_of(len(people), 'picture')} of {count:,} people: those that no chain of "
        "pairs of one person joins count as different people."
    )
    pictures = [(path.parent / file, f"{person}") for file, person in people.items()]
    return LabelledFiles(path, pictures, [*missing, note])
