"""The last line of a training: what beats guessing."""

import pytest
import torch

from neuropil.datasets import Classes, Numbers
from neuropil.runs.tasks import task_for


@pytest.mark.parametrize(
    ("figures", "usual", "words"),
    [
        (
            {"accuracy": 0.978, "balanced_accuracy": 0.5},
            0.98,
            (
                "balanced accuracy 50.0% on the 600 test examples; 97.8% are classified "
                "correctly, but always answering the most frequent class gives 98.0%"
            ),
        ),
        (
            {"accuracy": 0.99, "balanced_accuracy": 0.75},
            0.98,
            (
                "balanced accuracy 75.0% on the 600 test examples; 99.0% are classified "
                "correctly, but always answering the most frequent class gives 98.0%"
            ),
        ),
        (
            {"accuracy": 0.97, "balanced_accuracy": 0.96},
            0.5,
            "97.0% of the 600 test examples classified correctly",
        ),
        (
            {"mean_absolute_error": 0.5, "r2": -0.2},
            0.0,
            (
                "no better than always predicting the mean (R² -0.200): 'y' off by 0.5 on "
                "average over the 600 test examples"
            ),
        ),
        (
            {"mean_absolute_error": 27759.1, "r2": 0.9},
            0.0,
            "'y' off by 27,759 on average over the 600 test examples, R² 0.900",
        ),
        (
            {"mean_absolute_error": 0.5, "r2": 0.9},
            0.0,
            "'y' off by 0.5 on average over the 600 test examples, R² 0.900",
        ),
    ],
)
def test_the_result_in_words(figures, usual, words):
    target = Classes("ab") if usual else Numbers((0.0,), (1.0,), "y")
    targets = (torch.arange(600) >= 600 * usual).long()
    assert task_for(target).verdict(figures, targets, "600 test examples") == words
