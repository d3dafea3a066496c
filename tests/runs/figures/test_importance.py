"""Importance of columns: against scikit-learn, and whether the intervals hold the truth."""

import numpy as np
import pytest
import torch
from sklearn import inspection
from sklearn.base import BaseEstimator

from neuropil.datasets import (
    Classes,
    Dataset,
    NumberColumn,
    Numbers,
    TablePreparation,
    TextColumn,
)
from neuropil.layers import Input, Linear, Softmax
from neuropil.runs import permutation_importance
from neuropil.runs.classification import Classification
from neuropil.runs.tasks import task_for

SLOPES = (1.0, 0.5, 0.0)


def regression(rows, seed):
    """Return a network that knows the slopes of three columns, noisy rows, task and table."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, 3, generator=generator)
    y = x @ torch.tensor(SLOPES) + 0.5 * torch.randn(rows, generator=generator)
    target = Numbers((0.0,), (1.0,), "y")
    columns = tuple(NumberColumn(name, 0.0, indicator=False) for name in "abc")
    table = TablePreparation(columns, target, names=("a", "b", "c", "y"))
    network = Input(3) >> Linear(1, weight=torch.tensor([SLOPES]), bias=False)
    return network, Dataset(x, y.double()), task_for(target), table


class Peer(BaseEstimator):
    """The same network as an estimator."""

    def __init__(self, network):
        self.network = network

    def fit(self, inputs, targets):
        return self

    def predict(self, inputs):
        return self.network.predict(inputs.astype(np.float32))[:, 0]


def test_the_drops_are_scikit_learns_within_their_intervals():
    network, data, task, table = regression(400, 0)
    found = permutation_importance(network, data, task, table, repeats=30)
    peer = inspection.permutation_importance(
        Peer(network), data.inputs.numpy(), data.targets.numpy(), scoring="r2", random_state=0,
        n_repeats=30,
    )  # fmt: skip
    assert [each.name for each in found] == ["a", "b", "c"]
    for each, expected in zip(found, peer.importances_mean, strict=True):
        assert each.low <= expected <= each.high
        assert each.drop == pytest.approx(expected, rel=0.1)
    # A column with the weight 0 changes nothing at all.
    assert found[2][1:] == (0, 0, 0)


def test_the_intervals_hold_the_drop_of_many_other_rows():
    network, many, task, table = regression(20_000, 99)
    truth = {
        each.name: each.drop
        for each in permutation_importance(network, many, task, table, repeats=10)
    }
    held = []
    for seed in range(16):
        _, data, _, _ = regression(250, seed)
        found = permutation_importance(network, data, task, table, seed=seed)
        held += [each.low <= truth[each.name] <= each.high for each in found[:2]]
    assert np.mean(held) >= 0.9


class Spy:
    """A predictor that keeps what it is given."""

    def __init__(self):
        self.seen = []

    def scores(self):
        return self

    def predict(self, inputs):
        self.seen.append(inputs)
        return inputs[:, 2:4]


def test_the_numbers_of_a_column_are_shuffled_together():
    target = Classes(["no", "yes"], "ill")
    table = TablePreparation(
        (
            NumberColumn("age", 30.0, indicator=True),
            TextColumn("blood", ("0", "A", "B"), indicator=False),
        ),
        target,
        names=("age", "blood", "ill"),
    )
    raw = {"age": ["41", "?", "25", "60"] * 10, "blood": ["0", "A", "B", "A", "A"] * 8}
    inputs = table.encode(raw)
    spy = Spy()
    data = Dataset(inputs, (inputs[:, 3] > 0).long())
    before = {tuple(row) for row in inputs[:, :2].tolist()}
    found = permutation_importance(spy, data, task_for(target), table, repeats=3)
    assert {each.name for each in found} == {"age", "blood"}
    rows = torch.cat(spy.seen)
    assert (rows[:, 2:].sum(1) == 1).all()  # one category each
    assert {tuple(row) for row in rows[:, :2].tolist()} == before


def test_the_seed_decides_and_what_cannot_be_measured_is_refused():
    network, data, task, table = regression(60, 0)
    first = permutation_importance(network, data, task, table)
    assert permutation_importance(network, data, task, table) == first
    assert permutation_importance(network, data, task, table, seed=1) != first
    with pytest.raises(ValueError, match="needs rows with targets"):
        permutation_importance(network, Dataset(data.inputs), task, table)
    rare = Classification(Classes("ab", "y"), positive="b")
    alike = Dataset(data.inputs, torch.zeros(60).long())
    with pytest.raises(ValueError, match="too few rows of some class"):
        permutation_importance(Input(3) >> Softmax(2), alike, rare, table)
