"""Whether a network can learn a few labels at all, before it is trained on all of them."""

from types import SimpleNamespace

import pytest
import torch

from neuropil.datasets import ArrayPreparation, Classes, Dataset, Numbers, Splits
from neuropil.layers import Input, Linear, Relu, Softmax
from neuropil.runs.inspection import self_check as module
from neuropil.runs.inspection.self_check import self_check, some_examples
from neuropil.runs.recipes.recipe import Recipe
from neuropil.runs.tasks import task_for


def splits_of(inputs, targets, target):
    """Return training examples alone."""
    data = Dataset(inputs, targets)
    preparation = ArrayPreparation(data.input_shape, target)
    return Splits(data, preparation=preparation, source="drawn")


def check(splits, network, *, lr=0.03, **options):
    """Return the check of a network that is trained by Adam."""
    made = Recipe(network, "adam", lr, None, "one_cycle", 99, 32, ema=0.99, keep_best=True)
    network.reset_parameters(torch.Generator().manual_seed(0))
    return self_check(splits, task_for(splits.target), made, seed=0, **options)


CLASSES, NUMBERS = Classes(["a", "b"]), Numbers((0.0,), (1.0,))
RANDOM = torch.rand(40, 5, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("target", "targets", "last", "metric"),
    [
        (CLASSES, torch.arange(40) % 2, Softmax(2), "accuracy"),
        (NUMBERS, RANDOM[:, 0] * 10 - 3, Linear(1), "r2"),
    ],
)
def test_labels_that_can_be_learnt(target, targets, last, metric):
    splits = splits_of(RANDOM, targets, target)
    found = check(splits, Input(5) >> Relu(16) >> last)
    assert (found.passed, found.examples) == (True, 8)
    assert found.metric == metric
    assert found.value >= 0.9
    assert found.steps <= 200
    assert found.failure == ""
    assert found.sentence("Fit").startswith("the network can learn these labels: Fit ")


def test_equal_inputs_with_different_labels_cannot_be_learnt(monkeypatch):
    monkeypatch.setattr(module, "MOST_STEPS", 50)
    splits = splits_of(torch.ones(40, 5), torch.arange(40) % 2, CLASSES)
    found = check(splits, Input(5) >> Relu(16) >> Softmax(2))
    assert (found.passed, found.steps) == (False, 50)
    assert "does not learn these labels: accuracy 0.5 on 8 training examples" in found.sentence(
        "accuracy"
    )
    assert "no. 1 and no. 2 are equal but have different labels" in found.sentence("accuracy")


def test_a_network_that_is_too_small_is_said(monkeypatch):
    monkeypatch.setattr(module, "MOST_STEPS", 100)
    corners = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    splits = splits_of(corners, torch.tensor([0, 1, 1, 0]), CLASSES)
    found = check(splits, Input(2) >> Softmax(2))
    assert (found.passed, found.examples) == (False, 4)
    assert "the network is too small" in found.failure


def test_a_loss_that_is_not_finite_fails_the_check():
    splits = splits_of(RANDOM, RANDOM[:, 0], NUMBERS)
    found = check(splits, Input(5) >> Relu(8) >> Relu(8) >> Linear(1), lr=1e30)
    assert not found.passed
    assert "step" in found.failure


def test_time_that_is_over_ends_it_and_a_falling_loss_is_said():
    splits = splits_of(RANDOM, RANDOM[:, 0], NUMBERS)
    found = check(splits, Input(5) >> Relu(8) >> Linear(1), lr=1e-4, seconds=0.0)
    assert (found.passed, found.steps) == (False, 1)
    assert module.diagnose([1.0, 0.8, 0.5], module.OUT_OF_TIME).startswith("The loss was still")
    assert "--lr" in module.diagnose([1.0, 0.99, 0.98], module.OUT_OF_TIME)


def test_an_error_counts_as_learnt_by_its_loss():
    task = SimpleNamespace(
        main_metric=lambda: SimpleNamespace(name="error", greater_is_better=False)
    )
    assert module.is_learnt({"error": 0.1, "loss": 0.04}, 1.0, task)
    assert not module.is_learnt({"error": 0.1, "loss": 0.06}, 1.0, task)
    assert not module.is_learnt({"error": None, "loss": None}, 1.0, task)


def test_the_examples_have_as_many_labels_as_there_are():
    data = Dataset(torch.arange(30.0)[:, None], torch.tensor([0] * 27 + [1, 2, 2]))
    assert sorted(some_examples(data).targets.tolist()) == [0, 0, 0, 0, 0, 1, 2, 2]
    boxes = torch.full((9, 2, 5), -1.0)
    boxes[5:] = torch.rand(4, 2, 5)
    few = some_examples(Dataset(torch.zeros(9, 1), boxes)).targets
    assert int((few == -1).all(dim=(1, 2)).sum()) == 4
