"""Every run has exactly one result, whatever happens to those who work on it."""

import math
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.study.shared_runs.share_runs import RUNS

from neuropil.datasets import DataError
from neuropil.store import StoreError, database_url
from neuropil.study.shared_runs import lease_keeper, runs_table
from neuropil.study.shared_runs.lease_keeper import keep
from neuropil.study.shared_runs.runs_schema import first_free
from neuropil.study.shared_runs.runs_table import RunsTable

EXTENDED = pytest.mark.extended
FOUR = [("elu", 0, 1), ("elu", 1, 2), ("relu", 0, 3), ("relu", 1, 4)]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=EXTENDED)])
def place(request, tmp_path):
    """A database that is empty or does not exist."""
    if request.param == "sqlite":
        return str(tmp_path / "study.db")
    return request.getfixturevalue("postgres").empty_database()


class Clock:
    """The clock of the database."""

    now = 1e9

    def __call__(self, connection):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(runs_table, "clock", clock)
    return clock


@pytest.fixture
def table(place):
    """A study of four runs."""
    table = RunsTable.open(place, "digits")
    table.create({"seeds": 2}, "data")
    table.add(FOUR)
    return table


def states(table):
    return [run.state for run in table.rows()]


# The design


def test_the_same_study_is_entered_once(place):
    for _ in range(2):
        table = RunsTable.open(place, "digits")
        table.create({"seeds": 2, "recipe": {"lr": 0.1}}, "data")
        table.add(FOUR[:3])
    table.add(FOUR)
    assert [(run.variant, run.seed) for run in table.rows()] == [run[:2] for run in FOUR]
    assert states(table) == ["waiting"] * 4


@pytest.mark.parametrize(
    ("design", "differing"),
    [
        ({"seeds": 2, "recipe": {"lr": 0.2}}, r"recipe\.lr \(then 0\.1, now 0\.2\)"),
        ({"seeds": 2, "recipe": {}}, r"recipe .then absent, now {}., recipe\.lr .then "),
        ({"recipe": {"lr": 0.1}}, r"seeds \(then 2, now absent\)"),
    ],
)
def test_another_design_is_refused_with_what_differs(place, design, differing):
    table = RunsTable.open(place, "digits")
    table.create({"seeds": 2, "recipe": {"lr": 0.1}}, "data")
    with pytest.raises(ValueError, match=f"'digits' in .* was begun with .*: {differing}"):
        table.create(design, "data")
    RunsTable.open(place, "another").create(design, "data")


def test_other_data_are_refused(place):
    table = RunsTable.open(place, "digits")
    table.create({"seeds": 2}, "data")
    with pytest.raises(DataError, match="parts, have changed since the study 'digits' in"):
        table.create({"seeds": 2}, "other")
    RunsTable.open(place, "another").create({"seeds": 2}, "other")


def test_studies_in_one_database_have_their_own_runs(table, place):
    other = RunsTable.open(place, "letters")
    other.create({"seeds": 1}, "data")
    other.add([("elu", 0, 1)])
    claim = other.claim("w", 60)
    assert other.finish(claim, {}, [1.0])
    assert other.claim("w", 60) is None
    assert other.skip("elu", [1]) == 0
    assert states(table) == ["waiting"] * 4


@pytest.mark.parametrize("name", ["", "a\x00b", "\ud800"])
def test_the_name_of_a_study_is_text(tmp_path, name):
    with pytest.raises(ValueError, match="the name of a study must be printable text, got '"):
        RunsTable.open(tmp_path / "study.db", name)


def test_runs_need_their_study(place):
    with pytest.raises(StoreError, match=r"cannot be used: .*(FOREIGN KEY|foreign key)"):
        RunsTable.open(place, "digits").add(FOUR)


def test_a_gallery_is_not_a_study(place, monkeypatch):
    RunsTable.open(place, "digits")
    monkeypatch.setattr(runs_table, "FORMAT", 0)
    with pytest.raises(StoreError, match="has format 1, and this version of neuropil uses"):
        RunsTable.open(place, "digits")


# One worker


