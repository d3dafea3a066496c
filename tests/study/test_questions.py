"""A study of the data alone, without a trick to compare; and when two questions are one."""

from dataclasses import replace

import numpy as np
from tests.study.small_studies import blobs, recipe, study

from neuropil.runs.tasks import task_for
from neuropil.study.outcomes import Outcome
from neuropil.study.shared_runs.run_records import RunResult, RunState
from neuropil.study.study_plan import StudyPlan, tricks_named
from neuropil.study.study_question import Question
from neuropil.study.study_results import noise_entry
from neuropil.study.study_state import StudyState


def test_the_learning_curve_has_the_baseline(tmp_path):
    found = study(tmp_path, tricks=["half_of_the_examples", "quarter_of_the_examples"]).found
    assert len(found["baseline"]["figures"]) == 3
    assert [each["examples"] for each in found["learning_curve"]["points"]] == [88, 175, 350]


def test_half_of_the_examples_alone_is_a_curve_of_two_points(tmp_path):
    found = study(tmp_path, tricks=["half_of_the_examples"]).found
    curve = found["learning_curve"]
    assert [each["examples"] for each in curve["points"]] == [175, 350]
    assert curve["twice"] is None


def test_wrong_labels_are_compared_on_the_same_seeds():
    runs = [("baseline", seed, 90.0 + seed, 0.0) for seed in range(4)]
    runs += [("label_noise_10", seed, 89.0 + seed, 0.1) for seed in range(2)]
    rows = [RunState(name, seed, "done", 1, "worker", 1.0, None) for name, seed, _, _ in runs]
    results = [
        RunResult(name, seed, {"seconds": 1.0, "noise": noise}, np.full(4, mean), 1.0)
        for name, seed, mean, noise in runs
    ]
    costs = {"baseline": 1.0, "label_noise_10": 1.0}
    plan = StudyPlan(4, ["label_noise_10"], costs)
    outcome = Outcome("accuracy", greater_is_better=True, unit="points")
    state = StudyState.of_runs(rows, results, plan, outcome, smallest=None, level=0.95)
    found = noise_entry(state, None)
    assert [each["mean"] for each in found["points"]] == [90.5, 89.5]


def test_how_a_recipe_was_chosen_does_not_change_the_question():
    splits = blobs()
    task = task_for(splits.target)
    asked = Question(
        splits, task, recipe(), tricks_named("elu"), Outcome.named(None, task), 60, None, None
    )
    told = replace(asked, recipe=recipe(choice="lowest error, 0.1948"))
    assert told.key == asked.key


def test_other_parts_of_the_data_have_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    short = {"tricks": ["tanh"], "seeds": 1}
    first = study(None, blobs(), **short)
    second = study(None, blobs(seed=1), **short)
    assert first.found["study"]["key"] == second.found["study"]["key"]
    assert first.folder != second.folder
