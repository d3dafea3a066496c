"""Trainings of setups: what they start from, and what is trained before counts."""

import numpy as np
from tests.study.small_studies import blobs, recipe

from neuropil import datasets
from neuropil.layers import Input, Linear
from neuropil.runs.tasks import task_for
from neuropil.study.outcomes import Outcome
from neuropil.study.setups.setup import Setup
from neuropil.study.trial import Trial


def test_steps_and_epochs_of_what_is_trained_before_count():
    splits = blobs()
    baseline = Setup(recipe())
    trial = Trial(splits, task_for(splits.target), baseline)
    each = -(-len(splits.train) // 32)
    history = trial.train(Setup(recipe(), first=baseline), seed=0).history
    assert history["epoch"] == [1, 2, 3, 4]
    assert history["steps"] == [each, 2 * each, 3 * each, 4 * each]


def test_a_linear_model_that_was_chosen_for_a_table_starts_from_its_solution():
    x, y = np.random.default_rng(0).normal(size=(2, 200))
    splits = datasets.open({"x": x, "y": y, "sum": 3 * x - y}, target="sum")
    task = task_for(splits.target)
    network = Input(2) >> Linear(1)
    chosen = recipe(network=network, epochs=1, lr=1e-4, choice="linear model")
    trial = Trial(splits, task, Setup(chosen))
    outcome = Outcome.named(None, task)
    trained = trial.train(trial.baseline, seed=0)
    assert trial.measure(trial.baseline, 0, outcome, trained).mean() > 99
