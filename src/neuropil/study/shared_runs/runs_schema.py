"""Tables of the studies in a database."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

FORMAT = 1
TABLES = sa.MetaData()

STUDIES = sa.Table(
    "neuropil_studies",
    TABLES,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("design", sa.Text, nullable=False),
    sa.Column("plan", sa.Text),
    sa.Column("created", sa.Double, nullable=False),
)
RUNS = sa.Table(
    "neuropil_runs",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("study", sa.ForeignKey(STUDIES.c.key), nullable=False),
    sa.Column("variant", sa.Text, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("worker", sa.Text),
    sa.Column("token", sa.Text),
    sa.Column("lease", sa.Double),
    sa.Column("started", sa.Double),
    sa.Column("seconds", sa.Double),
    sa.Column("result", sa.Text),
    sa.Column("unit_values", sa.LargeBinary),
    sa.Column("error", sa.Text),
    sa.UniqueConstraint("study", "variant", "seed"),
)


def is_free(now: float) -> sa.ColumnElement[bool]:
    """Return the condition that a run waits, or that its lease is over."""
    ended = sa.and_(RUNS.c.state == "running", RUNS.c.lease <= now)
    return sa.or_(RUNS.c.state == "waiting", ended)


def first_free(study: str, now: float, without: Collection[str]) -> sa.Select[Any]:
    """Return the query for the first run that can be claimed, leaving out some variants."""
    wanted = RUNS.c.variant.not_in(list(without))
    free = sa.select(RUNS).where(RUNS.c.study == study, is_free(now), wanted)
    first = free.order_by(RUNS.c.position, RUNS.c.id).limit(1)
    # Workers that claim at the same moment do not wait for each other and do not get the same
    # run. SQLite has no such clause: there, only one transaction writes at a time.
    return first.with_for_update(skip_locked=True)


def insert_missing(
    connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]
) -> None:
    """Insert the rows whose unique columns are not in a table yet."""
    insert = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[connection.dialect.name]
    if rows:
        connection.execute(insert(table).on_conflict_do_nothing(), rows)


def clock(connection: sa.Connection) -> float:
    """Return the seconds since 1970 on the clock that all users of a database share."""
    if connection.dialect.name == "sqlite":
        return time.time()
    now = sa.select(sa.func.extract("epoch", sa.func.clock_timestamp()))
    return float(connection.execute(now).scalar_one())
