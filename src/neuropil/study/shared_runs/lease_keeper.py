"""Renewal of a lease while its run trains."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from neuropil.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuropil.study.shared_runs.run_records import Claim
    from neuropil.study.shared_runs.runs_table import RunsTable

# Renewals during one lease: it is kept if one or two of them fail.
RENEWALS = 3
# Seconds that the end of a run waits for a renewal in progress.
LAST_RENEWAL = 5.0


@contextmanager
def keep(table: RunsTable, claim: Claim) -> Iterator[threading.Event]:
    """Renew the lease of a run in another thread, inside the context.

    If the database cannot be reached, the next renewal tries again.

    Args:
        table: The table of the run.
        claim: The run.

    Yields:
        An event that is set once the run belongs to another worker, so that going on with it is
        useless.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from neuropil.study.shared_runs.runs_table import RunsTable
        >>> with TemporaryDirectory() as folder:
        ...     table = RunsTable.open(f"{folder}/study.db", "digits")
        ...     table.create({"seeds": 1}, fingerprint="6f1b")
        ...     table.add([("baseline", 0, 1)])
        ...     claim = table.claim("worker 1", lease_seconds=60)
        ...     with keep(table, claim) as lost:
        ...         lost.is_set()  # train here
        False
    """
    lost, ended = threading.Event(), threading.Event()

    def renew() -> None:
        while not ended.wait(claim.lease_seconds / RENEWALS):
            try:
                kept = table.renew(claim)
            except StoreError:
                continue
            if not kept:
                lost.set()
                return

    thread = threading.Thread(target=renew, name=f"lease of {claim.variant}", daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        ended.set()
        thread.join(LAST_RENEWAL)
