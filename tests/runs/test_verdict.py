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


def test_each_of_several_targets_has_its_own_error_and_digits():
    task = task_for(Numbers((0.0, 0.0), (1.0, 1000.0), columns=("a", "b")))
    figures = {
        "mean_absolute_error of a": 0.05,
        "r2 of a": 0.9,
        "mean_absolute_error of b": 200.0,
        "r2 of b": None,
    }
    words = task.verdict(figures, torch.zeros(5, 2), "5 test examples")
    assert words == (
        "'a' off by 0.05 (R² 0.900), 'b' off by 200 (R² unknown) on average over the 5 test "
        "examples"
    )
    answer = torch.tensor([1.234567890123, 2345.6789], dtype=torch.float64)
    assert task.sentence(answer, {"test": figures}, 1) == "a 1.235, b 2346"
    written = task.columns(answer[None], {"test": figures})
    assert written == {"predicted a": [1.23456789], "predicted b": [2345.6789]}
    assert task.goal() == "regression of 'a', 'b'"
    assert list(task.rows(answer[None], ["x"])) == [
        {"name": "x", "value": {"a": 1.234567890123, "b": 2345.6789}}
    ]
