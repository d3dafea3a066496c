"""The enrolled people as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import bindparam, select

from neuropil.vision.faces.gallery.enrolment_checks import iso
from neuropil.vision.faces.gallery.gallery_tables import PEOPLE, PERSONAL
from neuropil.vision.faces.gallery.people_rows import MOST_AT_ONCE, STORED

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Row

    from neuropil.store import Store


# Built once: each search needs it.
NAMES = select(PEOPLE.c.row, PEOPLE.c.name).where(
    PEOPLE.c.row.in_(bindparam("rows", expanding=True)),
    PEOPLE.c.generation <= bindparam("generation"),
)


def everybody(store: Store, *columns: str) -> list[Row[Any]]:
    """Return columns of all people, of one moment, in alphabetical order of the names."""
    wanted = select(*(PEOPLE.c[name] for name in columns or PERSONAL))
    people = wanted.where(PEOPLE.c.name.is_not(None))
    found = store.read(lambda connection: list(connection.execute(people)))
    return sorted(found, key=lambda row: row.name)  # databases have orders of their own


def names_of(store: Store, rows: Collection[int], generation: int) -> dict[int, str]:
    """Return the names in those of some rows that have not changed since a generation."""
    numbers, names = list(rows), {}
    for start in range(0, len(numbers), MOST_AT_ONCE):
        some = {"rows": numbers[start : start + MOST_AT_ONCE], "generation": generation}
        found = store.read(lambda connection, some=some: connection.execute(NAMES, some).all())
        names |= dict(map(tuple, found))
    return names


def plain_person(row: Row[Any]) -> dict[str, Any]:
    """Return a person as plain data for JSON."""
    return {
        "name": row.name,
        "consent": row.consent,
        "enrolled": iso(row.enrolled),
        "expires": end_of_consent(row),
        "template": np.frombuffer(row.template, STORED).tolist(),
    }


def end_of_consent(row: Row[Any]) -> str | None:
    """Return when the consent of a person ends, None for never."""
    return None if row.expires is None else iso(row.expires)