def test_runs_are_claimed_by_their_positions(table):
    table.add([("baseline", 0, 0)])
    claims = [table.claim("w", 60) for _ in range(6)]
    assert claims.pop() is None
    assert [(claim.variant, claim.seed, claim.attempt) for claim in claims] == [
        ("baseline", 0, 1), ("elu", 0, 1), ("elu", 1, 1), ("relu", 0, 1), ("relu", 1, 1),
    ]  # fmt: skip


def test_a_result_is_what_was_stored(table, clock):
    claim = table.claim("w", 60)
    clock.now += 12.5
    values = np.array([0.1, 1e-300, -3.0])
    assert table.finish(claim, {"lr": 0.1, "β": [1, None]}, values)
    (result,) = table.results()
    assert (result.variant, result.seed, result.seconds) == ("elu", 0, 12.5)
    assert result.result == {"lr": 0.1, "β": [1, None]}
    assert result.values.tolist() == values.tolist()


def test_a_result_is_stored_once(table):
    claim = table.claim("w", 60)
    assert table.finish(claim, {"n": 1}, [1.0])
    assert not table.fail(claim, "late")
    assert not table.release(claim)
    assert not table.renew(claim)
    table.finish(claim, {"n": 2}, [2.0])
    assert [result.result for result in table.results()] == [{"n": 1}]
    assert states(table) == ["done", "waiting", "waiting", "waiting"]


@pytest.mark.parametrize("values", [[], [[1.0]], 1.0, [math.nan], [1.0, math.inf]])
def test_values_that_are_not_finite_numbers_are_refused(table, values):
    claim = table.claim("w", 60)
    with pytest.raises(ValueError, match="values must be a vector of finite numbers, got "):
        table.finish(claim, {}, values)
    assert states(table)[0] == "running"


def test_a_result_that_json_cannot_hold_is_refused(table):
    claim = table.claim("w", 60)
    with pytest.raises(ValueError, match="JSON compliant"):
        table.finish(claim, {"loss": math.nan}, [1.0])


def test_a_failure_is_stored_with_its_error(table):
    claim = table.claim("w", 60)
    assert table.fail(claim, "diverged\x00\ud800")
    failed = table.rows()[0]
    assert (failed.state, failed.worker, failed.error) == ("failed", "w", r"diverged\x00\ud800")
    assert table.claim("w", 60).seed == 1


def test_a_released_run_is_as_if_never_begun(table):
    before = table.rows()
    assert table.release(table.claim("w", 60))
    assert table.rows() == before
    assert table.claim("other", 60).attempt == 1


def test_skipped_runs_are_not_claimed(table):
    claim = table.claim("w", 60)
    assert table.skip("elu", [0, 1, 2]) == 1
    assert states(table) == ["running", "skipped", "waiting", "waiting"]
    assert table.finish(claim, {}, [1.0])
    assert table.claim("w", 60).variant == "relu"


@pytest.mark.parametrize("lease", [0, -1.0, math.nan, "1"])
def test_a_lease_has_a_length(table, lease):
    with pytest.raises(
        ValueError, match=r"`lease_seconds` must be a number in \(0, inf\), got"
    ):
        table.claim("w", lease)


# Leases


def test_a_run_whose_lease_is_over_is_claimed_by_another(table, clock):
    frozen = table.claim("frozen", 60)
    clock.now += 59
    assert table.claim("w", 60).seed == 1
    clock.now += 1
    taken = table.claim("w", 60)
    assert (taken.variant, taken.seed, taken.attempt) == ("elu", 0, 2)
    assert not table.renew(frozen)
    assert not table.finish(frozen, {"by": "frozen"}, [1.0])
    assert not table.fail(frozen, "late")
    assert not table.release(frozen)
    assert table.finish(taken, {"by": "w"}, [1.0])
    assert not table.finish(frozen, {"by": "frozen"}, [1.0])
    assert [result.result for result in table.results()] == [{"by": "w"}]


def test_a_run_that_nobody_took_is_still_finished(table, clock):
    claim = table.claim("w", 60)
    clock.now += 1000
    assert table.finish(claim, {}, [1.0])


def test_a_renewed_lease_lasts(table, clock):
    claim = table.claim("w", 60)
    for _ in range(3):
        clock.now += 40
        assert table.renew(claim)
    clock.now += 59
    assert table.claim("other", 60).seed == 1


