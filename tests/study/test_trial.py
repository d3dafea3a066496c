"""Trainings of setups: what is trained before counts."""

from tests.study.small_studies import blobs, recipe

from neuropil.runs.tasks import task_for
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
