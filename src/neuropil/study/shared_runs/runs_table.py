"""The runs of a study: rows of one table that processes and machines share."""

from __future__ import annotations

import json
import secrets
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np
from sqlalchemy import and_, select, update

from neuropil.checks import number, shown
from neuropil.datasets import DataError
from neuropil.store import open_store
from neuropil.study.shared_runs.design_differences import design_differences
from neuropil.study.shared_runs.run_records import Claim, RunResult, RunState
from neuropil.study.shared_runs.runs_schema import (
    FORMAT,
    RUNS,
    STUDIES,
    TABLES,
    clock,
    first_free,
    insert_missing,
    is_free,
)
from neuropil.text import some_of, visible

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterable, Mapping

    from numpy.typing import ArrayLike
    from sqlalchemy import Connection, Row, Select

    from neuropil.store import Store

# A run that ends its process, for lack of memory for instance, would end every worker in turn.
MOST_ATTEMPTS = 3
GIVEN_UP = {
    "state": "failed",
    "lease": None,
    "error": f"{MOST_ATTEMPTS} workers stopped without an error while they trained it.",
}
NUMBERS = np.dtype("<f8")


@final
class RunsTable:
    """The runs of one study in a database that several workers share.

    A worker claims a run with a lease, renews the lease while it trains (`keep`), and writes
    the result. If it dies, its lease ends and another worker claims the run. Each claim has its
    own token, and a run accepts only its last token: a worker that was frozen for longer than
    its lease writes nothing if another has taken its run. So each run has exactly one result.

    This is a table of leases, not a job queue. A queue delivers a job at least once and then
    forgets it. Here the rows are the design of the study, fixed before the first run, and also
    its progress and its results: no second record could disagree.

    Processes of one machine can share a SQLite file, whose leases are timed by the machine's
    clock; several machines need a PostgreSQL server, whose own clock is used.

    Args:
        store: The database.
        study: Name of the study; several studies can share a database.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     table = RunsTable.open(f"{folder}/study.db", "digits")
        ...     table.create({"seeds": 2}, fingerprint="6f1b")
        ...     table.add([("elu", 0, 1), ("elu", 1, 2)])
        ...     claim = table.claim("worker 1", lease_seconds=60)
        ...     stored = table.finish(claim, {"lr": 0.1}, values=[1, 0, 1, 1])
        ...     stored, [run.state for run in table.rows()], table.results()[0].values
        (True, ['done', 'waiting'], array([1., 0., 1., 1.]))
    """

    def __init__(self, store: Store, study: str) -> None:
        if not study or study != visible(study):
            raise ValueError(f"the name of a study must be printable text, got {shown(study)}.")
        self.store = store
        self.study = study

    @classmethod
    def open(cls, place: str | os.PathLike[str], study: str) -> Self:
        """Open the database of a study, or create it.

        Args:
            place: A path or a URL, as for `open_store`.
            study: Name of the study.

        Raises:
            ValueError: If the database or the name cannot be used.
        """
        return cls(open_store(place, kind="study", format_number=FORMAT, tables=TABLES), study)

    # The design

    def create(self, design: Mapping[str, Any], fingerprint: str) -> None:
        """Enter the study; if it has been entered before, check that it is the same.

        Args:
            design: All that determines the results, as plain data.
            fingerprint: Fingerprint of the data.

        Raises:
            DataError: If the study was begun on other data.
            ValueError: If it was begun with another design.
        """
        text = json.dumps(design, allow_nan=False)
        row = {"key": self.study, "fingerprint": fingerprint, "design": text}

        def work(connection: Connection) -> Row[Any]:
            insert_missing(connection, STUDIES, [row | {"created": clock(connection)}])
            return connection.execute(select(STUDIES).where(STUDIES.c.key == self.study)).one()

        begun = self.store.write(work)
        if begun.fingerprint != fingerprint:
            raise DataError(
                f"the data, or their division into parts, have changed since the study "
                f"{self.study!r} in {self.store.name} began: continue it with the data and "
                "options of then, or begin another one in a new folder or database."
            )
        if differing := design_differences(json.loads(begun.design), json.loads(text)):
            raise ValueError(
                f"the study {self.study!r} in {self.store.name} was begun with other settings: "
                f"{some_of(differing)}. Use the same settings, or another name."
            )

    def plan(self) -> dict[str, Any] | None:
        """Return the plan of the study, None if no worker has fixed it yet."""
        own = select(STUDIES.c.plan).where(STUDIES.c.key == self.study)
        text = self.store.read(lambda connection: connection.execute(own).scalar_one())
        return None if text is None else json.loads(text)

    def fix_plan(self, plan: Mapping[str, Any]) -> dict[str, Any]:
        """Store the plan of the study unless another worker was faster; return the stored one.

        A plan rests on measured times, which differ between workers; all of them follow the
        first.

        Args:
            plan: Plain data.
        """
        text = json.dumps(plan, allow_nan=False)
        own = and_(STUDIES.c.key == self.study, STUDIES.c.plan.is_(None))
        self.store.write(
            lambda connection: connection.execute(update(STUDIES).where(own).values(plan=text))
        )
        return self.plan() or dict(plan)

    def add(self, runs: Iterable[tuple[str, int, int]]) -> None:
        """Add the runs that the study does not have yet.

        Args:
            runs: Variant, seed and position of each run. Low positions are claimed first.
        """
        rows = [
            {"study": self.study, "variant": variant, "seed": seed, "position": position}
            | {"state": "waiting", "attempt": 0}
            for variant, seed, position in runs
        ]
        self.store.write(lambda connection: insert_missing(connection, RUNS, rows))

    def skip(self, variant: str, seeds: Iterable[int]) -> int:
        """Skip the runs of a variant that no worker has, and return their number.

        Args:
            variant: Name of the variant.
            seeds: Seeds of the runs.
        """
        of_variant = and_(RUNS.c.study == self.study, RUNS.c.variant == variant)
        chosen = and_(of_variant, RUNS.c.seed.in_(list(seeds)))

        def work(connection: Connection) -> int:
            free = and_(chosen, is_free(clock(connection)))
            skipped = update(RUNS).where(free).values(state="skipped", lease=None)
            return connection.execute(skipped).rowcount

        return self.store.write(work)

    # The work

    def claim(
        self, worker: str, lease_seconds: float, without: Collection[str] = ()
    ) -> Claim | None:
        """Claim the first run that waits, or whose lease is over.

        A run that three workers have lost fails: it probably ends their processes.

        Args:
            worker: Name of the worker.
            lease_seconds: Length of the lease.
            without: Variants whose runs are not claimed.

        Returns:
            The claim; None if no run is free now. One that is running may become free.
        """
        lease_seconds = number(lease_seconds, "claim: `lease_seconds`", "(0, inf)")
        token = secrets.token_hex(16)

        def work(connection: Connection) -> Claim | None:
            now = clock(connection)
            taken = {"state": "running", "worker": worker, "token": token, "started": now}
            taken |= {"lease": now + lease_seconds, "attempt": RUNS.c.attempt + 1}
            while run := connection.execute(first_free(self.study, now, without)).first():
                change = taken if run.attempt < MOST_ATTEMPTS else GIVEN_UP
                connection.execute(update(RUNS).where(RUNS.c.id == run.id).values(change))
                if change is taken:
                    return Claim(run.variant, run.seed, run.attempt + 1, lease_seconds, token)
            return None

        return self.store.write(work)

    def renew(self, claim: Claim) -> bool:
        """Begin a lease anew; False if the run no longer belongs to the claim.

        Args:
            claim: The run.
        """
        return self.change(claim, "running")

    def finish(self, claim: Claim, result: Mapping[str, Any], values: ArrayLike) -> bool:
        """Store the result of a run; False, and nothing stored, if it belongs to another claim.

        Args:
            claim: The run.
            result: Plain data.
            values: One number for each unit.

        Raises:
            ValueError: If a number is infinite or NaN.
        """
        array = np.asarray(values, NUMBERS)
        if array.ndim != 1 or not array.size or not np.isfinite(array).all():
            raise ValueError(f"values must be a vector of finite numbers, got {shown(values)}.")
        text = json.dumps(result, allow_nan=False)
        return self.change(claim, "done", result=text, unit_values=array.tobytes())

    def fail(self, claim: Claim, error: str) -> bool:
        """Store why a run failed; False, and nothing stored, if it belongs to another claim.

        Args:
            claim: The run.
            error: The reason.
        """
        return self.change(claim, "failed", error=visible(error))

    def release(self, claim: Claim) -> bool:
        """Give a run back so that any worker can claim it; False if another one has it.

        Args:
            claim: The run.
        """
        unused = {"worker": None, "seconds": None, "attempt": claim.attempt - 1}
        return self.change(claim, "waiting", **unused)

    # What is known

    def rows(self) -> list[RunState]:
        """Return the state of every run, in order."""
        columns = (RUNS.c[field.name] for field in fields(RunState))
        return [RunState(*row) for row in self.fetch(select(*columns))]

    def results(self) -> list[RunResult]:
        """Return the results of the runs that are done, in order."""
        done = select(RUNS).where(RUNS.c.state == "done")
        return [
            RunResult(
                row.variant,
                row.seed,
                json.loads(row.result),
                np.frombuffer(row.unit_values, NUMBERS).astype(float),
                row.seconds,
            )
            for row in self.fetch(done)
        ]

    # Helpers

    def change(self, claim: Claim, state: str, **columns: Any) -> bool:
        """Write to the run of a claim if it still belongs to it; return whether it does."""
        of_variant = and_(RUNS.c.study == self.study, RUNS.c.variant == claim.variant)
        run = and_(of_variant, RUNS.c.seed == claim.seed)
        owned = and_(run, RUNS.c.token == claim.token, RUNS.c.state == "running")

        def work(connection: Connection) -> bool:
            now = clock(connection)
            lease = now + claim.lease_seconds if state == "running" else None
            values = {"state": state, "lease": lease, "seconds": now - RUNS.c.started} | columns
            connection.execute(update(RUNS).where(owned).values(values))
            # Rows are read, not counted: a second attempt, after the connection was lost during
            # the commit of the first, changes none.
            found = connection.execute(select(RUNS.c.state, RUNS.c.token).where(run)).first()
            return found == (state, claim.token)

        return self.store.write(work)

    def fetch(self, query: Select[Any]) -> list[Row[Any]]:
        """Return rows of this study, in order."""
        query = query.where(RUNS.c.study == self.study).order_by(RUNS.c.position, RUNS.c.id)
        return self.store.read(lambda connection: list(connection.execute(query)))
