"""Erasing what deleted rows have left in the files of a database."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from neuropil.store import Store, StoreError, database_url
from neuropil.store.database import PAUSES
from neuropil.store.database_url import build_engine
from neuropil.text import reason
from neuropil.vision.faces.gallery.gallery_tables import PEOPLE, change_gallery, read_gallery

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from neuropil.vision.faces.gallery.embedding_matrix import EmbeddingMatrix

OLDER = "another process reads an older state of it, which still has them"
# Seconds that a server may take to write a table anew: 400,000 people take 4.
REWRITING_TIMEOUT = 3600.0
REACH = {
    "sqlite": "Copies, exports and backups of the file are not reached.",
    "postgresql": (
        "The table was rewritten by VACUUM FULL. The server's write-ahead log, its archive, "
        "replicas and backups are not reached: ask the administrator. Matrices of other "
        "machines and users follow when they are used next."
    ),
}
"""The copies that erasing does not reach, by kind of database."""


def erase_traces(store: Store, matrix: EmbeddingMatrix) -> None:
    """Erase the traces of the people who were deleted, if that is not done.

    Args:
        store: The database.
        matrix: Its matrix.

    Raises:
        StoreError: If traces remain.
    """
    gallery = store.read(read_gallery)
    if gallery.erased >= gallery.forgotten:
        return
    try:
        matrix.follow()
        erase(store)
    except StoreError as error:
        raise StoreError(
            f"the people are deleted, but traces of them remain: {reason(error)}. Call "
            "`forget` again to erase them."
        ) from error
    store.write(lambda connection: change_gallery(connection, erased=gallery.forgotten))


def erase(store: Store) -> None:
    """Write a database anew, without the bytes of deleted rows.

    To overwrite rows when they are deleted is not enough: as the trees of a database grow, they
    move rows between pages and leave copies behind. On SQLite the whole file is written anew by
    VACUUM, and a checkpoint empties the write-ahead log; on PostgreSQL the table is, by VACUUM
    FULL. Both need room for a second copy, and take a time that is proportional to the size.

    Args:
        store: The database.

    Raises:
        StoreError: If another process reads an older state for longer than about ten seconds,
            or the database cannot be used.
    """
    if store.engine.dialect.name == "sqlite":
        kept = store.transact("", rewrite_file)
    else:
        patient = build_engine(store.engine.url, answer_timeout=REWRITING_TIMEOUT)
        outside = patient.execution_options(isolation_level="AUTOCOMMIT")
        kept = Store(outside, store.name).read(rewrite_table)
    if kept:
        raise StoreError(f"{store.name} cannot be written anew: {OLDER}.")


def rewrite_file(connection: Connection) -> int:
    """Write the file of SQLite anew; return 1 if the write-ahead log could not be emptied."""
    connection.exec_driver_sql("VACUUM")
    # It waits for readers as long as any statement waits for a lock.
    return connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]


def rewrite_table(connection: Connection) -> int:
    """Write the table of PostgreSQL anew; return the number of deleted rows that it kept."""
    # While it waits for readers to end, it makes new ones wait.
    milliseconds = int(1000 * database_url.LOCK_TIMEOUT)
    connection.exec_driver_sql(f"SET lock_timeout = {milliseconds}")
    kept = 0
    for pause in (*PAUSES, 0):
        notices = getattr(connection.connection.driver_connection, "notices", [])
        notices.clear()
        connection.exec_driver_sql(f"VACUUM (FULL, VERBOSE) {PEOPLE.name}")
        # "0 dead row versions cannot be removed yet", in the server's language.
        details = [re.search(rb"\d+", notice.get(b"D", b"")) for notice in notices]
        kept = sum(int(number[0]) for number in details if number)
        if not kept:
            break
        time.sleep(pause)
    return kept
