"""Errors of databases: which are likely to pass, and one line for each of the others."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError

from neuropil.text import reason

LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
# Codes of PostgreSQL: serialisation failure, deadlock, too many connections, transaction idle
# for too long, and three for a server that stops or starts.
PASSING = {"40001", "40P01", "53300", "25P03", "57P01", "57P02", "57P03"}


class StoreError(ValueError):
    """A database that cannot be used: one line, without the password."""


def is_transient(error: DBAPIError | OSError) -> bool:
    """Return whether an error is likely to pass: a lock, a lost connection, a restart."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in LOCKED
    code = server_message(cause).get("C")
    # Without a code it is not the server's answer: the connection was lost, or none was made.
    return code is None or code in PASSING


def failure(error: DBAPIError | OSError) -> str:
    """Return the fault of a database, to follow its name in a sentence."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if message := server_message(cause).get("M"):
        return f"cannot be used: {message}"
    network = cause if isinstance(cause, OSError) else cause.__cause__
    if isinstance(network, OSError):
        return f"cannot be reached: {network.strerror or reason(network)}"
    return f"cannot be used: {reason(cause)}"


def server_message(cause: BaseException | None) -> dict[str, str]:
    """Return the fields of a message of PostgreSQL by their letters; empty for other errors."""
    while cause is not None:
        if cause.args and isinstance(cause.args[0], dict):
            return cause.args[0]
        # After a message that ends the connection, the driver fails to say goodbye, and raises
        # that error in place of the message.
        cause = cause.__cause__ or cause.__context__
    return {}
