"""Variants that are given up when the time is too short for all of them."""

import time

from tests.study.small_studies import study

from neuropil.study.study_state import StudyState
from neuropil.study.study_watch import StudyWatch


class Clock(StudyWatch):
    """A clock that a training moves, in place of the real one."""

    def __init__(self, monkeypatch, seconds):
        self.now, self.seconds = 0.0, seconds
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def on_run(self, find, name, seed):
        self.now += self.seconds


def test_the_last_variants_are_given_up_so_that_the_first_get_a_verdict(tmp_path, monkeypatch):
    """Trainings take three times as long as was measured."""
    monkeypatch.setattr(StudyState, "expected_seconds", lambda *_: 10.0)
    tricks = ["tanh", "half_width", "double_width", "no_weight_decay"]
    found = study(
        tmp_path, tricks=tricks, seeds=3, budget=120.0, watch=Clock(monkeypatch, 10.0)
    ).found
    seeds = {each["name"]: each["seeds"] for each in found["variants"]}
    assert seeds == {"tanh": 3, "half_width": 3, "double_width": 3}
    (last,) = (each for each in found["left_out"] if each["name"] == "no_weight_decay")
    assert last["reason"] == "the time was over before it"
