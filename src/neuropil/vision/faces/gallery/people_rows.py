"""Changes of the table of people: enrolling and forgetting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import bindparam, insert, select, update

from neuropil.text import some_of
from neuropil.vision.faces.gallery.gallery_tables import (
    PEOPLE,
    PERSONAL,
    change_gallery,
    lock_gallery,
)
from neuropil.vision.faces.gallery.row_checksums import row_checksums, signed

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import Connection, Row

# Most names or rows in one query: databases limit its parameters.
MOST_AT_ONCE = 1000
STORED = np.dtype("<f4")


@dataclass(frozen=True)
class Person:
    """A person to enrol, checked; times are seconds since 1970."""

    name: str
    consent: str
    enrolled: float
    expires: float | None
    template: NDArray[np.float32]

    def columns(self) -> dict[str, Any]:
        """Return the columns of the table."""
        return vars(self) | {"template": self.template.astype(STORED).tobytes()}


def add_people(connection: Connection, people: Sequence[Person], place: str) -> None:
    """Enrol people whose templates have one size: all of them, or none.

    Args:
        connection: A transaction that writes.
        people: Whom to enrol.
        place: Name of the gallery, for messages.

    Raises:
        ValueError: If the gallery has templates of another size, or a person of the same name.
    """
    gallery = lock_gallery(connection)
    size = len(people[0].template)
    if gallery.size not in {0, size}:
        raise ValueError(wrong_size(place, gallery.size, size))
    enrolled = find_people(connection, [person.name for person in people])
    if enrolled:
        if [*map(tuple, enrolled)] == [tuple(each.columns().values()) for each in people]:
            return  # the connection was lost while this was committed, and this is a repetition
        names = some_of(repr(row.name) for row in enrolled)
        raise ValueError(f"{names} is enrolled already in {place}: forget the name first.")
    nobody = select(PEOPLE.c.row).where(PEOPLE.c.name.is_(None)).order_by(PEOPLE.c.row)
    free = list(connection.scalars(nobody.limit(len(people))))
    total = gallery.rows + len(people) - len(free)
    rows = [*free, *range(gallery.rows, total)]
    changed = [
        person.columns() | {"row": row, "place": row, "generation": gallery.generation + step}
        for step, (person, row) in enumerate(zip(people, rows, strict=True), 1)
    ]
    if free:
        change_rows(connection, changed[: len(free)])
    if added := changed[len(free) :]:
        for row in added:
            del row["place"]
        connection.execute(insert(PEOPLE), added)
    until = np.array([until_of(person.expires) for person in people])
    templates = np.stack([person.template for person in people])
    added_sum = row_checksums(np.array(rows), until, even(templates))
    change_gallery(
        connection,
        size=size,
        people=gallery.people + len(people),
        rows=total,
        generation=gallery.generation + len(people),
        checksum=signed(gallery.checksum + added_sum),
    )


def remove_people(connection: Connection, names: Collection[str]) -> list[str]:
    """Forget people: all of them, or none if a name is not enrolled.

    Args:
        connection: A transaction that writes.
        names: Their names.

    Returns:
        The names that are not enrolled.
    """
    gallery = lock_gallery(connection)
    found = find_people(connection, names, PEOPLE.c.row)
    if missing := sorted({*names} - {row.name for row in found}):
        return missing
    nothing = dict.fromkeys(PERSONAL)
    changed = [
        nothing | {"place": row.row, "generation": gallery.generation + step}
        for step, row in enumerate(found, 1)
    ]
    change_rows(connection, changed)
    templates = np.stack([np.frombuffer(row.template, STORED) for row in found])
    rows = np.array([row.row for row in found])
    until = np.array([until_of(row.expires) for row in found])
    last = gallery.generation + len(found)
    change_gallery(
        connection,
        people=gallery.people - len(found),
        generation=last,
        forgotten=last,
        checksum=signed(gallery.checksum - row_checksums(rows, until, even(templates))),
    )
    return []


def find_people(connection: Connection, names: Collection[str], *more: Any) -> list[Row[Any]]:
    """Return the rows of the enrolled people among some names, in the order of the names."""
    order, found = list(dict.fromkeys(names)), {}
    columns = [PEOPLE.c[name] for name in PERSONAL]
    for start in range(0, len(order), MOST_AT_ONCE):
        some = PEOPLE.c.name.in_(order[start : start + MOST_AT_ONCE])
        rows = connection.execute(select(*columns, *more).where(some))
        found |= {row.name: row for row in rows}
    return [found[name] for name in order if name in found]


def change_rows(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Replace what rows hold; each has the number of its row under "place"."""
    connection.execute(update(PEOPLE).where(PEOPLE.c.row == bindparam("place")), rows)


def until_of(expires: float | None) -> float:
    """Return when a consent ends as a matrix stores it: infinity for no end."""
    return math.inf if expires is None else expires


def even(templates: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return templates as a matrix stores them: with a zero at the end if their size is odd."""
    return np.pad(templates, ((0, 0), (0, templates.shape[1] % 2)))


def wrong_size(place: str, size: int, got: int) -> str:
    """Return the message for embeddings that do not fit a gallery."""
    return (
        f"{place} has embeddings of {size:,} numbers, got {got:,}: use the network that it was "
        "built with."
    )
