"""Outcomes: their values by groups of test examples, against hand-worked figures."""

import math

import numpy as np
import pytest
import torch

from neuropil import datasets
from neuropil.datasets import Dataset
from neuropil.layers import Flatten, Input, Linear, Softmax
from neuropil.runs.measure import measure, outputs_of
from neuropil.runs.tasks import task_for
from neuropil.study.outcomes import Outcome, group_statistics, pseudo_values, steps_to
from neuropil.training import History
from neuropil.training.metrics.class_metrics import accuracy
from neuropil.training.metrics.ranking_metrics import roc_auc
from neuropil.training.metrics.value_metrics import r2


@pytest.fixture(scope="module")
def digits():
    return datasets.load_handwritten_digits()


def network_for(splits, last, seed=0):
    network = Input(*splits.input_shape) >> Flatten() >> last
    network.reset_parameters(torch.Generator().manual_seed(seed))
    return network


def test_values_of_accuracy_are_the_shares_right_of_interleaved_groups(digits):
    task = task_for(digits.target)
    network = network_for(digits, Softmax(10))
    found = Outcome.named(None, task).values(network, task, digits, History())
    batch = digits.test.fetch(range(len(digits.test)))
    right = (outputs_of(network, batch, task).argmax(1) == digits.test.targets).double().numpy()
    assert len(found) == 200
    assert found.mean() == pytest.approx(100 * right.mean())
    # 359 examples: the first 159 groups have two, so that the values are no plain means.
    parts = [right[group::200] for group in range(200)]
    left = [(right.sum() - part.sum()) / (359 - len(part)) for part in parts]
    change = 199 * (right.mean() - np.array(left))
    np.testing.assert_allclose(found, 100 * (right.mean() + change - change.mean()))


def test_values_of_few_examples_are_those_of_the_examples(digits):
    task = task_for(digits.target)
    network = network_for(digits, Softmax(10))
    metric = task.metrics()[0]
    test = digits.test[:60]
    right = network.predict(test.inputs).argmax(1) == test.targets
    found = pseudo_values(metric, group_statistics(metric, network, test, task))
    np.testing.assert_allclose(found, right.double().numpy(), atol=1e-12)


def test_the_loss_is_that_of_measure(digits):
    task = task_for(digits.target)
    network = network_for(digits, Softmax(10))
    outcome = Outcome.named("log_loss", task)
    assert not outcome.greater_is_better
    assert outcome.unit == ""
    found = outcome.values(network, task, digits, History())
    assert found.mean() == pytest.approx(measure(network, digits.test, task)["loss"], rel=1e-5)


@pytest.mark.parametrize("name", ["root_mean_squared_error", "r2", "mean_absolute_error"])
def test_the_mean_of_the_values_is_the_figure_of_measure(name):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3)).astype(np.float32)
    y = x @ np.array([1.0, -2.0, 0.5], np.float32) + rng.normal(size=400).astype(np.float32)
    splits = datasets.open({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y})
    task = task_for(splits.target)
    network = network_for(splits, Linear(1))
    outcome = Outcome.named(name, task)
    found = outcome.values(network, task, splits, History())
    figure = measure(network, splits.test, task)[name]
    assert found.mean() == pytest.approx(outcome.factor * figure, rel=1e-9)
    assert len(found) == len(splits.test)


def test_the_spread_of_the_values_is_the_error_of_the_figure():
    """The jackknife's error of a root mean square is near that of the delta method."""
    rng = np.random.default_rng(1)
    errors = rng.normal(size=2000)
    metric = next(
        each
        for each in task_for(datasets.Numbers((0.0,), (1.0,))).metrics()
        if each.name == "root_mean_squared_error"
    )
    parts = [
        metric.gather(torch.tensor(e)[:, None], torch.zeros(len(e), 1))
        for e in np.split(errors, 200)
    ]
    found = pseudo_values(metric, parts)
    jackknife = found.std(ddof=1) / math.sqrt(200)
    delta = (errors**2).std() / (2 * np.sqrt((errors**2).mean())) / math.sqrt(2000)
    assert jackknife == pytest.approx(delta, rel=0.15)


@pytest.mark.parametrize("metric", [r2, roc_auc, accuracy])
@pytest.mark.parametrize("groups", [1, 2, 7])
def test_values_are_the_jackknife_of_the_figures_without_each_group(metric, groups):
    rng = np.random.default_rng(2)
    scores = torch.tensor(rng.normal(size=(70, 1)), dtype=torch.float32)
    targets = torch.tensor(rng.integers(0, 2, 70))
    numbers = targets[:, None].float() if metric is r2 else targets
    figure = metric(scores, numbers)
    kept = [torch.arange(70) % groups != group for group in range(groups)]
    without = [metric(scores[rows], numbers[rows]) for rows in kept if rows.any()]
    change = (groups - 1) * (figure - np.array(without or [figure]))
    parts = [metric.gather(scores[~rows], numbers[~rows]) for rows in kept]
    found = pseudo_values(metric, parts)
    np.testing.assert_allclose(found, figure + change - change.mean(), atol=1e-9)


HISTORY = History(
    [
        {"epoch": 1, "steps": 10, "validation_accuracy": 0.5, "seconds": 1.0},
        {"epoch": 2, "steps": 20, "validation_accuracy": 0.96, "seconds": 1.5},
        {"epoch": 3, "steps": 30, "validation_accuracy": 0.9, "seconds": 1.5},
    ]
)


def test_time_and_steps_have_one_value(digits):
    task = task_for(digits.target)
    network = network_for(digits, Softmax(10))
    assert Outcome.named("seconds", task).values(network, task, digits, HISTORY) == [4.0]
    reached = Outcome.named("steps_to:0.95", task)
    assert reached.unit == "steps"
    assert not reached.greater_is_better
    assert reached.values(network, task, digits, HISTORY) == [20.0]


def test_a_target_that_is_not_reached_counts_as_reached_an_epoch_later(digits):
    assert steps_to(0.97, HISTORY, task_for(digits.target)) == 40


def test_a_target_of_an_error_is_reached_from_above():
    task = task_for(datasets.Numbers((0.0,), (1.0,)))
    name = task.metrics()[0].name
    better = task.metrics()[0].greater_is_better
    values = (0.1, 0.9) if better else (0.9, 0.1)
    records = [
        {"epoch": n + 1, "steps": 5 * (n + 1), f"validation_{name}": v}
        for n, v in enumerate(values)
    ]
    assert steps_to(0.5, History(records), task) == 10


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("acuracy", "Did you mean 'accuracy'"),
        ("steps_to:high", "needs a number"),
        ("steps_to", "needs a number"),
        ("steps_to:nan", "needs a number"),
        ("", "unknown"),
    ],
)
def test_unknown_outcomes_are_refused(digits, name, words):
    with pytest.raises(ValueError, match=words):
        Outcome.named(name, task_for(digits.target))


def test_a_figure_without_a_group_may_be_unknown():
    """Without its only example of a class, the recall of the class cannot be measured."""
    classes = task_for(datasets.Classes(("a", "b")))
    metric = next(each for each in classes.metrics() if each.name == "balanced_accuracy")
    data = Dataset(torch.eye(2)[[0, 0, 0, 1]], torch.tensor([0, 0, 0, 1]))
    network = Input(2) >> Softmax(2)
    parts = group_statistics(metric, network, data, classes)
    assert np.isfinite(pseudo_values(metric, parts)).all()
