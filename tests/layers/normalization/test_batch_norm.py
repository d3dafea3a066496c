"""Batch normalisation: the paper's optimiser by hand, torch over many batches, two modes."""

import copy

import pytest
import torch
from torch import nn

from neuropil.core import ShapeError
from neuropil.init import Constant
from neuropil.layers import BatchNorm, Convolution, Input, Relu

PEERS = [
    (nn.BatchNorm1d, (3,)),
    (nn.BatchNorm1d, (3, 5)),
    (nn.BatchNorm2d, (3, 5, 4)),
    (nn.BatchNorm3d, (3, 5, 4, 2)),
]
OPTIONS = [{}, {"momentum": 0.3, "eps": 0.1}, {"momentum": None}, {"affine": False}]


def batches(shape, number=4):
    generator = torch.Generator().manual_seed(0)
    return [4 + 3 * torch.randn(6, *shape, generator=generator) for _ in range(number)]


def test_algorithm_1_by_hand():
    network = Input(2) >> BatchNorm(eps=1.0)
    layer = network.nodes[-1].layer
    layer.weight.data = torch.tensor([2.0, 1.0])
    layer.bias.data = torch.tensor([0.0, 10.0])
    x = torch.tensor([[1.0, 0.0], [3.0, 0.0], [5.0, 0.0]])
    # μ = 3 and 0; σ² = (4 + 0 + 4)/3 = 8/3 and 0; √(σ² + ε) = √(11/3) and 1.
    root = (11 / 3) ** 0.5
    expected = torch.tensor([[-4 / root, 10.0], [0.0, 10.0], [4 / root, 10.0]])
    torch.testing.assert_close(network(x), expected)
    # Algorithm 2: the variance at test time is the unbiased one, 8/2 = 4 and 0.
    torch.testing.assert_close(layer.running_mean, torch.tensor([0.1 * 3, 0.0]))
    torch.testing.assert_close(layer.running_var, torch.tensor([0.9 + 0.1 * 4, 0.9]))
    y = network.eval()(torch.tensor([[1.3, 0.0]]))
    torch.testing.assert_close(y, torch.tensor([[2 * 1.0 / (1.3 + 1) ** 0.5, 10.0]]))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("peer_class", "shape"), PEERS, ids=str)
def test_it_is_torchs_over_many_batches(peer_class, shape, options):
    ours, theirs = BatchNorm(**options), peer_class(3, **options)
    ours.build(shape)
    for x in batches(shape):
        torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=0)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for mine, other in zip(
        ours.state_dict().values(), theirs.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=0)
    x = batches(shape)[0]
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x), rtol=0, atol=0)


def test_torchs_weights_can_be_loaded():
    theirs = nn.BatchNorm2d(3)
    for x in batches((3, 4, 4)):
        theirs(x)
    network = Input(3, 4, 4) >> BatchNorm()
    network.load_state_dict({f"batchnorm1.{k}": v for k, v in theirs.state_dict().items()})
    x = batches((3, 4, 4))[0]
    torch.testing.assert_close(network.eval()(x), theirs.eval()(x))


def test_training_uses_the_batch_and_testing_does_not():
    network = Input(3) >> BatchNorm()
    (x,) = batches((3,), 1)
    trained = network(x)
    torch.testing.assert_close(trained.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    network.eval()
    state = copy.deepcopy(network.state_dict())
    tested = network(x)
    assert not torch.allclose(trained, tested)
    torch.testing.assert_close(network(x[:1]), tested[:1])
    for key, value in network.state_dict().items():
        assert torch.equal(value, state[key])
    assert network.state_dict()["batchnorm1.num_batches_tracked"].item() == 1


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 1, 1)], ids=str)
def test_a_single_value_a_channel_is_refused_in_training(shape):
    network = Input(*shape) >> BatchNorm()
    with pytest.raises(ValueError, match=r"more than one value per channel.*\.eval\(\)"):
        network(torch.zeros(1, *shape))
    assert network.state_dict()["batchnorm1.num_batches_tracked"].item() == 0
    assert network.eval()(torch.zeros(1, *shape)).isfinite().all()


def test_an_empty_batch_leaves_the_statistics():
    network = Input(3, 2, 2) >> BatchNorm()
    assert network(torch.zeros(0, 3, 2, 2)).shape == (0, 3, 2, 2)
    assert network.state_dict()["batchnorm1.running_var"].tolist() == [1.0, 1.0, 1.0]


def test_drawing_parameters_anew_forgets_the_statistics():
    network = Input(3) >> BatchNorm(weight=Constant(0.5))
    fresh = copy.deepcopy(network.state_dict())
    network(batches((3,), 1)[0]).sum().backward()
    torch.optim.SGD(network.parameters(), lr=1.0).step()
    network.reset_parameters()
    for key, value in network.state_dict().items():
        assert torch.equal(value, fresh[key])
    assert fresh["batchnorm1.weight"].tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("affine", [True, False])
def test_it_stays_with_the_channels_it_was_built_for(affine):
    layer = BatchNorm(affine=affine)
    Input(3, 4) >> layer
    assert (Input(3, 9) >> layer).output_shape == (3, 9)
    with pytest.raises(ShapeError, match="copy it first"):
        Input(4, 4) >> layer
    with pytest.raises(ShapeError, match=r"known number of channels, got \(None, 3\)"):
        Input(None, 3) >> BatchNorm()


def test_a_copy_has_statistics_of_its_own():
    network = Input(1, 4, 4) >> Convolution(2, 3) >> BatchNorm() >> Relu()
    other = copy.deepcopy(network)
    other(batches((1, 4, 4), 1)[0])
    assert network.state_dict()["batchnorm1.running_mean"].tolist() == [0.0, 0.0]
    assert other.state_dict()["batchnorm1.running_mean"].tolist() != [0.0, 0.0]


def test_options_out_of_range_are_refused_by_name():
    with pytest.raises(ValueError, match=r"BatchNorm: momentum must be a number in \[0, 1\]"):
        BatchNorm(momentum=1.1)
    with pytest.raises(ValueError, match="BatchNorm: eps must be"):
        BatchNorm(eps=-1e-5)
