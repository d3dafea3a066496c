"""What the section on the training says about its end and its weights."""

from types import SimpleNamespace

import pytest

from neuropil.report.sections.training_section import decisions
from neuropil.training import History


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"epochs": 3, "keep_best": False, "choice": ""}, []),
        ({"choice": "linear model: lowest error"}, ["Recipe: linear model: lowest error."]),
        ({"epochs": 9}, ["The training ended after 3 of 9 epochs."]),
        (
            {"keep_best": True},
            ["The weights are those of epoch 2, with the lowest validation loss."],
        ),
        ({}, []),
    ],
)
def test_the_decisions_of_a_training_are_said(settings, said):
    records = [{"epoch": n + 1, "validation_loss": x} for n, x in enumerate([0.5, 0.2, 0.3])]
    subject = SimpleNamespace(settings=settings, history=History(records))
    assert list(decisions(subject)) == said
