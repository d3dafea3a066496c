"""Addresses of databases, and the connections that they lead to."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from neuropil.core.reading import require_file
from neuropil.store.database_errors import StoreError
from neuropil.text import all_of, nearest, visible

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

FORMS = "a path, sqlite:///PATH, or postgresql://USER:PASSWORD@HOST/DATABASE"
SCHEME = re.compile(r"([a-z][\w+.-]+):/", re.IGNORECASE)
SQLITE, POSTGRESQL = "sqlite+pysqlite", "postgresql+pg8000"
DRIVERS = {
    **dict.fromkeys(("sqlite", SQLITE), SQLITE),
    **dict.fromkeys(("postgresql", POSTGRESQL), POSTGRESQL),
}
# Seconds until SQLite gives up waiting for another process, and until a server that does not
# answer counts as lost.
LOCK_TIMEOUT, ANSWER_TIMEOUT = 10.0, 30.0
# Otherwise a process that is stopped in the middle of a transaction keeps its locks for ever.
STARTUP = {"idle_in_transaction_session_timeout": "30000"}
# FULL rather than NORMAL: after a power failure nothing is missing that was reported as stored.
# It costs one fsync per transaction, and there is one every few seconds.
PRAGMAS = ("foreign_keys = ON", "synchronous = FULL")
# A connection that was lost cannot be closed, which SQLAlchemy would print with a traceback
# although the transaction is repeated. Handlers that the user has set up still get it.
logging.getLogger("sqlalchemy.pool").addHandler(logging.NullHandler())
BEGIN = "neuropil_begin"
"""The execution option with the statement that begins a transaction of SQLite."""


def parse_place(place: str | os.PathLike[str]) -> URL:
    """Return the URL of a database, with the driver that is used for it.

    Args:
        place: A path or a URL; a `Path` is always a path.

    Raises:
        StoreError: If it cannot be the place of a database.
    """
    scheme = SCHEME.match(place) if isinstance(place, str) else None
    if scheme is None:
        url = URL.create(SQLITE, database=os.fspath(place))
    elif scheme[1].lower() not in DRIVERS:
        hint = nearest(scheme[1], ("sqlite", "postgresql"))
        raise StoreError(f"{scheme[1]}: is an unknown kind of database: name {FORMS}.{hint}")
    else:
        try:
            url = make_url(str(place)).set(drivername=DRIVERS[scheme[1].lower()])
        except (ArgumentError, ValueError):  # its message may have a part of the password
            raise StoreError(f"the {scheme[1]} URL cannot be read: name {FORMS}.") from None
    (check_file if url.drivername == SQLITE else check_server)(url)
    return url


def check_file(url: URL) -> None:
    """Check that a URL of SQLite names a file that exists or could be created.

    Raises:
        StoreError: If it does not.
    """
    if url.host or url.query or not url.database or url.database == ":memory:":
        raise StoreError(f"a SQLite database is a file: name {FORMS}.")
    path = Path(url.database)
    try:
        require_file(path, failure=StoreError)
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise StoreError(
                f"there is no folder {visible(path.parent)} to write {visible(path.name)} into."
            ) from None


def check_server(url: URL) -> None:
    """Check that a URL of PostgreSQL has a user, and only options that are used.

    Raises:
        StoreError: If it does not.
    """
    if "@" in (url.host or ""):
        raise StoreError("the postgresql URL cannot be read: write @ in a password as %40.")
    if not url.username:
        raise StoreError(f"{shown_url(url)} has no user: name {FORMS}.")
    options = [name for name in url.query if name != "unix_sock"]
    if options or not isinstance(url.query.get("unix_sock", ""), str):
        raise StoreError(
            f"{shown_url(url)} takes one ?unix_sock=PATH and no other option, got "
            f"{visible(all_of(url.query))}."
        )


def shown_url(url: URL) -> str:
    """Return the path or the URL for a message, without the password."""
    if url.drivername == SQLITE:
        return visible(url.database)
    plain = url.set(drivername="postgresql", query={})
    return visible(plain.render_as_string(hide_password=True))


def build_engine(url: URL, *, answer_timeout: float = ANSWER_TIMEOUT) -> Engine:
    """Return the engine that connects to a database, anew for each transaction.

    Args:
        url: The database, as `parse_place` returns it.
        answer_timeout: Seconds until a server that does not answer counts as lost.

    Raises:
        ModuleNotFoundError: If the driver is not installed.
    """
    options: dict[str, Any] = {"timeout": LOCK_TIMEOUT}
    if url.drivername == POSTGRESQL:
        options = {"timeout": answer_timeout, "startup_params": STARTUP}
        if url.password is None:  # the driver fails if the server asks for one
            options["password"] = ""
        if "unix_sock" in url.query:  # it would offer encryption, which takes ten times longer
            options["ssl_context"] = False
    given: dict[str, Any] = {"connect_args": options}
    if url.drivername == SQLITE and not is_writable(Path(url.database or "")):
        given = {"creator": partial(connect_to_read, url.database or "")}
    try:
        engine = create_engine(url, poolclass=NullPool, **given)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"postgresql:// needs {error.name}: pip install 'neuropil[postgres]'."
        ) from None
    if url.drivername == SQLITE:
        event.listen(engine, "connect", set_pragmas)
        event.listen(engine, "begin", begin_transaction)
    return engine


def is_writable(path: Path) -> bool:
    """Return whether SQLite can write to a file, and its log beside it; also if it is new."""
    effective = os.access in os.supports_effective_ids
    places = (path.parent, path) if path.exists() else (path.parent,)
    return all(os.access(each, os.W_OK, effective_ids=effective) for each in places)


def connect_to_read(path: str) -> sqlite3.Connection:
    """Return a connection to a file that cannot be written, or whose folder cannot.

    SQLite reads a write-ahead log only through files beside it. They exist while a writer has
    the database open. If they do not, nothing changes the file, and it is read as it is.
    """
    option = "mode=ro" if Path(f"{path}-wal").exists() else "immutable=1"
    address = f"{Path(path).absolute().as_uri()}?{option}"
    return sqlite3.connect(address, LOCK_TIMEOUT, check_same_thread=False, uri=True)


def set_pragmas(connection: sqlite3.Connection, _: object) -> None:
    """Prepare a new connection to SQLite."""
    connection.isolation_level = None  # the driver would begin later, and never IMMEDIATE
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def begin_transaction(connection: Connection) -> None:
    """Begin a transaction of SQLite with the statement that was asked for, if any."""
    if statement := connection.get_execution_options().get(BEGIN):
        connection.exec_driver_sql(statement)
