"""Tables of a gallery: its settings and counters in one row, and a row for each person."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite

from neuropil.store import open_store

if TYPE_CHECKING:
    import os

    from sqlalchemy.pool import PoolProxiedConnection

    from neuropil.store import Store

FORMAT = 1
TABLES = sa.MetaData()

# Each change of a person raises `generation` by one, in the same transaction. `checksum` is the
# sum of the checksums of all rows: a matrix has the contents of this generation if both agree.
# What was forgotten up to the generation `erased` is in no file of the database any more.
GALLERY = sa.Table(
    "neuropil_gallery",
    TABLES,
    sa.Column("key", sa.Integer, primary_key=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("network", sa.Text),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("threshold", sa.Double),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("people", sa.Integer, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("checksum", sa.BigInteger, nullable=False),
    sa.Column("forgotten", sa.BigInteger, nullable=False),
    sa.Column("erased", sa.BigInteger, nullable=False),
)
# A person who is forgotten leaves a row without a name, which the next person gets. The
# generation of a row is that of its last change, so that a matrix reads only what has changed.
PEOPLE = sa.Table(
    "neuropil_people",
    TABLES,
    sa.Column("row", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("generation", sa.BigInteger, nullable=False, unique=True),
    sa.Column("name", sa.Text, unique=True),
    sa.Column("consent", sa.Text),
    sa.Column("enrolled", sa.Double),
    sa.Column("expires", sa.Double),
    sa.Column("template", sa.LargeBinary),
)
COUNTERS = ("size", "people", "rows", "generation", "checksum", "forgotten", "erased")
SETTINGS = sa.select(GALLERY)
PERSONAL = ("name", "consent", "enrolled", "expires", "template")

# PostgreSQL would copy samples of each column into its statistics, which outlive the rows.
for column in PERSONAL:
    without = sa.DDL(f"ALTER TABLE {PEOPLE.name} ALTER COLUMN {column} SET STATISTICS 0")
    event.listen(PEOPLE, "after_create", without.execute_if(dialect="postgresql"))


def open_tables(place: str | os.PathLike[str]) -> Store:
    """Open the database of a gallery, or create it.

    Args:
        place: A path or a URL, as for `open_store`.

    Raises:
        StoreError: If the database cannot be used.
    """
    store = open_store(place, kind="gallery", format_number=FORMAT, tables=TABLES)
    first = {"key": 1, "id": secrets.token_hex(16)} | dict.fromkeys(COUNTERS, 0)

    def begin(connection: sa.Connection) -> None:
        insert = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
        row = insert[connection.dialect.name](GALLERY).values(first)
        connection.execute(row.on_conflict_do_nothing())

    if not store.read(lambda connection: list(connection.execute(sa.select(GALLERY.c.key)))):
        store.write(begin)
    return store


def hold_open(store: Store) -> PoolProxiedConnection | None:
    """Return an idle connection to a SQLite file, to keep while it is used; None for a server.

    Otherwise each transaction would be the last one to close the file: it would merge the
    write-ahead log into it and delete the log, which takes five times as long as a commit.
    """
    if store.engine.dialect.name != "sqlite":
        return None
    connection = store.engine.raw_connection()
    cursor = connection.cursor()
    cursor.execute("SELECT count(*) FROM neuropil_gallery").fetchall()
    cursor.close()
    return connection


def read_gallery(connection: sa.Connection) -> sa.Row[Any]:
    """Return the settings and counters, and read the state of one moment from now on."""
    if connection.dialect.name == "postgresql":  # SQLite does so anyway
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    return connection.execute(SETTINGS).one()


def lock_gallery(connection: sa.Connection) -> sa.Row[Any]:
    """Return the settings and counters, and let nobody else change them until the end."""
    # SQLite has no such clause: there, only one transaction writes at a time.
    return connection.execute(sa.select(GALLERY).with_for_update()).one()


def change_gallery(connection: sa.Connection, **columns: object) -> None:
    """Change settings or counters."""
    connection.execute(sa.update(GALLERY).values(columns))
