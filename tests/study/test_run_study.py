"""A study from its plan to its results, on really trained small networks."""

import json
import signal
import sqlite3
import time
from contextlib import closing

import numpy as np
import pytest
import torch
from tests.study.small_studies import (
    Interrupts,
    begin,
    blobs,
    recipe,
    study,
    without_times,
)

from neuropil import datasets
from neuropil.architectures import dense
from neuropil.datasets import DataError, Dataset
from neuropil.runs.recipes import linear_start
from neuropil.runs.recipes.linear_start import fit_linear
from neuropil.runs.tasks import task_for
from neuropil.store import StoreError
from neuropil.study import study_worker, trial
from neuropil.study.shared_runs.runs_table import RunsTable
from neuropil.study.study_watch import StudyWatch
from neuropil.study.study_worker import StopWithoutLease
from neuropil.study.trial import Trial
from neuropil.training.nonfinite import NonFiniteError


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return study(tmp_path_factory.mktemp("study") / "own")


def test_every_variant_has_a_gain_a_verdict_and_its_figures(finished):
    found = json.loads((finished.folder / "study.json").read_text("utf-8"))
    assert found == finished.found
    assert found["format"] == 1
    assert found["study"]["outcome"] == "accuracy"
    assert found["study"]["unit"] == "points"
    names = [each["name"] for each in found["variants"]]
    assert names == ["tanh", "half_width"]
    base = dict(enumerate(found["baseline"]["figures"]))
    for each in found["variants"]:
        assert each["verdict"] in ("helps", "hurts", "no difference", "cannot tell")
        assert each["low"] <= each["gain"] <= each["high"]
        own = each["figures"][: each["seeds"]]
        assert each["gain"] == pytest.approx(
            np.mean(own) - np.mean([base[k] for k in range(len(own))])
        )


def test_the_baseline_is_the_training_that_its_seed_gives(finished):
    splits = blobs()
    task = task_for(splits.target)
    made = recipe()
    made.network.reset_parameters(torch.Generator().manual_seed(2))
    from neuropil.runs.labels import with_encoded_labels
    from neuropil.runs.measure import measure

    trainer = task.trainer(made, seed=2, threads=1, progress=False)
    trainer.fit(
        with_encoded_labels(splits.train, task),
        with_encoded_labels(splits.validation, task),
        epochs=2,
        batch_size=32,
    )
    figure = measure(made.network, splits.test, task)["accuracy"]
    assert finished.found["baseline"]["figures"][2] == pytest.approx(100 * figure)


def test_the_curves_are_told(finished):
    curve = finished.found["learning_curve"]
    sizes = [each["examples"] for each in curve["points"]]
    assert sizes == sorted(sizes)
    assert len(sizes) == 3
    assert curve["points"][-1]["mean"] == pytest.approx(
        finished.found["baseline"]["mean"], abs=2
    )
    noise = finished.found["label_noise"]["points"]
    assert [each["noise"] for each in noise] == [0.0, 0.1]


def test_the_same_question_again_trains_nothing(finished):
    class Nothing(StudyWatch):
        def on_run(self, find, name, seed):
            raise AssertionError(name)

        on_measuring = on_run

    again = study(finished.folder, watch=Nothing())
    assert again.found == finished.found


def test_an_interrupted_study_ends_as_one_that_was_not(tmp_path, finished):
    for after in (1, 2, 5, 3):
        with pytest.raises(KeyboardInterrupt):
            study(tmp_path, watch=Interrupts(after))
    assert without_times(study(tmp_path).found) == without_times(finished.found)


@pytest.mark.extended
def test_killed_workers_are_replaced_and_two_share_a_study(tmp_path, finished):
    """One of two is killed in a training; a third continues it, beside the other."""
    folder = tmp_path / "shared"
    workers = [begin(folder), begin(folder)]
    while not (folder / "study.db").exists() or running(folder) < 2:
        assert all(each.poll() is None for each in workers)
        time.sleep(0.005)
    workers[0].kill()
    workers[0].wait()
    others = [workers[1], begin(folder)]
    for each in others:
        assert each.wait(100) == 0
    found = json.loads((folder / "study.json").read_text("utf-8"))
    rows = RunsTable.open(folder / "study.db", found["study"]["key"]).rows()
    assert len({(row.variant, row.seed) for row in rows}) == len(rows)
    assert {row.state for row in rows} <= {"done", "skipped"}
    assert without_times(found) == without_times(finished.found)


