"""A database that is ready for use: its identity is checked, and its tables exist."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, final

from sqlalchemy import Column, Integer, MetaData, Table, Text, func, insert, inspect, select
from sqlalchemy.exc import DBAPIError

from neuropil.store.database_errors import StoreError, failure, is_transient
from neuropil.store.database_url import BEGIN, build_engine, is_writable, parse_place, shown_url
from neuropil.text import visible

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from sqlalchemy.engine import Connection, Engine

T = TypeVar("T")
# Seconds between attempts: a server that restarts is back within ten seconds.
PAUSES = (0.1, 0.3, 1.0, 3.0, 8.0)
# Any number, the same in all versions.
CREATION_LOCK = 5_177_103_446

IDENTITY = Table(
    "neuropil_store",
    MetaData(),
    Column("kind", Text, nullable=False),
    Column("format", Integer, nullable=False),
)


@final
class Store:
    """A database that is ready for use; `open_store` returns one.

    Each transaction makes a connection of its own: servers and firewalls drop connections that
    are idle while a network trains. So a store has nothing to close, and threads and forked
    processes may share it.

    Args:
        engine: The database.
        name: Its path, or its URL without the password, for messages.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name

    def read(self, work: Callable[[Connection], T]) -> T:
        """Return the result of a function that reads, in one transaction.

        Args:
            work: Function of the connection; it is called again after a transient error.

        Raises:
            StoreError: If the database cannot be used.
        """
        return self.transact("BEGIN", work)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Return the result of a function that writes: all of its changes are made, or none.

        On SQLite no other process writes after its first statement, so what it has read is
        still true when it writes.

        Args:
            work: Function of the connection; it is called again after a transient error. If the
                connection was lost during the commit, its changes may have been made already.

        Raises:
            StoreError: If the database cannot be used.
        """
        return self.transact("BEGIN IMMEDIATE", work)

    def transact(self, begin: str, work: Callable[[Connection], T]) -> T:
        """Run a function in a transaction, again after an error that is likely to pass.

        Args:
            begin: Statement that begins a transaction of SQLite; empty for none.
            work: Function of the connection.

        Raises:
            StoreError: If the error does not pass.
        """
        engine = self.engine.execution_options(**{BEGIN: begin})
        pauses = iter(PAUSES)
        while True:
            try:
                with engine.begin() as connection:
                    return work(connection)
            except (DBAPIError, OSError) as error:
                pause = next(pauses, None) if is_transient(error) else None
                if pause is None:
                    raise StoreError(f"{self.name} {failure(error)}.") from error
            time.sleep(pause)


def open_store(
    place: str | os.PathLike[str], *, kind: str, format_number: int, tables: MetaData
) -> Store:
    """Open a database; if it is empty, create its tables.

    Processes that create the same database at the same moment all succeed.

    Args:
        place: A path or ``sqlite:///PATH``, or ``postgresql://USER:PASSWORD@HOST/DATABASE``; to
            reach a server by its socket, ``postgresql://USER@/DATABASE?unix_sock=PATH``. A
            network connection is encrypted if the server can; its certificate is not checked.
            A file that cannot be written, or whose folder cannot, is opened to read.
        kind: What it holds, such as ``"study"``; a database of another kind is refused.
        format_number: Number of the format of the tables; another format is refused.
        tables: The tables.

    Raises:
        StoreError: If the database cannot be used.
        ModuleNotFoundError: If the driver for PostgreSQL is not installed.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> numbers = Table("numbers", MetaData(), Column("n", Integer))
        >>> with TemporaryDirectory() as folder:
        ...     store = open_store(
        ...         f"{folder}/n.db", kind="sum", format_number=1, tables=numbers.metadata
        ...     )
        ...     added = store.write(lambda c: c.execute(insert(numbers).values(n=3)).rowcount)
        ...     added, store.read(lambda c: c.scalar(select(func.sum(numbers.c.n))))
        (1, 3)
    """
    url = parse_place(place)
    store = Store(build_engine(url), shown_url(url))

    def is_created(connection: Connection) -> bool:
        return check_identity(connection, store.name, kind, format_number)

    def create(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(CREATION_LOCK)))
        if not is_created(connection):  # another process may have been faster
            IDENTITY.create(connection)
            tables.create_all(connection)
            connection.execute(insert(IDENTITY).values(kind=kind, format=format_number))

    try:  # once: the address of a server that has never answered is probably wrong
        store.engine.connect().close()
    except (DBAPIError, OSError) as error:
        raise StoreError(f"{store.name} {failure(error)}.") from error
    if not store.read(is_created):
        store.write(create)
    if store.engine.dialect.name == "sqlite" and is_writable(Path(url.database or "")):
        # With a write-ahead log, readers and a writer do not wait for each other. The file
        # keeps this setting, so it is made after the check: files of others stay as they are.
        store.transact("", lambda c: c.exec_driver_sql("PRAGMA journal_mode = WAL").scalar())
    return store


def check_identity(connection: Connection, name: str, kind: str, format_number: int) -> bool:
    """Return whether a database has its tables, False if it is empty.

    Raises:
        StoreError: If it has others, or tables of another kind or format.
    """
    names = inspect(connection).get_table_names()
    if IDENTITY.name not in names:
        if names:
            raise StoreError(
                f"{name} has the tables of another program: name a new file or an empty "
                f"database."
            )
        return False
    row = connection.execute(select(IDENTITY)).first()
    if row is None:
        raise StoreError(f"{name} is damaged: its table {IDENTITY.name} is empty.")
    if row.kind != kind:
        raise StoreError(f"{name} holds a {visible(row.kind)}, not a {kind}.")
    if row.format != format_number:
        fix = "update neuropil" if row.format > format_number else f"begin a new {kind}"
        raise StoreError(
            f"{name} has format {row.format}, and this version of neuropil uses format "
            f"{format_number}: {fix}."
        )
    return True
