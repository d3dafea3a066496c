"""A gallery of people: who agreed to be recognised, until when, and what they look like."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np
from sqlalchemy import select

from neuropil.checks import number, optional, shown, whole
from neuropil.store import StoreError
from neuropil.text import reason, some_of, visible
from neuropil.vision.faces.gallery.embedding_matrix import EmbeddingMatrix
from neuropil.vision.faces.gallery.enrolment_checks import (
    check_consent,
    check_expiry,
    check_name,
    iso,
)
from neuropil.vision.faces.gallery.erasure import REACH, erase
from neuropil.vision.faces.gallery.face_templates import distances, template_of, unit_rows
from neuropil.vision.faces.gallery.gallery_tables import (
    PEOPLE,
    PERSONAL,
    change_gallery,
    hold_open,
    lock_gallery,
    open_tables,
    read_gallery,
)
from neuropil.vision.faces.gallery.nearest_rows import nearest_rows
from neuropil.vision.faces.gallery.people_rows import (
    MOST_AT_ONCE,
    STORED,
    Person,
    add_people,
    find_people,
    remove_people,
    wrong_size,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterator
    from datetime import date

    from numpy.typing import ArrayLike, NDArray
    from sqlalchemy import Connection, Row


@dataclass(frozen=True)
class Verification:
    """Whether an embedding is accepted as a person's.

    Attributes:
        accepted: Whether the distance is at most the threshold.
        distance: Distance to the person's template, from 0 to 2.
        threshold: The greatest distance that is accepted.
    """

    accepted: bool
    distance: float
    threshold: float


@final
class FaceGallery:
    """A durable gallery of people in a database.

    Of each person it stores one template, the direction of the mean of the embeddings scaled to
    unit length, with a name, a note of consent and a date of expiry. Distances are Euclidean
    between unit vectors, from 0 to 2.

    Args:
        place: A path or ``sqlite:///PATH``, or ``postgresql://USER:PASSWORD@HOST/DATABASE``, as
            for `neuropil.store.open_store`. A gallery that does not exist is created.
        network: Text that tells which network makes the embeddings, such as its fingerprint.
            The first one given is stored, and another one is refused later.
        threshold: Greatest distance at which a person is accepted; it is stored and replaces
            the one before.

    Raises:
        ValueError: If the gallery cannot be used, or belongs to another network.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     gallery = FaceGallery(f"{folder}/people.db", threshold=0.8)
        ...     note = "signed on 2026-01-31, for the door"
        ...     gallery.enroll("Ann", [[1, 0, 0], [0.9, 0.1, 0]], consent=note)
        ...     gallery.enroll("Bob", [0, 1, 0], consent=note, expires="2126-01-31")
        ...     gallery.verify("Ann", [1, 0.2, 0]).accepted, gallery.names()
        (True, {'Ann': None, 'Bob': '2126-02-01T00:00:00Z'})
    """

    def __init__(
        self,
        place: str | os.PathLike[str],
        *,
        network: str | None = None,
        threshold: float | None = None,
    ) -> None:
        threshold = optional(check_threshold)(threshold, "FaceGallery: `threshold`")
        if network is not None and (not network or network != visible(network)):
            raise ValueError(f"`network` must be printable text, got {shown(network)}.")
        self.store = open_tables(place)
        self.matrix = EmbeddingMatrix(self.store)
        self.held = hold_open(self.store)
        self.prepare(network, threshold)

    def prepare(self, network: str | None, threshold: float | None) -> None:
        """Compare the network with the stored one; store what is new.

        Raises:
            ValueError: If the gallery belongs to another network.
        """
        given = {"network": network, "threshold": threshold}
        given = {name: value for name, value in given.items() if value is not None}

        def work(connection: Connection) -> None:
            stored = lock_gallery(connection)
            if network is not None and stored.network not in (None, network):
                raise ValueError(
                    f"{self.store.name} has embeddings of the network {shown(stored.network)}, "
                    f"not of {shown(network)}: use that network, or begin another gallery."
                )
            change_gallery(connection, **given)

        stored = self.settings()
        if any(getattr(stored, name) != value for name, value in given.items()):
            self.store.write(work)

    @property
    def network(self) -> str | None:
        """Text that tells which network makes the embeddings."""
        return self.settings().network

    @property
    def threshold(self) -> float | None:
        """Greatest distance at which a person is accepted."""
        return self.settings().threshold

    def enroll(
        self,
        name: str,
        embeddings: ArrayLike,
        *,
        consent: str,
        expires: date | str | None = None,
    ) -> None:
        """Enrol a person; after this call the person survives a power failure.

        Args:
            name: A name that nobody has; Unicode is composed (NFC).
            embeddings: One embedding or several. Only their template is stored.
            consent: Who agreed to what, and when.
            expires: Last day of the consent, or the moment at which it ends, as a date or ISO
                8601 text, in UTC. Afterwards the person is not recognised.

        Shape:
            (D,) or (K, D)

        Raises:
            ValueError: If the person cannot be enrolled; nothing is stored.
        """
        now = time.time()
        person = Person(
            check_name(name),
            check_consent(consent),
            now,
            check_expiry(expires, now),
            template_of(embeddings),
        )
        self.store.write(lambda connection: add_people(connection, [person], self.store.name))

    def verify(self, name: str, embedding: ArrayLike) -> Verification:
        """Compare an embedding with the template of one person.

        Args:
            name: The name of the person.
            embedding: The embedding.

        Shape:
            (D,)

        Raises:
            ValueError: If nobody of this name is enrolled, the consent has expired, or the
                gallery has no threshold.
        """
        name = check_name(name)
        query, one = unit_rows(embedding)
        if not one:
            raise ValueError(f"verify takes one embedding, got {len(query):,}.")

        def work(connection: Connection) -> tuple[Row[Any], list[Row[Any]]]:
            return read_gallery(connection), find_people(connection, [name])

        settings, found = self.store.read(work)
        if not found:
            raise ValueError(f"nobody of the name {shown(name)} is enrolled.")
        threshold = self.check_query(settings, query)
        [person] = found
        if person.expires is not None and person.expires <= time.time():
            raise ValueError(
                f"the consent of {shown(name)} expired at {iso(person.expires)}: forget the "
                "name, and enrol it again with a new consent."
            )
        template = np.frombuffer(person.template, STORED)
        distance = float(distances(template[None], query[0])[0])
        return Verification(distance <= threshold, distance, threshold)

    def identify(
        self, embedding: ArrayLike, k: int = 5
    ) -> list[tuple[str, float]] | list[list[tuple[str, float]]]:
        """Find the people whose templates are nearest, within the threshold.

        The search is exact. People who were forgotten, or whose consent has expired, are not
        among the answers.

        Args:
            embedding: One embedding or several.
            k: Most people for an embedding.

        Returns:
            Names and distances, nearest first; an empty list for a stranger. For several
            embeddings, one list for each.

        Shape:
            (D,) or (N, D)

        Raises:
            ValueError: If the gallery is empty or has no threshold, or the embeddings are of
                another size.
        """
        k = whole(k, "identify: `k`")
        queries, one = unit_rows(embedding)
        while True:
            with self.matrix.current() as (gallery, chunks):
                threshold = self.check_query(gallery, queries)
                found = nearest_rows(chunks, queries, k, threshold, time.time())
            names = self.names_of(
                {row for each in found for row, _ in each}, gallery.generation
            )
            # Otherwise somebody was forgotten meanwhile.
            if all(row in names for each in found for row, _ in each):
                named = [[(names[row], apart) for row, apart in each] for each in found]
                return named[0] if one else named

    def forget(self, *names: str) -> str:
        """Delete people and every trace of them in the files of the gallery.

        The rows are deleted, the rows of the matrix are overwritten with zeros, and the
        database is written anew, which takes seconds at a million people: forget many in one
        call. Without a name, it finishes what an earlier call could not.

        Args:
            *names: The names; if one is not enrolled, nobody is forgotten.

        Returns:
            A sentence on the copies that it does not reach.

        Raises:
            ValueError: If nobody of a name is enrolled.
            StoreError: If traces remain, for instance because another process reads an older
                state. The people are deleted nevertheless, and are not recognised any more.
        """
        wanted = [check_name(name) for name in names]
        deleted: set[str] = set()

        def work(connection: Connection) -> list[str]:
            missing = remove_people(connection, wanted) if wanted else []
            if deleted.issuperset(missing):  # also if the connection was lost in the commit
                return []
            deleted.update({*wanted} - {*missing})
            return missing

        missing = self.store.write(work)
        self.finish_erasing()
        if missing:
            raise ValueError(
                f"nobody of the name {some_of(map(repr, missing))} is enrolled: nobody was "
                "forgotten."
            )
        return REACH[self.store.engine.dialect.name]

    def finish_erasing(self) -> None:
        """Erase the traces of the people who were deleted.

        Raises:
            StoreError: If they remain.
        """
        gallery = self.settings()
        if gallery.erased < gallery.forgotten:
            try:
                self.matrix.follow()
                erase(self.store)
            except StoreError as error:
                raise StoreError(
                    f"the people are deleted, but traces of them remain: {reason(error)}. Call "
                    "`forget` again to erase them."
                ) from error
            self.store.write(lambda c: change_gallery(c, erased=gallery.forgotten))

    def names(self) -> dict[str, str | None]:
        """Return the names in alphabetical order, each with the end of its consent or None."""
        rows = select(PEOPLE.c.name, PEOPLE.c.expires).where(PEOPLE.c.name.is_not(None))
        found = self.store.read(lambda connection: list(connection.execute(rows)))
        return {row.name: row.expires and iso(row.expires) for row in sorted(found)}

    def export(self) -> Iterator[dict[str, Any]]:
        """Yield all that is stored about each person, as plain data for JSON.

        The people are those of the moment of the call, in alphabetical order. `enroll` takes
        the same values: the template of a template is itself.
        """
        columns = [PEOPLE.c[name] for name in PERSONAL]
        rows = select(*columns).where(PEOPLE.c.name.is_not(None))
        found = self.store.read(lambda connection: list(connection.execute(rows)))
        return (plain(row) for row in sorted(found, key=lambda row: row.name))

    def __len__(self) -> int:
        return self.settings().people

    def __contains__(self, name: object) -> bool:
        try:
            plain = check_name(name)
        except ValueError:
            return False
        return bool(self.store.read(lambda connection: find_people(connection, [plain])))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; the gallery opens them again when it needs them."""
        self.matrix.close()
        if self.held is not None:
            self.held.close()

    def names_of(self, rows: Collection[int], generation: int) -> dict[int, str]:
        """Return the names in those of some rows that have not changed since a generation."""
        numbers, names = list(rows), {}
        for start in range(0, len(numbers), MOST_AT_ONCE):
            some = PEOPLE.c.row.in_(numbers[start : start + MOST_AT_ONCE])
            same = select(PEOPLE.c.row, PEOPLE.c.name).where(
                some, PEOPLE.c.generation <= generation
            )
            names |= dict(map(tuple, self.store.read(lambda c, q=same: list(c.execute(q)))))
        return names

    def settings(self) -> Row[Any]:
        """Return the settings and counters."""
        return self.store.read(read_gallery)

    def check_query(self, settings: Row[Any], queries: NDArray[np.float32]) -> float:
        """Return the threshold, after a check of the size of embeddings.

        Raises:
            ValueError: If they do not fit the gallery, or it has no threshold.
        """
        if not settings.people:
            raise ValueError(f"{self.store.name} is empty: enrol people first.")
        if settings.size != queries.shape[1]:
            raise ValueError(wrong_size(self.store.name, settings.size, queries.shape[1]))
        if settings.threshold is None:
            raise ValueError(
                f"{self.store.name} has no threshold: open it with one, such as "
                "FaceGallery(place, threshold=0.8)."
            )
        return settings.threshold


def check_threshold(value: object, what: str) -> float:
    """Return a threshold: a distance of unit vectors."""
    return number(value, what, "[0, 2]")


def plain(row: Row[Any]) -> dict[str, Any]:
    """Return a person as plain data."""
    return {
        "name": row.name,
        "consent": row.consent,
        "enrolled": iso(row.enrolled),
        "expires": row.expires and iso(row.expires),
        "template": np.frombuffer(row.template, STORED).tolist(),
    }
