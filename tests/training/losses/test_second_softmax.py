"""Losses of scores that get probabilities, as a loop with a second softmax does."""

import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from neuropil import Trainer, training
from neuropil.layers import Input, Linear, Sigmoid, Softmax
from neuropil.optim import QuasiNewton
from neuropil.training import trainer as trainer_module

X = torch.randn(24, 4, generator=torch.Generator().manual_seed(0))
CLASSES = torch.arange(24) % 3
LABELS = torch.eye(3)[CLASSES]


class Probabilities(nn.Module):
    """A module whose forward pass ends in a function of torch."""

    def __init__(self, last):
        super().__init__()
        self.linear, self.last = nn.Linear(4, 3), last

    def forward(self, x):
        return self.last(self.linear(x))


def softmax(x):
    return F.softmax(x, dim=1)


def smoothed(outputs, targets):
    return F.cross_entropy(outputs, targets, label_smoothing=0.1)


def with_module(outputs, targets):
    return nn.CrossEntropyLoss()(outputs[:, :3], targets)


def with_ours(outputs, targets):
    return training.cross_entropy(outputs, targets)


def weighted_binary(outputs, targets):
    return F.binary_cross_entropy_with_logits(outputs, targets, pos_weight=torch.ones(3))


def of_logarithms(outputs, targets):
    return F.nll_loss(outputs.log(), targets)


def squared(outputs, targets):
    return F.mse_loss(outputs, targets)


def forgotten_logarithm(outputs, targets):
    return F.nll_loss(outputs, targets)


def warnings_of(network, loss, targets, **options):
    """Return what a training of two epochs warns of."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        trainer = Trainer(network, loss=loss, progress=False, seed=0, **options)
        trainer.fit((X, targets), (X, targets), epochs=2, batch_size=8)
    return [str(each.message) for each in found]


@pytest.mark.parametrize(
    ("network", "loss", "targets", "said"),
    [
        (
            Input(4) >> Softmax(3),
            smoothed,
            CLASSES,
            "smoothed calls cross_entropy, which takes scores, but gets probabilities, the",
        ),
        (
            Input(4) >> Softmax(3),
            smoothed,
            CLASSES,
            'set smoothed.takes = "scores", so that it gets the outputs before the softmax.',
        ),
        (Input(4) >> Softmax(3), with_module, CLASSES, "set with_module.takes = "),
        (Input(4) >> Softmax(3), with_ours, CLASSES, "set with_ours.takes = "),
        (
            Input(4) >> Softmax(3),
            forgotten_logarithm,
            CLASSES,
            "calls nll_loss, which takes log-probabilities, but gets probabilities",
        ),
        (Input(4) >> Sigmoid(3), weighted_binary, LABELS, "the outputs of a sigmoid"),
        (
            Probabilities(softmax),
            nn.CrossEntropyLoss(),
            CLASSES,
            "probabilities, the outputs of a softmax: remove the softmax from the network.",
        ),
        (Probabilities(softmax), "cross_entropy", CLASSES, "the loss cross_entropy takes"),
        (Probabilities(softmax), nn.NLLLoss(), CLASSES, "take their logarithms."),
        (Probabilities(torch.sigmoid), nn.BCEWithLogitsLoss(), LABELS, "of a sigmoid"),
        (Probabilities(nn.Softmax(1)), smoothed, CLASSES, "remove the softmax"),
        (
            nn.Sequential(nn.Linear(4, 3), nn.Softmax(1)),
            nn.CrossEntropyLoss(),
            CLASSES,
            "CrossEntropyLoss takes scores, but the network ends in Softmax",
        ),
    ],
)
def test_a_second_softmax_is_said_once(network, loss, targets, said):
    (line,) = warnings_of(network, loss, targets)
    assert said in line
    assert "\n" not in line


def test_optimizers_that_search_are_watched_too():
    (line,) = warnings_of(Input(4) >> Softmax(3), smoothed, CLASSES, optimizer=QuasiNewton)
    assert "set smoothed.takes" in line


def takes_scores(outputs, targets):
    return F.cross_entropy(outputs, targets)


takes_scores.takes = "scores"


@pytest.mark.parametrize(
    ("network", "loss", "targets"),
    [
        (Input(4) >> Softmax(3), takes_scores, CLASSES),
        (Input(4) >> Softmax(3), of_logarithms, CLASSES),
        (Input(4) >> Softmax(3), nn.CrossEntropyLoss(), CLASSES),
        (Input(4) >> Softmax(3), nn.NLLLoss(), CLASSES),
        (Input(4) >> Linear(3), smoothed, CLASSES),
        (Input(4) >> Softmax(3), squared, LABELS),
        (Input(4) >> Softmax(5) >> Linear(3), smoothed, CLASSES),
        (Probabilities(lambda x: x), nn.CrossEntropyLoss(), CLASSES),
        (Probabilities(nn.LogSoftmax(1)), nn.NLLLoss(), CLASSES),
        (Probabilities(torch.sigmoid), nn.BCELoss(), LABELS),
    ],
)
def test_one_softmax_is_not(network, loss, targets):
    assert warnings_of(network, loss, targets) == []


def test_watching_changes_no_result(monkeypatch):
    weights = []
    for watched in (True, False):
        if not watched:
            monkeypatch.setattr(trainer_module, "watch_first_batch", lambda *_: None)
        torch.manual_seed(0)
        network = Probabilities(lambda x: F.dropout(x, 0.5))
        trainer = Trainer(network, loss=smoothed, progress=False, seed=0)
        trainer.fit((X, CLASSES), epochs=2, batch_size=8)
        weights.append(network.linear.weight.detach())
    assert torch.equal(*weights)
