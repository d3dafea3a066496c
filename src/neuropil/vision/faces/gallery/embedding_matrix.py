"""The matrix of a gallery's templates: a cache of the database that is kept up to date."""

from __future__ import annotations

import os
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from sqlalchemy import select

from neuropil.store import StoreError
from neuropil.store.database_url import is_writable
from neuropil.vision.faces.gallery.gallery_tables import PEOPLE, read_gallery
from neuropil.vision.faces.gallery.matrix_file import Header, MatrixFile, rows_of
from neuropil.vision.faces.gallery.people_rows import STORED, until_of
from neuropil.vision.faces.gallery.row_checksums import row_checksums, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from sqlalchemy import Connection, Row

    from neuropil.store import Store

# Rows that are read from the database and written to the file at once.
BATCH = 4096


@final
class EmbeddingMatrix:
    """The templates of a gallery in a `MatrixFile`, which processes of a machine share.

    Before each use, its generation and checksum are compared with those in the database, and
    what has changed is read. Readers hold a shared lock on the file while they search, and an
    exclusive one if they must bring it up to date before, so nobody sees a mixture of two
    states. A file that is damaged, or follows another history, is written anew.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.file: MatrixFile | None = None
        self.process = os.getpid()
        self.is_checked = False
        self.mutex = threading.Lock()  # threads share the lock on the file

    @contextmanager
    def current(self) -> Iterator[tuple[Row[Any], NDArray[Any]]]:
        """Give the settings of the gallery and the chunks with its rows; they stay so inside.

        Raises:
            StoreError: If the database or the file cannot be used.
        """
        with self.mutex:
            file = self.open()
            try:
                file.lock(shared=True)
                gallery = self.store.read(read_gallery)
                if not self.is_current(file, gallery):
                    file.lock(shared=False)  # kept, so that nobody changes it before it is used
                    gallery = self.store.read(lambda connection: self.update(connection, file))
                yield gallery, file.mapped(gallery.size, gallery.rows)
            finally:
                file.unlock()

    def follow(self) -> None:
        """Bring the file up to date, if there is one.

        Raises:
            StoreError: If the database or the file cannot be used.
        """
        if place_of(self.store)[0].exists():
            with self.current():
                pass

    def is_current(self, file: MatrixFile, gallery: Row[Any]) -> bool:
        """Return whether the file has the contents of the database."""
        header = header_of(gallery)
        return file.header() == header and self.check(file, header)

    def check(self, file: MatrixFile, header: Header) -> bool:
        """Return whether the rows have the checksum of the header; tested once a process."""
        if not self.is_checked:
            chunks = file.mapped(header.size, header.rows)
            found = sum(
                row_checksums(numbers(chunks, at), chunk["until"], chunk["templates"])
                for at, chunk in enumerate(chunks)
            )
            self.is_checked = signed(found) == header.checksum
        return self.is_checked

    def update(self, connection: Connection, file: MatrixFile) -> Row[Any]:
        """Bring the file up to date; return the settings and counters that it follows.

        Raises:
            StoreError: If the rows of the database do not have its checksum.
        """
        gallery = read_gallery(connection)
        header, empty = file.header(), Header(gallery.id, gallery.size, 0, 0, 0)
        if (
            header is not None
            and (header.gallery, header.size) == (gallery.id, gallery.size)
            and header.generation <= gallery.generation
            and self.check(file, header)
            and self.read_changes(connection, file, header, gallery)
        ):
            return gallery
        file.clear(empty)
        if not self.read_changes(connection, file, empty, gallery):
            raise StoreError(
                f"{self.store.name} is damaged: the sum of its templates does not agree."
            )
        self.is_checked = True
        return gallery

    def read_changes(
        self, connection: Connection, file: MatrixFile, header: Header, gallery: Row[Any]
    ) -> bool:
        """Write the rows that changed after the header; return whether the sum then agrees."""
        checksum, seen = header.checksum, header.generation
        chunks = file.mapped(gallery.size, gallery.rows)
        while batch := self.changed(connection, seen):
            seen = batch[-1].generation
            batch.sort(key=lambda row: row.row)
            rows, until, templates = as_arrays(batch, chunks.dtype)
            old = divmod(rows, rows_of(chunks.dtype))
            checksum -= row_checksums(rows, chunks["until"][old], chunks["templates"][old])
            checksum += row_checksums(rows, until, templates)
            file.write_rows(rows, until, templates)
        if signed(checksum) != gallery.checksum:
            return False
        file.write_header(header_of(gallery))
        return True

    def changed(self, connection: Connection, generation: int) -> list[Any]:
        """Return the next rows that changed after a generation, in the order of the changes."""
        columns = (PEOPLE.c.generation, PEOPLE.c.row, PEOPLE.c.expires, PEOPLE.c.template)
        later = select(*columns).where(PEOPLE.c.generation > generation)
        return [*connection.execute(later.order_by(PEOPLE.c.generation).limit(BATCH))]

    def open(self) -> MatrixFile:
        """Return the file, opened again after a fork, or if another took its place."""
        if self.file is not None and self.process == os.getpid() and self.file.is_in_place():
            return self.file
        self.close()
        path, mode = place_of(self.store)
        self.file, self.process, self.is_checked = MatrixFile(path, mode), os.getpid(), False
        return self.file

    def close(self) -> None:
        """Close the file; `current` opens it again."""
        if self.file is not None:
            self.file.close()
        self.file = None


def place_of(store: Store) -> tuple[Path, int]:
    """Return the path of the matrix of a gallery and its permissions.

    It is beside a SQLite file. Where that cannot be written, and for a server, it is in the
    user's cache folder.
    """
    path = Path(store.engine.url.database or "")
    if store.engine.dialect.name == "sqlite" and is_writable(path):
        return path.with_name(path.name + ".matrix"), path.stat().st_mode & 0o777
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        folder = Path(home, "neuropil", "galleries").expanduser()
    except RuntimeError:  # the user has no home
        folder = Path(tempfile.gettempdir(), "neuropil", "galleries")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / f"{store.read(read_gallery).id}.matrix", 0o600


def header_of(gallery: Row[Any]) -> Header:
    """Return the header of a matrix with the contents of the database."""
    return Header(gallery.id, gallery.size, gallery.generation, gallery.rows, gallery.checksum)


def as_arrays(
    batch: list[Row[Any]], kind: np.dtype[Any]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float32]]:
    """Return numbers, times and padded templates of rows of the database; zeros for nobody."""
    rows = np.array([row.row for row in batch])
    gone = [row.template is None for row in batch]
    until = np.array([until_of(row.expires) for row in batch])
    until[gone] = 0
    templates = np.zeros((len(batch), kind["templates"].shape[1]), np.float32)
    for template, row in zip(templates, batch, strict=True):
        if row.template is not None:
            numbers = np.frombuffer(row.template, STORED)
            template[: len(numbers)] = numbers
    return rows, until, templates


def numbers(chunks: NDArray[Any], at: int) -> NDArray[np.int64]:
    """Return the numbers of the rows of a chunk."""
    length = rows_of(chunks.dtype)
    return np.arange(at * length, (at + 1) * length)
