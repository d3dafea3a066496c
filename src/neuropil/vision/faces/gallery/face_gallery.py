"""A gallery of people: who agreed to be recognised, until when, and what they look like."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np

from neuropil.checks import shown, whole
from neuropil.text import some_of
from neuropil.vision.faces.gallery.embedding_matrix import EmbeddingMatrix
from neuropil.vision.faces.gallery.enrolment_checks import (
    check_consent,
    check_expiry,
    check_name,
    iso,
)
from neuropil.vision.faces.gallery.erasure import REACH, erase_traces
from neuropil.vision.faces.gallery.face_templates import distances, template_of, unit_rows
from neuropil.vision.faces.gallery.gallery_settings import (
    check_query,
    check_settings,
    store_settings,
)
from neuropil.vision.faces.gallery.gallery_tables import hold_open, open_tables, read_gallery
from neuropil.vision.faces.gallery.nearest_rows import nearest_rows
from neuropil.vision.faces.gallery.people_rows import (
    STORED,
    Person,
    add_people,
    find_people,
    remove_people,
)
from neuropil.vision.faces.gallery.stored_people import (
    end_of_consent,
    everybody,
    names_of,
    plain_person,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from datetime import date

    from numpy.typing import ArrayLike
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

    The database is the truth, and many processes may use it at once: what `enroll` has returned
    is durable, and readers see the state before a change or after it. The templates are also in
    a matrix to search, a file beside a SQLite file, or in ``neuropil/galleries`` of the user's
    cache folder. Each use compares it with the database. `forget` erases a person from the
    database and from this matrix at once; matrices of other machines and other users follow
    when they are used next.

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
        given = check_settings(network, threshold)
        self.store = open_tables(place)
        self.matrix = EmbeddingMatrix(self.store)
        self.held = hold_open(self.store)
        store_settings(self.store, given)

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
        threshold = check_query(settings, query, self.store.name)
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
                threshold = check_query(gallery, queries, self.store.name)
                found = nearest_rows(chunks, queries, k, threshold, time.time())
            rows = {row for each in found for row, _ in each}
            names = names_of(self.store, rows, gallery.generation)
            # Otherwise somebody was forgotten meanwhile.
            if len(names) == len(rows):
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
        erase_traces(self.store, self.matrix)
        if missing:
            raise ValueError(
                f"nobody of the name {some_of(map(repr, missing))} is enrolled: nobody was "
                "forgotten."
            )
        return REACH[self.store.engine.dialect.name]

    def names(self) -> dict[str, str | None]:
        """Return the names in alphabetical order, each with the end of its consent or None."""
        people = everybody(self.store, "name", "expires")
        return {row.name: end_of_consent(row) for row in people}

    def export(self) -> Iterator[dict[str, Any]]:
        """Yield all that is stored about each person, as plain data for JSON.

        The people are those of the moment of the call, in alphabetical order. `enroll` takes
        the same values: the template of a template is itself.
        """
        return map(plain_person, everybody(self.store))

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

    def settings(self) -> Row[Any]:
        """Return the settings and counters."""
        return self.store.read(read_gallery)
