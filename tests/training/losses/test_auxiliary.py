"""The loss of networks with auxiliary heads."""

import pickle

import pytest
import torch

from neuropil import Trainer, parallel
from neuropil.architectures import googlenet
from neuropil.layers import Input, Softmax, Tanh
from neuropil.training import auxiliary


@pytest.fixture
def two_heads():
    torch.manual_seed(0)
    trunk = Input(4) >> Tanh(8)
    return parallel(trunk >> Softmax(3), trunk >> Softmax(3))


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(96, 4, generator=generator)
    return x, x[:, :3].argmax(1)


def test_it_is_the_first_loss_and_a_part_of_the_others(two_heads, data):
    x, y = data
    first, second = two_heads.scores()(x)
    entropy = torch.nn.functional.cross_entropy
    loss = auxiliary("cross_entropy", weight=0.4)
    expected = entropy(first, y, reduction="none") + 0.4 * entropy(second, y, reduction="none")
    torch.testing.assert_close(loss((first, second), y), expected)
    torch.testing.assert_close(loss.mean((first, second), y), expected.mean())


def test_training_moves_both_heads_and_validation_sees_the_first(two_heads, data):
    before = {name: p.clone() for name, p in two_heads.named_parameters()}
    trainer = Trainer(
        two_heads, loss=auxiliary(), metrics=["accuracy"], class_weight="balanced", seed=0,
        progress=False,
    )  # fmt: skip
    history = trainer.fit(data, validation=data, epochs=80, batch_size=8)
    moved = [not torch.equal(before[name], p) for name, p in two_heads.named_parameters()]
    assert all(moved)
    first = two_heads.scores()(data[0])[0]
    assert history[-1]["validation_accuracy"] == (first.argmax(1) == data[1]).double().mean()
    assert history[-1]["validation_accuracy"] > 0.9
    figures = Trainer(two_heads, loss=auxiliary(), progress=False).evaluate(data)
    alone = torch.nn.functional.cross_entropy(first, data[1])
    assert figures["loss"] == pytest.approx(alone.item(), abs=1e-6)


def test_googlenet_trains_with_its_heads():
    network = googlenet(3, input_shape=(1, 32, 32), aux_heads=True)
    x, y = torch.randn(6, 1, 32, 32), torch.tensor([0, 1, 2, 0, 1, 2])
    before = {name: p.clone() for name, p in network.named_parameters()}
    trainer = Trainer(network, loss=auxiliary(), metrics=["accuracy"], progress=False)
    assert trainer.fit((x, y), epochs=1)[-1]["loss"] > 0
    heads = [name for name in before if name.startswith("aux")]
    assert heads
    for name in heads:
        assert not torch.equal(before[name], network.get_parameter(name)), name


def test_the_loss_of_one_output_says_what_to_do(two_heads, data):
    with pytest.raises(ValueError, match=r"2 outputs, but cross_entropy .* loss=auxiliary\("):
        Trainer(two_heads, loss="cross_entropy", progress=False).fit(data, epochs=1)
    with pytest.raises(ValueError, match=r"2 outputs, .* loss=auxiliary\("):
        Trainer(two_heads, progress=False).fit(data, epochs=1)


def test_it_is_not_for_one_output(data):
    network = Input(4) >> Softmax(3)
    with pytest.raises(ValueError, match="this network has one: use the loss without"):
        Trainer(network, loss=auxiliary(), progress=False).fit(data, epochs=1)


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf")])
def test_weights_are_checked(weight):
    with pytest.raises(ValueError, match="auxiliary: weight must be a number"):
        auxiliary(weight=weight)


def test_it_can_be_pickled():
    loss = pickle.loads(pickle.dumps(auxiliary("huber", weight=0.2)))
    assert repr(loss) == "auxiliary(huber)"
    assert loss.weight == 0.2