@pytest.mark.extended
def test_ten_kills_at_random_change_nothing(tmp_path, finished):
    """Each after another number of runs, in one of them."""
    folder = tmp_path / "killed"
    draw = np.random.default_rng(0)
    for after in sorted(draw.permutation(12)[:10].tolist()):
        worker = begin(folder)
        while worker.poll() is None and (ended(folder) < after or not running(folder)):
            time.sleep(0.002)
        time.sleep(draw.uniform(0, 0.1))
        worker.kill()
        worker.wait()
    assert begin(folder).wait(100) == 0
    found = json.loads((folder / "study.json").read_text("utf-8"))
    assert without_times(found) == without_times(finished.found)


@pytest.mark.extended
def test_four_workers_share_a_study_on_a_server(tmp_path, finished, postgres):
    """One is killed in a training, one is frozen for longer than its lease."""
    storage = postgres.empty_database()
    workers = [begin(tmp_path / str(number), storage=storage) for number in range(4)]

    def table():
        return RunsTable.open(storage, finished.found["study"]["key"])

    def working():
        try:
            running = [row.worker for row in table().rows() if row.state == "running"]
        except StoreError:  # the tables are not there yet
            return set()
        return {worker.split("-")[-1] for worker in running}

    while not {str(each.pid) for each in workers[:2]} <= working():
        assert all(each.poll() is None for each in workers)
        time.sleep(0.01)
    workers[0].kill()
    workers[0].wait()
    workers[1].send_signal(signal.SIGSTOP)
    time.sleep(4)
    workers[1].send_signal(signal.SIGCONT)
    assert [each.wait(100) for each in workers[1:]] == [0, 0, 0]
    rows = table().rows()
    assert len({(row.variant, row.seed) for row in rows}) == len(rows)
    assert {row.state for row in rows} <= {"done", "skipped"}
    for number in (1, 2, 3):
        found = json.loads((tmp_path / str(number) / "study.json").read_text("utf-8"))
        assert without_times(found) == without_times(finished.found)


def test_a_run_that_another_worker_took_a_moment_ago_is_awaited(tmp_path, monkeypatch):
    """The state is read before a run is claimed: another worker may claim it in between."""
    monkeypatch.setattr(study_worker, "WAITING", 0.0)
    claim, taken = RunsTable.claim, []

    def claim_late(table, worker, lease_seconds, without):
        done = table.results()
        if taken:
            table.finish(taken[0], done[0].result, done[0].values)
        elif len(done) == 5:
            taken.append(claim(table, "another", lease_seconds, without))
            return None
        return claim(table, worker, lease_seconds, without)

    monkeypatch.setattr(RunsTable, "claim", claim_late)
    found = study(tmp_path, tricks=["tanh"]).found
    assert len(taken) == 1
    assert len(found["baseline"]["figures"] + found["variants"][0]["figures"]) == 6


def running(folder):
    """Return the number of trainings that have begun and not ended."""
    return count(folder, "running")


def ended(folder):
    """Return the number of trainings that have ended."""
    return count(folder, "done")


def count(folder, state):
    """Return the number of runs in a state."""
    if not (folder / "study.db").exists():
        return 0
    try:
        with closing(sqlite3.connect(folder / "study.db")) as base:
            query = "select count(*) from neuropil_runs where state = ?"
            return base.execute(query, [state]).fetchone()[0]
    except sqlite3.OperationalError:  # the tables are not there yet
        return 0


def test_a_variant_that_diverges_hurts_and_the_others_go_on(tmp_path):
    found = study(
        tmp_path, tricks=["sgd", "tanh"], recipe=recipe(optimizer="adamw", lr=0.02), seeds=3
    ).found
    assert {each["name"] for each in found["variants"]} <= {"sgd", "tanh"}


def test_a_seed_whose_baseline_diverges_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(Trial, "train", diverging(Trial.train, seed=1))
    found = study(tmp_path, tricks=["tanh", "elu"], seeds=4).found
    assert (found["baseline"]["failed"], len(found["baseline"]["figures"])) == (1, 3)
    assert [each["seeds"] for each in found["variants"]] == [3, 3]
    assert any(
        "1 training of the baseline diverged" in line for line in found["recommendation"]
    )


def test_a_baseline_that_mostly_diverges_ends_the_study(tmp_path, monkeypatch):
    monkeypatch.setattr(Trial, "train", diverging(Trial.train, seed=0))
    with pytest.raises(
        ValueError, match=r"training of the baseline failed, .*\(--lr\) may help"
    ):
        study(tmp_path, tricks=["tanh"], seeds=4)


def diverging(train, seed):
    """Return the training of a trial, which diverges for the baseline with one seed."""

    def maybe(self, setup, number, folder=None, callbacks=()):
        claimed = any(isinstance(each, StopWithoutLease) for each in callbacks)
        if claimed and number == seed and setup.recipe.network is self.baseline.recipe.network:
            raise NonFiniteError("the loss is NaN in epoch 1.")
        return train(self, setup, number, folder, callbacks)

    return maybe


