"""The interaction of two tricks, against the paired t-test."""

import numpy as np
import pytest
from scipy import stats
from tests.study.small_studies import study

from neuropil.study.interaction import interaction
from neuropil.study.outcomes import Outcome
from neuropil.study.shared_runs.run_records import RunResult, RunState
from neuropil.study.study_plan import StudyPlan
from neuropil.study.study_state import StudyState

NAMES = ["elu", "flips", "elu+flips"]


def state_of(values):
    """Return the state of a study with one value for each run."""
    rows = [
        RunState(name, seed, "done", 1, "worker", 1.0, None)
        for name, own in values.items()
        for seed in own
    ]
    results = [
        RunResult(name, seed, {"seconds": 1.0}, np.array([value]), 1.0)
        for name, own in values.items()
        for seed, value in own.items()
    ]
    costs = dict.fromkeys(["baseline", *NAMES], 1.0)
    return StudyState.of_runs(
        rows,
        results,
        StudyPlan(5, NAMES, costs),
        Outcome("seconds", greater_is_better=False, unit="seconds"),
        smallest=0.0,
        level=0.9,
    )


def drawn(seeds=5):
    random = np.random.default_rng(0)
    means = {"baseline": 9.0, "elu": 8.8, "flips": 9.1, "elu+flips": 8.0}
    return {
        name: dict(enumerate(random.normal(mean, 1.0, seeds).tolist()))
        for name, mean in means.items()
    }


def test_with_one_value_for_each_run_it_is_the_paired_t_test():
    values = drawn()
    found = interaction("elu+flips", state_of(values))
    y = {name: np.array([*own.values()]) for name, own in values.items()}
    both, apart = y["baseline"] - y["elu+flips"], 2 * y["baseline"] - y["elu"] - y["flips"]
    expected = stats.ttest_rel(both, apart)
    assert found.gain == pytest.approx((both - apart).mean())
    assert found.p == pytest.approx(expected.pvalue)
    assert [found.low, found.high] == pytest.approx([*expected.confidence_interval(0.9)])


def test_only_seeds_that_all_four_have_count():
    values = drawn()
    del values["flips"][1], values["elu"][4]
    found = interaction("elu+flips", state_of(values))
    shared = {name: {seed: own[seed] for seed in (0, 2, 3)} for name, own in values.items()}
    assert found.seeds == 3
    means = {name: np.mean([*own.values()]) for name, own in shared.items()}
    expected = means["elu"] + means["flips"] - means["elu+flips"] - means["baseline"]
    assert found.gain == pytest.approx(expected)


def test_nothing_is_known_without_a_shared_seed_or_a_pair():
    values = drawn()
    assert interaction("elu", state_of(values)) is None
    values["flips"] = {}
    assert interaction("elu+flips", state_of(values)) is None


def test_a_study_tells_the_interaction_of_each_pair(tmp_path):
    found = study(tmp_path, tricks=["tanh+half_width"]).found
    by_name = {each["name"]: each for each in found["variants"]}
    assert [*by_name] == ["tanh", "half_width", "tanh+half_width"]
    both = by_name["tanh+half_width"]
    assert both["group"] == "activation × width"
    gains = [by_name[name]["gain"] for name in by_name]
    own = both["interaction"]
    assert own["gain"] == pytest.approx(gains[2] - gains[1] - gains[0])
    assert own["low"] < own["gain"] < own["high"]
    assert by_name["tanh"]["interaction"] is None
    assert any("sum of their single gains" in line for line in found["recommendation"])
