"""Figures are those of what `predict` gives."""

import numpy as np
import pytest
import sklearn.metrics as peers
import torch
from tests.streamed import Streamed

from neuropil.datasets import Classes, Dataset, Numbers
from neuropil.layers import Input, Linear, Sigmoid, Softmax, Tanh
from neuropil.runs.measure import answers_of, measure
from neuropil.runs.tasks import task_for

X = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("last", [Sigmoid(1), Tanh(1), Linear(1)], ids=repr)
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_a_regression_is_measured_on_its_values(last, loss):
    torch.manual_seed(0)
    network = Input(3) >> last
    y = 1e6 + 5 * X[:, 0].double()
    target = Numbers.fit(y, "here", name="price")
    found = measure(network, Dataset(X, y), task_for(target).with_loss(loss))
    answers = network.predict(X.numpy()).astype(float)[:, 0]
    own = answers * target.scale[0] + target.mean[0]
    assert found["r2"] == pytest.approx(peers.r2_score(y, own), rel=1e-6)
    assert found["mean_absolute_error"] == pytest.approx(peers.mean_absolute_error(y, own))
    wanted = (y.numpy() - target.mean[0]) / target.scale[0]
    d = np.abs(answers - wanted)
    values = {
        "squared_error": d**2,
        "absolute_error": d,
        "huber": np.where(d <= 1, d**2 / 2, d - 0.5),
    }
    assert found["loss"] == pytest.approx(values[loss].mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("last", "loss"), [(Softmax(2), "cross_entropy"), (Sigmoid(1), "binary_cross_entropy")]
)
def test_a_classification_is_measured_on_its_scores(last, loss):
    torch.manual_seed(0)
    network = Input(3) >> last.fresh()
    y = (X[:, 0] > 0.3).long()
    target = Classes(("no", "yes"))
    task = task_for(target).adapt_to(network)
    assert task.loss.name == loss
    found = measure(network, Dataset(X, y), task)
    answers = network.predict(X.numpy())
    yes = answers[:, -1]
    assert found["loss"] == pytest.approx(peers.log_loss(y, yes), rel=1e-5)
    assert found["accuracy"] == pytest.approx(peers.accuracy_score(y, yes > 0.5))
    assert found["balanced_accuracy"] == pytest.approx(
        peers.balanced_accuracy_score(y, yes > 0.5)
    )
    area = peers.average_precision_score(y, yes)
    assert found["average_precision"] == pytest.approx(area, abs=1e-12)
    assert found["roc_auc"] == pytest.approx(peers.roc_auc_score(y, yes), abs=1e-12)


def test_a_single_score_may_have_a_margin():
    network = Input(3) >> Linear(1)
    y = (X[:, 0] > 0.3).long()
    task = task_for(Classes(("no", "yes"))).adapt_to(network).with_loss("binary_hinge")
    found = measure(network, Dataset(X, y), task)
    scores = network.predict(X.numpy())[:, 0]
    assert found["loss"] == pytest.approx(peers.hinge_loss(y, scores), rel=1e-5)


def test_nan_is_wrong_and_written_as_nothing():
    network = Input(3) >> Softmax(2)
    with torch.no_grad():
        network.softmax1.weight.fill_(torch.nan)
    data = Dataset(X, torch.zeros(50, dtype=torch.long))
    target = Classes(("no", "yes"))
    with (
        pytest.warns(UserWarning, match="NaN or infinity for 50 of 50 examples"),
        pytest.warns(UserWarning, match="the scores of 50 of 50 predictions are NaN"),
    ):
        found = measure(network, data, task_for(target))
    wrong = {"loss": None, "accuracy": 0, "balanced_accuracy": 0, "f1": 0}
    assert found == wrong | {"average_precision": None, "roc_auc": None}


def test_a_regression_without_figures_says_why():
    network = Input(3) >> Linear(1)
    with torch.no_grad():
        network.linear1.bias.fill_(torch.inf)
    y = X[:, 0].double()
    target = Numbers.fit(y, "here")
    with pytest.warns(UserWarning, match="NaN or infinity for 50 of 50 examples"):
        found = measure(network, Dataset(X, y), task_for(target))
    assert set(found.values()) == {None}


def test_what_is_not_in_memory_is_measured_in_batches():
    torch.manual_seed(0)
    x = torch.randn(2000, 3)
    data = Dataset(x, (x[:, 0] > 0).long())
    network, task = Input(3) >> Softmax(2), task_for(Classes(["a", "b"]))
    assert measure(network, Streamed(data), task) == measure(network, data, task)
    assert torch.equal(answers_of(network, Streamed(data), task), answers_of(network, x, task))