def test_a_run_that_ends_its_process_three_times_fails(table, clock):
    for attempt in (1, 2, 3):
        assert table.claim("w", 60).attempt == attempt
        clock.now += 60
    assert table.claim("w", 60).seed == 1
    failed = table.rows()[0]
    assert (failed.state, failed.attempt) == ("failed", 3)
    assert failed.error == "3 workers stopped without an error while they trained it."


def test_what_was_skipped_while_its_worker_was_frozen_stays_skipped(table, clock):
    frozen = table.claim("frozen", 60)
    clock.now += 60
    assert table.skip("elu", [0]) == 1
    assert not table.finish(frozen, {}, [1.0])
    assert states(table)[0] == "skipped"


def test_a_commit_whose_answer_was_lost_is_not_a_lost_run(table):
    """The second attempt of a transaction finds what the first one wrote."""
    transact = table.store.transact

    def twice(begin, work):
        transact(begin, work)
        return transact(begin, work)

    first, second, third = (table.claim("w", 60) for _ in range(3))
    table.store.transact = twice
    assert table.finish(first, {"n": 1}, [1.0])
    assert table.fail(second, "diverged")
    assert table.release(third)
    assert states(table) == ["done", "failed", "waiting", "waiting"]
    assert len(table.results()) == 1


# A lease that is kept


def test_a_kept_lease_is_renewed(table, monkeypatch):
    renewed = lease_keeper.threading.Event()
    renew = table.renew
    monkeypatch.setattr(table, "renew", lambda claim: renew(claim) and not renewed.set())
    claim = table.claim("w", 0.1)
    with keep(table, claim) as lost:
        assert renewed.wait(60)
    assert not lost.is_set()


def test_a_lost_lease_is_told(table):
    claim = table.claim("w", 0.1)
    with keep(table, claim) as lost:
        table.finish(claim, {}, [1.0])
        assert lost.wait(60)


def test_a_renewal_is_tried_again_after_an_error(table, monkeypatch):
    answers = iter([StoreError("gone"), StoreError("gone"), False])

    def renew(claim):
        answer = next(answers)
        if isinstance(answer, StoreError):
            raise answer
        return answer

    monkeypatch.setattr(table, "renew", renew)
    with keep(table, table.claim("w", 0.03)) as lost:
        assert lost.wait(60)


def test_a_lease_is_no_longer_kept_after_an_error(table):
    before = lease_keeper.threading.active_count()
    with pytest.raises(ZeroDivisionError), keep(table, table.claim("w", 60)):
        raise ZeroDivisionError
    assert lease_keeper.threading.active_count() == before


# Any interleaving


@dataclass
class ModelRun:
    """What a run should be."""

    state: str = "waiting"
    owner: int = -1
    ends: float = 0.0
    attempt: int = 0
    result: int | None = None

    def is_free(self, now):
        return self.state == "waiting" or (self.state == "running" and self.ends <= now)


class Model:
    """The table as four records, and the claims as indices."""

    def __init__(self):
        self.runs = [ModelRun() for _ in FOUR]
        self.claims = []  # of each claim: its run and its lease
        self.now = Clock.now

    def claim(self, lease):
        for index, run in enumerate(self.runs):
            if not run.is_free(self.now):
                continue
            if run.attempt == runs_table.MOST_ATTEMPTS:
                run.state = "failed"
                continue
            run.state, run.owner, run.ends = "running", len(self.claims), self.now + lease
            run.attempt += 1
            self.claims.append((index, lease))
            return index
        return None

    def end(self, owner, state):
        index, lease = self.claims[owner]
        run = self.runs[index]
        if run.owner != owner or run.state != "running":
            # Asked for again, the same end is reported as reached.
            return (run.owner, run.state) == (owner, state)
        run.state = state
        run.ends = self.now + lease
        run.attempt -= state == "waiting"
        run.result = owner if state == "done" else None
        return True

    def skip(self, index):
        free = self.runs[index].is_free(self.now)
        self.runs[index].state = "skipped" if free else self.runs[index].state
        return int(free)


STEPS = st.one_of(
    st.tuples(st.just("claim"), st.sampled_from([10.0, 30.0])),
    st.tuples(st.just("wait"), st.sampled_from([5.0, 10.0, 25.0])),
    st.tuples(st.just("skip"), st.sampled_from(range(4))),
    st.tuples(st.sampled_from(["running", "done", "failed", "waiting"]), st.integers(0, 9)),
)


