"""Early stopping and the best weights."""

import pytest
import torch
from torch import nn

from neuropil.training import BestWeights, Callback, EarlyStopping, Trainer

X = torch.zeros(4, 1)


class Scripted(Callback):
    """Gives the history figures of our choice, and the network the epoch as its weight."""

    def __init__(self, figures):
        self.figures = figures

    def on_epoch(self, trainer, record):
        record["figure"] = self.figures[record["epoch"] - 1]
        trainer.network.weight.data.fill_(record["epoch"])


def run(figures, *callbacks, epochs=None, ema=None):
    trainer = Trainer(
        nn.Linear(1, 1),
        loss="squared_error",
        optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.0),
        callbacks=[Scripted(figures), *callbacks],
        progress=False,
        threads=None,
        ema=ema,
    )
    trainer.fit((X, X), epochs=epochs or len(figures))
    return trainer


@pytest.mark.parametrize(
    ("figures", "options", "epochs"),
    [
        ([5, 4, 3, 2, 1], {"patience": 1}, 5),
        ([5, 4, 4, 4, 4], {"patience": 2}, 4),
        ([5, 4, 3.9, 3.8, 3.7], {"patience": 2, "minimum_change": 0.5}, 4),
        ([1, 2, 0.5, 2, 2], {"patience": 3}, 5),
        ([1, 2, 3, 2, 2], {"patience": 3, "greater_is_better": True}, 5),
        ([3, 2, 1, 0, 0], {"patience": 2, "greater_is_better": True}, 3),
    ],
)
def test_training_stops_when_the_figure_gets_no_better(figures, options, epochs):
    trainer = run(figures, EarlyStopping(monitor="figure", **options))
    assert trainer.epoch == epochs
    assert bool(trainer.stop_reason) == (epochs < len(figures))


def test_the_reason_says_what_was_best():
    trainer = run([1, 2, 3, 4], EarlyStopping(2, "figure"))
    assert trainer.stop_reason == "figure was best in epoch 1, 2 epochs ago"


def test_the_best_weights_come_back():
    trainer = run([3, 1, 2, 1], BestWeights("figure"))
    assert trainer.network.weight.item() == 2.0
    assert trainer.network.weight.requires_grad


def test_accuracies_get_better_as_they_rise():
    x, y = torch.eye(4), torch.arange(4)
    stopping, best = EarlyStopping(3, "validation_accuracy"), BestWeights("accuracy")
    network = nn.Linear(4, 4)
    trainer = Trainer(
        network, metrics=["accuracy"], callbacks=[stopping, best], progress=False, threads=None,
        optimizer=torch.optim.Adam(network.parameters(), lr=0.1),
    )  # fmt: skip
    trainer.fit((x, y), (x, y), epochs=40)
    assert stopping.best == best.best == 1.0
    assert trainer.stop_reason


def test_the_figure_watched_by_default_is_that_of_the_validation():
    stopping = EarlyStopping(1)
    trainer = Trainer(
        nn.Linear(1, 1), loss="squared_error", callbacks=[stopping], progress=False
    )
    history = trainer.fit((X, X), (X, X + 1), epochs=2)
    assert stopping.best == history.best("validation_loss")["validation_loss"]


def test_a_figure_that_is_not_recorded_is_named():
    with pytest.raises(
        ValueError, match=r"EarlyStopping monitors 'acc', which .* epoch, steps"
    ):
        run([1], EarlyStopping(monitor="acc"))
    with pytest.raises(ValueError, match=r"patience must be a whole number from 1 .* got 0"):
        EarlyStopping(0)
    with pytest.raises(ValueError, match=r"minimum_change must be .* got -0.1"):
        EarlyStopping(minimum_change=-0.1)


def test_a_further_fit_counts_anew():
    trainer = run([1, 2, 3, 4, 5, 6, 7, 8], EarlyStopping(2, "figure"), epochs=4)
    assert trainer.epoch == 3
    trainer.fit((X, X), epochs=4)
    assert trainer.epoch == 6
