"""Metrics that are functions of the user's own, and the names that a dict gives."""

import math
import pickle

import pytest
import torch
from sklearn import metrics as peers
from torch import nn

from neuropil import Trainer
from neuropil.layers import Input, Sigmoid, Softmax
from neuropil.training import BestWeights, EarlyStopping, History
from neuropil.training.metrics.metrics import resolve, resolve_all

INPUTS = torch.randn(90, 3, generator=torch.Generator().manual_seed(0))
RARE = (INPUTS[:, :2].sum(1) > 1.6).long()


def area(outputs, targets):
    """Return the area as a user of scikit-learn computes it."""
    return peers.roc_auc_score(targets, outputs[:, 1])


def fit(**options):
    network = Input(3) >> Softmax(2)
    network.reset_parameters(torch.Generator().manual_seed(1))
    usual = {"loss": "cross_entropy", "seed": 0, "threads": 1, "progress": False}
    trainer = Trainer(network, **usual | options)
    trainer.fit((INPUTS, RARE), (INPUTS, RARE), epochs=3, batch_size=8)
    return trainer


@pytest.mark.parametrize("custom", [False, True])
def test_a_function_of_scikit_learn_is_called_with_all_examples(custom, tmp_path):
    def step(trainer, batch):
        scores = trainer.network.scores()(batch[0])
        return {"loss": nn.functional.cross_entropy(scores, batch[1])}

    best = BestWeights("validation_area")
    trainer = fit(
        metrics={"area": area, "ours": "roc_auc", "right": "accuracy"},
        callbacks=[best, EarlyStopping(5, "validation_area")],
        step=step if custom else None,
    )
    history = trainer.history
    assert ("area" in history.columns) != custom
    assert history["validation_area"] == pytest.approx(history["validation_ours"], abs=1e-12)
    figures = trainer.evaluate((INPUTS, RARE))
    expected = peers.roc_auc_score(RARE, trainer.network.predict(INPUTS)[:, 1])
    assert figures["area"] == pytest.approx(expected, abs=1e-12)
    assert best.best == max(history["validation_area"])
    history.save(tmp_path / "history.csv")
    columns = History.load(tmp_path / "history.csv").columns
    assert {"validation_area", "validation_ours", "validation_right"} <= set(columns)


def test_a_single_number_is_that_of_all_examples_not_a_mean_over_batches():
    def spread(outputs, targets):
        return (outputs[:, 1] - targets).std()

    metric = resolve(spread)
    outputs = INPUTS[:30, 1:].sigmoid()
    parts = [metric.gather(outputs[i:j], RARE[i:j]) for i, j in ((0, 4), (4, 25), (25, 30))]
    assert metric.compute(metric.merge(parts)) == pytest.approx(
        float(spread(outputs, RARE[:30])), rel=1e-12
    )
    assert metric(outputs, RARE[:30]) == pytest.approx(float(spread(outputs, RARE[:30])))
    # The parts may come from another process, in which the metric saw examples.
    assert resolve(spread).compute(metric.merge(parts)) == metric.compute(metric.merge(parts))


def test_one_output_per_example_keeps_its_shape():
    def recall_error(outputs, targets):
        assert outputs.shape == (90, 1)
        return 1 - peers.recall_score(targets, outputs[:, 0] > 0.5)

    network = Input(3) >> Sigmoid(1)
    trainer = Trainer(
        network, loss="binary_cross_entropy", metrics=[recall_error], progress=False
    )
    assert 0 <= trainer.evaluate((INPUTS, RARE))["recall_error"] <= 1
    assert not trainer.metrics[0].greater_is_better


def test_a_dict_gives_names_and_changes_no_metric():
    found = resolve_all({"first": "accuracy", "second": area}, "cross_entropy")
    assert [metric.name for metric in found] == ["first", "second"]
    assert resolve("accuracy").name == "accuracy"
    again = pickle.loads(pickle.dumps(found))
    assert [metric.name for metric in again] == ["first", "second"]
    assert resolve("accuracy").name == "accuracy"
    labels = resolve_all({"each": "accuracy"}, "binary_cross_entropy")[0]
    assert labels(torch.tensor([[1.0, -1.0]]), torch.tensor([[1, 1]])) == 0.5


@pytest.mark.parametrize(
    "metrics", [["accuracy", "accuracy"], {"loss": "accuracy"}, {"lr": "accuracy"}]
)
def test_two_figures_of_one_name_are_refused(metrics):
    with pytest.raises(ValueError, match="names two figures: give other names"):
        resolve_all(metrics, "cross_entropy")


@pytest.mark.parametrize("metrics", ["accuracy", area])
def test_a_single_metric_needs_brackets(metrics):
    with pytest.raises(TypeError, match="metrics must be a list or a dict, got"):
        Trainer(nn.Linear(3, 2), metrics=metrics)


def test_an_unknown_figure_is_not_an_error():
    def undefined(outputs, targets):
        return math.nan

    assert math.isnan(fit(metrics=[undefined]).history["undefined"][0])