def test_other_outcomes(tmp_path):
    slow = study(tmp_path / "a", tricks=["tanh"], outcome="seconds", seeds=3).found
    assert slow["study"]["unit"] == "seconds"
    assert not slow["study"]["larger_is_better"]
    assert slow["baseline"]["mean"] > 0
    steps = study(tmp_path / "b", tricks=["tanh"], outcome="steps_to:0.7", seeds=3).found
    assert steps["study"]["unit"] == "steps"
    loss = study(tmp_path / "c", tricks=["tanh"], outcome="log_loss", seeds=2).found
    (tanh,) = loss["variants"]
    base = np.mean(loss["baseline"]["figures"])
    assert tanh["gain"] == pytest.approx(base - np.mean(tanh["figures"]))  # less is better
    one_percent = 0.01 * loss["baseline"]["figures"][0]
    assert loss["study"]["smallest"] == pytest.approx(one_percent, rel=0.05)  # two digits


def test_one_seed_tells_nothing(tmp_path):
    found = study(tmp_path, tricks=["tanh"], seeds=1).found
    (tanh,) = found["variants"]
    assert tanh["verdict"] == "cannot tell"
    assert tanh["low"] is None
    assert tanh["gain"] is not None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tricks": ["elo"]}, "Did you mean 'elu'"),
        ({"tricks": ["learned_colorspace"]}, "no trick applies"),
        ({"budget": "0.01s"}, "too short"),
        ({"budget": "soon"}, "budget must be"),
        ({"seeds": 0}, "seeds"),
        ({"smallest": -1}, "smallest"),
        ({"outcome": "acuracy"}, "accuracy"),
        ({"storage": "mysql://host/base"}, "mysql"),
    ],
)
def test_bad_options_are_refused(tmp_path, options, words):
    with pytest.raises(ValueError, match=words):
        study(tmp_path / "new", **options)


def test_bad_data_are_refused(tmp_path):
    splits = blobs()
    none = datasets.Splits(
        splits.train, splits.validation, None, preparation=splits.preparation, source="here"
    )
    with pytest.raises(DataError, match="test examples"):
        study(tmp_path, none)
    test = splits.test
    one = Dataset(test.inputs, torch.zeros(len(test), dtype=torch.int64))
    only = datasets.Splits(
        splits.train, splits.validation, one, preparation=splits.preparation, source="here"
    )
    with pytest.raises(DataError, match="of the class 'in'"):
        study(tmp_path, only)


def test_other_data_under_the_same_name_are_refused(tmp_path, finished):
    with pytest.raises(DataError, match="have changed since"):
        study(finished.folder, blobs(seed=1))


def test_the_linear_model_of_a_table_is_fitted_once_for_all_runs(tmp_path, monkeypatch):
    fitted = []

    def count(*given, **options):
        fitted.append(given)
        return fit_linear(*given, **options)

    monkeypatch.setattr(linear_start, "fit_linear", count)
    short = recipe(network=dense((2,), 2, hidden=(4,), linear_path=True), epochs=1)
    study(tmp_path, tricks=["half_width"], seeds=2, recipe=short)
    # One for the measurements, one for the worker with its own number of threads.
    assert len(fitted) == 2


@pytest.mark.parametrize("held", ["another study", "text", "folder"])
def test_other_results_are_not_overwritten(tmp_path, finished, held):
    file = tmp_path / "study.json"
    if held == "folder":
        file.mkdir()
    else:
        kept = (finished.folder / "study.json").read_text("utf-8")
        file.write_text(kept if held == "another study" else "mine", "utf-8")
    before = None if held == "folder" else file.read_text("utf-8")
    with pytest.raises(ValueError, match="would be lost: give another folder"):
        study(tmp_path, tricks=["tanh"], seeds=1)
    assert before is None or file.read_text("utf-8") == before
    assert [each.name for each in tmp_path.iterdir()] == ["study.json"]


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_an_outcome_that_is_no_number_is_a_failed_training(tmp_path, monkeypatch, bad):
    measure = trial.Trial.measure

    def measured(self, setup, *given):
        own = setup.recipe.network is self.baseline.recipe.network
        return measure(self, setup, *given) + (0 if own else bad)

    monkeypatch.setattr(trial.Trial, "measure", measured)
    done = study(tmp_path, tricks=["tanh"], seeds=2)
    (found,) = done.found["variants"]
    assert found["failed"] == 2
    assert found["gain"] is None
    assert "NaN" not in (tmp_path / "study.json").read_text("utf-8")


def test_a_baseline_without_a_number_ends_the_study(tmp_path, monkeypatch):
    monkeypatch.setattr(trial.Trial, "measure", lambda *_: np.array([np.inf]))
    with pytest.raises(ValueError, match="the outcome, accuracy, is inf after training"):
        study(tmp_path, tricks=["tanh"], seeds=2)
