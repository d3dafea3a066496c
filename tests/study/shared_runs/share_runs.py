"""A worker of the study in `test_runs_table.py`: PLACE NAME LEASE [freeze | hold].

It opens the study when a line comes from its standard input, and begins to work when another
one comes. With ``hold`` it claims a run at once and keeps it. With ``freeze`` it claims a run
and stops like a machine that is suspended; when it is continued, it tells whether it has lost
the run, and whether it could store a result.
"""

import os
import signal
import sys
import time

from neuropil.study.shared_runs.lease_keeper import keep
from neuropil.study.shared_runs.run_records import Claim
from neuropil.study.shared_runs.runs_table import RunsTable

RUNS = [(f"variant {position % 6}", position // 6, position) for position in range(60)]


def tell(*words: object) -> None:
    """Write a line that the test reads."""
    sys.stdout.write("|".join(map(str, words)) + "\n")
    sys.stdout.flush()


def finish(table: RunsTable, claim: Claim, name: str) -> bool:
    """Store a result that tells who has it from which attempt."""
    return table.finish(claim, {"by": name}, [claim.seed, claim.attempt])


def work(table: RunsTable, name: str, lease: float) -> None:
    """Do runs until none is left, also those that other workers lost."""
    tell("opened")
    sys.stdin.readline()
    while any(run.state in {"waiting", "running"} for run in table.rows()):
        if claim := table.claim(name, lease):
            with keep(table, claim):
                finish(table, claim, name)
        else:
            time.sleep(0.1)


def hold(table: RunsTable, name: str, lease: float) -> None:
    """Claim a run and keep it until the process ends."""
    claim = table.claim(name, lease)
    assert claim is not None
    with keep(table, claim):
        tell(claim.variant, claim.seed)
        sys.stdin.readline()


def freeze(table: RunsTable, name: str, lease: float) -> None:
    """Claim a run, stop, and try to finish it later."""
    claim = table.claim(name, lease)
    assert claim is not None
    tell(claim.variant, claim.seed)
    os.kill(os.getpid(), signal.SIGSTOP)
    with keep(table, claim) as lost:
        tell(lost.wait(60), finish(table, claim, name))


def main(place: str, name: str, lease: str, manner: str = "work") -> None:
    """Open the study at the same moment as all other workers."""
    tell("ready")
    sys.stdin.readline()
    table = RunsTable.open(place, "shared")
    table.create({"runs": len(RUNS)}, "same data")
    table.add(RUNS)
    {"work": work, "hold": hold, "freeze": freeze}[manner](table, name, float(lease))


if __name__ == "__main__":
    main(*sys.argv[1:])
