"""Bounded activations: their scores, the hard sigmoid's corners, the axis of softmax."""

import pytest
import torch

from neuropil.core import ShapeError
from neuropil.layers import (
    Convolution,
    Flatten,
    GlobalPooling,
    HardSigmoid,
    Identity,
    Input,
    Linear,
    Relu,
    Sigmoid,
    Softmax,
    Tanh,
)


@pytest.mark.parametrize(
    ("last", "function"),
    [
        (Softmax(3), lambda x: torch.softmax(x, -1)),
        (Softmax(3, bias=False, name="classes"), lambda x: torch.softmax(x, -1)),
        (Sigmoid(3), torch.sigmoid),
    ],
)
def test_scores_come_from_the_same_parameters(last, function):
    network = Input(4) >> Relu(8) >> last
    scores = network.scores()
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    assert isinstance(scores.nodes[-1].layer, Linear)
    torch.testing.assert_close(function(scores(x)), network(x))
    assert list(scores.state_dict()) == list(network.state_dict())
    mine, theirs = list(network.parameters()), list(scores.parameters())
    assert all(one is two for one, two in zip(mine, theirs, strict=True))
    scores(x).sum().backward()
    torch.optim.SGD(scores.parameters(), lr=0.1).step()
    torch.testing.assert_close(function(scores(x)), network(x))


def test_without_units_the_scores_are_what_came_in():
    network = Input(1, 6, 6) >> Convolution(3, 3) >> GlobalPooling("avg") >> Softmax()
    scores = network.scores()
    assert isinstance(scores.nodes[-1].layer, Identity)
    assert scores.output_shape == (3,)
    x = torch.randn(2, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(torch.softmax(scores(x), -1), network(x))
    assert (Input(4) >> Tanh(3)).scores()(torch.zeros(1, 4)).tolist() == [[0.0, 0.0, 0.0]]


def test_scores_keep_the_mode():
    network = (Input(4) >> Softmax(3)).eval()
    assert not any(module.training for module in network.scores().modules())


def test_a_confident_network_keeps_its_precision_in_scores():
    network = Input(1) >> Sigmoid(1)
    with torch.no_grad():
        network.state_dict()["sigmoid1.weight"].fill_(1.0)
    far = torch.tensor([[100.0]])
    assert network(far).item() == 1.0
    assert network.scores()(far).item() == 100.0


def test_the_hard_sigmoid_is_straight_between_its_corners():
    x = torch.tensor([[-2.6, -2.5, -1.0, 0.0, 1.0, 2.5, 2.6]])
    expected = torch.tensor([[0.0, 0.0, 0.3, 0.5, 0.7, 1.0, 1.0]])
    torch.testing.assert_close(HardSigmoid()(x), expected)


@pytest.mark.parametrize(
    ("shape", "axis", "summed"),
    [
        ((4,), None, 1),
        ((5, 4), None, 2),
        ((4, 3, 3), None, 1),
        ((4, 3, 3, 2), None, 1),
        ((5, 4), 0, 1),
        ((5, 4), -2, 1),
        ((4, 3, 3), 2, 3),
        ((4, 3, 3), -1, 3),
    ],
)
def test_softmax_sums_to_one_along_its_axis(shape, axis, summed):
    x = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    total = (Input(*shape) >> Softmax(axis=axis))(x).sum(summed)
    torch.testing.assert_close(total, torch.ones_like(total))


def test_softmax_refuses_an_axis_that_is_not_there():
    with pytest.raises(ShapeError, match=r"an axis 1, got \(4\): choose axis from -1 to 0"):
        Input(4) >> Softmax(axis=1)
    with pytest.raises(ShapeError, match="choose axis from -1 to 0"):
        Input(2, 2) >> Flatten() >> Softmax(3, axis=-2)
