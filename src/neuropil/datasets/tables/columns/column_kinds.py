"""Table of the encoders by kind, and their construction from plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuropil.datasets.plain_fields import class_of_kind, object_list
from neuropil.datasets.tables.columns.date_column import DateColumn
from neuropil.datasets.tables.columns.hashed_column import HashedColumn
from neuropil.datasets.tables.columns.number_column import NumberColumn
from neuropil.datasets.tables.columns.text_column import TextColumn

if TYPE_CHECKING:
    from neuropil.datasets.tables.columns.column import Column

KINDS: dict[str, type[Column]] = {
    made.kind: made for made in (NumberColumn, TextColumn, HashedColumn, DateColumn)
}


def read_columns(data: Any, name: str) -> tuple[Column, ...]:
    """Return a field that must be a list of columns."""
    plain = object_list(data, name)
    return tuple(class_of_kind(each, KINDS).from_fields(each) for each in plain)
