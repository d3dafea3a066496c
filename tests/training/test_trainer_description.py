"""What a trainer says of itself, in a notebook and as text."""

import re
from html import unescape

import torch
from torch import nn

from neuropil.layers import Input, Relu, Softmax
from neuropil.training import EarlyStopping, Trainer


def shown(trainer):
    """Return the facts of the page by their titles."""
    rows = re.findall(r"<th>(.*?)</th><td[^>]*>(.*?)</td>", trainer._repr_html_())
    return {title: unescape(text) for title, text in rows}


def test_a_trainer_says_what_it_trains_and_how_far_it_is():
    network = Input(4) >> Relu(8) >> Softmax(3)
    trainer = Trainer(
        network,
        metrics=["accuracy"],
        callbacks=[EarlyStopping()],
        schedule="cosine",
        progress=False,
    )
    before = shown(trainer)
    assert before["Network"] == "Input(4) >> Relu(8) >> Softmax(3) · 67 parameters"
    assert before["Loss"] == "the default for the last layer and the targets"
    assert before["Done"] == "0 epochs · 0 steps"
    trainer.fit((torch.rand(50, 4), torch.arange(50) % 3), epochs=2)
    assert shown(trainer) == {
        "Network": before["Network"],
        "Loss": "cross_entropy",
        "Optimizer": "Adam(lr=0.001)",
        "Schedule": "cosine",
        "Metrics": "accuracy",
        "Callbacks": "EarlyStopping",
        "Batch size": "32",
        "Device": "cpu",
        "Done": "2 epochs · 4 steps",
    }


def test_several_networks_and_a_step():
    def duel(trainer, batch):
        trainer.stop("enough")
        return {}

    networks = {"maker": nn.Linear(2, 1), "critic": nn.Linear(1, 1)}
    optimizers = {
        name: torch.optim.SGD(each.parameters(), 0.5) for name, each in networks.items()
    }
    trainer = Trainer(networks, optimizer=optimizers, step=duel, progress=False)
    trainer.fit(torch.zeros(4, 2), epochs=1)
    facts = shown(trainer)
    assert facts["Network maker"].endswith("· 3 parameters")
    assert facts["Optimizer critic"] == "SGD(lr=0.5)"
    assert facts["Step"] == "duel"
    assert facts["Stopped"] == "enough"
    assert "Loss" not in facts


def test_the_text_says_what_is_trained_and_how_far_it_is():
    network = Input(3) >> Softmax(2)
    trainer = Trainer(network, metrics=["accuracy"], schedule="cosine", progress=False)
    assert repr(trainer) == (
        "Trainer\n"
        "  network: Input(3) >> Softmax(2) · 8 parameters\n"
        "  loss: the default for the last layer and the targets\n"
        "  optimizer: Adam(lr=0.001)\n"
        "  schedule: cosine\n"
        "  metrics: accuracy\n"
        "  device: cpu\n"
        "  done: 0 epochs · 0 steps"
    )
    trainer.fit((torch.randn(12, 3), torch.arange(12) % 2), epochs=1, batch_size=6)
    lines = repr(trainer).splitlines()
    assert lines[2] == "  loss: cross_entropy"
    assert lines[-3:] == ["  batch size: 6", "  device: cpu", "  done: 1 epoch · 2 steps"]


def test_a_long_network_is_shown_on_one_line_without_brackets():
    network = Input(4) >> Relu(800) >> Relu(700) >> Relu(600) >> Relu(500) >> Relu(400)
    network = network >> Relu(300) >> Relu(200) >> Relu(100) >> Softmax(3)
    text = shown(Trainer(network, progress=False))["Network"]
    assert text.startswith("Input(4) >> Relu(800)")
    assert "Softmax(3) · " in text
