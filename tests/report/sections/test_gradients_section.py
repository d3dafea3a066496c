"""What a report says of the gradients."""

import pytest
import torch
from torch import nn

from neuropil import datasets
from neuropil.layers import Flatten, Input, Relu, Softmax
from neuropil.training import GradientWatch, Trainer


@pytest.fixture(scope="module")
def digits():
    return datasets.load_handwritten_digits()


def watched(digits, bias=0.0):
    torch.manual_seed(0)
    network = Input(1, 8, 8) >> Flatten() >> Relu(16) >> Softmax(10)
    nn.init.constant_(network.layers["relu1"].bias, bias)
    watch = GradientWatch()
    trainer = Trainer(network, callbacks=[watch], progress=False, threads=1, seed=0)
    history = trainer.fit((digits.train.inputs, digits.train.targets), epochs=2, batch_size=64)
    return network, history, watch


def test_a_healthy_training(digits, report):
    network, history, watch = watched(digits)
    page = report(network, digits, history, gradients=watch)
    said = page.text_of("gradients")
    assert "Healthy in all 2 epochs that were measured" in said
    assert "never fire" not in said
    assert {"relu1", "softmax1", "epoch 1", "epoch 2"} <= set(page.texts)
    assert any(a.get("href") == "#gradients" for a in page.all("a"))


def test_a_sick_one(digits, report):
    network, history, watch = watched(digits, bias=-1e3)
    page = report(network, digits, history, gradients=watch)
    said = page.text_of("gradients")
    assert "The last measurement, in epoch 2, found problems" in said
    assert "Epochs 1 to 2: relu1: none of its 16 units fires on any of these 64" in said


def test_one_that_has_recovered(digits, report):
    network, history, watch = watched(digits)
    *_, sick = watched(digits, bias=-1e3)
    watch.healths[0] = sick.healths[0]
    said = report(network, digits, history, gradients=watch).text_of("gradients")
    assert "Healthy at the end, in epoch 2, but not before" in said
    assert "Epoch 1: relu1: none" in said


def test_nothing_is_said_where_nothing_was_measured(digits, report):
    network, history, _ = watched(digits)
    for watch in (None, GradientWatch()):
        page = report(network, digits, history, gradients=watch)
        assert "gradients" not in page.sections