def play(table, clock, model, steps):
    """Do the steps with the table and with the model, and compare what they return."""
    claims = []
    for action, number in steps:
        if action == "wait":
            clock.now += number
            model.now += number
        elif action == "claim":
            claim = table.claim("w", number)
            index = model.claim(number)
            claims += [claim] if claim else []
            assert (claim and (claim.variant, claim.seed)) == (
                None if index is None else FOUR[index][:2]
            )
        elif action == "skip":
            variant, seed, _ = FOUR[number]
            assert table.skip(variant, [seed]) == model.skip(number)
        elif claims:
            owner = number % len(claims)
            claim = claims[owner]
            done = {
                "running": table.renew,
                "done": lambda claim, owner=owner: table.finish(claim, {}, [owner]),
                "failed": lambda claim: table.fail(claim, "diverged"),
                "waiting": table.release,
            }[action](claim)
            assert done == model.end(owner, action)


def test_any_interleaving_does_what_the_model_does(place, clock, monkeypatch):
    monkeypatch.setattr(database_url, "PRAGMAS", ("synchronous = OFF",))
    table = RunsTable.open(place, "any")
    examples = iter(range(10**6))

    @given(st.lists(STEPS, max_size=20))
    @settings(max_examples=30)
    def check(steps):
        table.study = f"study {next(examples)}"
        table.create({}, "data")
        table.add(FOUR)
        clock.now = Clock.now
        model = Model()
        play(table, clock, model, steps)
        rows = [(run.state, run.attempt) for run in table.rows()]
        assert rows == [(run.state, run.attempt) for run in model.runs]
        results = [int(result.values[0]) for result in table.results()]
        assert results == [run.result for run in model.runs if run.state == "done"]

    check()


# Several processes


@EXTENDED
def test_a_claim_does_not_wait_for_another_one(postgres):
    table = RunsTable.open(postgres.empty_database(), "digits")
    table.create({}, "data")
    table.add(FOUR)

    def claim(connection):
        assert connection.execute(first_free("digits", 0.0, ())).one().seed == 0
        return table.claim("w", 60)

    assert table.store.write(claim).seed == 1


def start(place, *arguments):
    """Start a worker and wait until it is ready."""
    script = Path(__file__).with_name("share_runs.py")
    worker = subprocess.Popen(
        [sys.executable, script, place, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout.readline() == "ready\n"
    return worker


def test_each_run_has_one_result_though_workers_die_and_freeze(place):
    workers = killed, frozen, *working = (
        start(place, "killed", 0.5, "hold"),
        start(place, "frozen", 0.5, "freeze"),
        start(place, "first", 60),
        start(place, "second", 60),
    )
    for worker in workers:  # all create the database at the same moment
        worker.stdin.write("\n")
        worker.stdin.flush()
    held = [worker.stdout.readline().strip() for worker in (killed, frozen)]
    assert [worker.stdout.readline() for worker in working] == ["opened\n"] * 2
    killed.kill()
    for worker in working:
        worker.stdin.write("\n")
        worker.stdin.flush()
    for worker in working:
        worker.communicate(timeout=120)
    os.kill(frozen.pid, signal.SIGCONT)
    assert frozen.communicate(timeout=120)[0] == "True|False\n"
    killed.communicate()
    assert [worker.returncode for worker in workers] == [-signal.SIGKILL, 0, 0, 0]

    table = RunsTable.open(place, "shared")
    results = {(result.variant, result.seed): result for result in table.results()}
    assert len(table.results()) == len(results) == len(RUNS)
    for run in table.rows():
        result = results[run.variant, run.seed]
        assert run.worker == result.result["by"]
        assert run.worker in {"first", "second"}
        begun = 1 + (f"{run.variant}|{run.seed}" in held)
        assert run.attempt == result.values[1] == begun


def test_runs_of_some_variants_are_not_claimed(place):
    table = RunsTable.open(place, "digits")
    table.create({}, "data")
    table.add([("a", 0, 1), ("b", 0, 2), ("a", 1, 3)])
    assert table.claim("w", 60, without={"a"}).variant == "b"
    assert table.claim("w", 60, without={"a"}) is None
    assert table.claim("w", 60).seed == 0
