"""The state of a study, read from its rows."""

import numpy as np

from neuropil.study.outcomes import Outcome
from neuropil.study.shared_runs.run_records import RunResult, RunState
from neuropil.study.study_plan import StudyPlan
from neuropil.study.study_state import StudyState
from neuropil.study.variant_names import BASELINE, joint_name

COSTS = {BASELINE: 2.0, "tanh": 3.0, "half_width": 1.0}


def state(*runs):
    """Return the state after runs: variant, seconds of training, seconds from claim to end."""
    seeds = {}
    rows, results = [], []
    for name, trained, took in runs:
        seed = seeds[name] = seeds.get(name, -1) + 1
        rows.append(RunState(name, seed, "done", 1, "worker", took, None))
        results.append(RunResult(name, seed, {"seconds": trained}, np.ones(4), took))
    plan = StudyPlan(3, ["tanh", "half_width"], COSTS)
    outcome = Outcome("accuracy", greater_is_better=True, unit="points")
    return StudyState.of_runs(rows, results, plan, outcome, smallest=None, level=0.95)


def test_a_run_is_expected_to_take_as_long_as_the_longest_before_with_its_measurement():
    assert state().expected_seconds("tanh") == 3.0
    found = state(("tanh", 1.0, 9.0), ("tanh", 1.5, 4.0), (BASELINE, 7.0, 5.0))
    assert found.expected_seconds("tanh") == 9.0
    assert found.expected_seconds(BASELINE) == 7.0  # it was resumed
    assert found.expected_seconds("half_width") == 1.0
    assert found.seconds["tanh"] == [1.0, 1.5]


def test_the_smallest_difference_is_a_number_with_two_digits():
    runs = [RunResult(BASELINE, 0, {"seconds": 1.0}, np.full(4, 0.460181), 1.0)]
    plan, loss = StudyPlan(3, ["tanh"], COSTS), Outcome("log_loss", greater_is_better=False)
    found = StudyState.of_runs([], runs, plan, loss, smallest=None, level=0.95)
    assert found.smallest == 0.0046


def test_the_winners_together_are_expected_to_take_as_long_as_the_dearest():
    both = joint_name(["tanh", "half_width"])
    assert state(("tanh", 1.0, 9.0)).expected_seconds(both) == 3.0
    assert state((both, 1.0, 8.0)).expected_seconds(both) == 8.0
