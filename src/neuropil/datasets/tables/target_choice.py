"""Choice of the target columns of a table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from neuropil.datasets.data_errors import DataError
from neuropil.text import nearest_or_some

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuropil.datasets.tables.table import Table

TARGETS = ("target", "targets", "label", "labels", "class", "classes", "y")
"""Usual names of targets, in tables and in rows that are dicts."""


def find_targets(
    table: Table, wanted: str | Sequence[str] | None, notes: list[str]
) -> tuple[str, ...]:
    """Return the names of the target columns: the requested ones, or the last.

    If the last is one of many numbered columns, such as the pixels of pictures, and one column
    has the usual name of a target, that column is used, and a note reports it.

    Args:
        table: The table.
        wanted: The name that the user gave, several with commas between them, or a list.
        notes: Gains a line if the target is not the last column.

    Raises:
        DataError: If a column does not exist or is named twice, or none remains as input.
    """
    names = table.names
    if len(names) < 2:
        raise DataError(
            f"{table.source} has only one column, {names[0]!r}: it needs a target and at "
            "least one other column."
        )
    if wanted is not None:
        return requested_targets(table, wanted)
    named = [name for name in names if name.casefold() in TARGETS]
    stems = {re.sub(r"\d+$", "", name) for name in names[-2:]}
    numbered = len(stems) == 1 and all(name[-1:].isdecimal() for name in names[-2:])
    if len(named) == 1 and table.header and numbered and len(names) > 3:
        notes.append(
            f"Target {named[0]!r}: the last column, {names[-1]!r}, is one of many numbered "
            "ones; set target= to override."
        )
        return (named[0],)
    return (names[-1],)


def requested_targets(table: Table, wanted: str | Sequence[str]) -> tuple[str, ...]:
    """Return the columns that the user named.

    Raises:
        DataError: If a column does not exist or is named twice, or none remains as input.
    """
    names = table.names
    if isinstance(wanted, str):
        # A name may contain a comma itself.
        parts = [wanted] if wanted in names else [part.strip() for part in wanted.split(",")]
    else:
        parts = list(wanted)
    for part in parts:
        if part not in names:
            hint = nearest_or_some(part, names)
            raise DataError(f"{table.source} has no column {part!r}.{hint}")
    if not parts or len(set(parts)) < len(parts):
        raise DataError(f"the target must name each column once, got {wanted!r}.")
    if len(parts) == len(names):
        raise DataError(f"{table.source}: all columns are targets, and none is left as input.")
    return tuple(parts)
